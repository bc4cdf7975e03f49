-- The first schema: everything that external tasks, batches, jobs and incidents need.
-- Words in braces are the dialect's (db/dialect.go). Times are milliseconds since 1970, UTC. Ids that we make are
-- UUIDv7 ({id}); ids from outside (process instances, definitions, tenants) are texts.

-- +goose Up

create table scope (
  id {text} primary key,               -- the processInstanceId
  business_key {text},
  definition_id {text},
  definition_key {text},
  version_tag {text},
  tenant_id {text},
  suspended boolean not null default false,
  tasks integer not null,              -- how many live; the scope ends when the last one does
  start_time bigint not null,
  end_time bigint,                     -- null while a task of it lives
  cancelled boolean not null default false,  -- whether somebody ended it, rather than its last task
  removal_time bigint                  -- end_time + history time to live
){norowid};
create index scope_business_key on scope (business_key);
create index scope_definition on scope (definition_key);
create index scope_removal on scope (removal_time) where removal_time is not null;

create table external_task (           -- wide, rarely written
  id {id} primary key,
  scope_id {text} not null,
  execution_id {id} not null,
  activity_id {text},
  activity_instance_id {text},
  error_message {text},                -- of the last failure, at most 666 UTF-16 units
  error_details {text},
  failure_log_id {id},                 -- the task_log entry of the last failure
  extension_properties {text}          -- JSON object; null: none
);
create index external_task_scope on external_task (scope_id);
create index external_task_execution on external_task (execution_id);

create table external_task_state (     -- narrow, one row for each external_task: all that fetch, lock and retries touch
  id {id} primary key,
  rev integer not null,                -- grows with every write
  set_by bigint,                       -- mark of the batch that wrote last; null after any other write
  was integer,                         -- the retries before that batch wrote
  create_time bigint not null,
  lock_expiration bigint,
  held boolean not null default false, -- whether the lock may still run; false: it was never locked, unlocked, or seen to have run out
  priority bigint not null,
  retries integer,                     -- null: never set, counts as retries left
  suspended boolean not null default false,
  topic_name {text} not null,
  worker_id {text}
){fill50};
create index external_task_ready on external_task_state (topic_name, priority desc, create_time)
  where not held and not suspended and (retries is null or retries > 0);
create index external_task_held on external_task_state (topic_name, lock_expiration)
  where held and not suspended and (retries is null or retries > 0);

create table variable (
  scope_id {text} not null,
  task_id {id} not null,               -- the nil UUID: the scope's own
  name {text} not null,
  type {text} not null,                -- capitalised
  text_value {text},                   -- of a String, unless it holds a NUL, which PostgreSQL cannot keep in a text
  long_value bigint,                   -- of Short, Integer and Long; of a Boolean 0 or 1; of a Date milliseconds since 1970
  double_value double precision,       -- of a Double
  value {text},                        -- JSON; null: text_value is the whole of it
  value_info {text} not null,          -- JSON object
  primary key (scope_id, task_id, name)
);

create table task_log (                -- history of tasks: creation, failure, success, deletion
  id {id} primary key,
  at bigint not null,
  event smallint not null,             -- 1 creation, 2 failure, 3 success, 4 deletion
  task_id {id} not null,
  scope_id {text} not null,
  execution_id {id} not null,
  activity_id {text},
  activity_instance_id {text},
  topic_name {text} not null,
  worker_id {text},
  priority bigint not null,
  retries integer,                     -- before the failure that the entry tells of
  error_message {text},
  error_details {text}
);
create index task_log_task on task_log (task_id);
create index task_log_scope on task_log (scope_id);

create table incident (
  id {id} primary key,
  type {text} not null,                -- failedExternalTask or failedJob
  state smallint not null,             -- 0 open, 1 resolved, 2 deleted
  configuration {id} not null,         -- the task's or the job's id
  scope_id {text},                     -- of the task; null for a job
  execution_id {id},
  activity_id {text},
  tenant_id {text},
  job_definition_id {id},              -- of the job; null for a task
  create_time bigint not null,
  end_time bigint,
  removal_time bigint,
  message {text},
  history_configuration {id},          -- the log entry of the failure that caused it
  annotation {text}
){fill60};
create unique index incident_open on incident (configuration) where state = 0;
create index incident_configuration on incident (configuration);
create index incident_scope on incident (scope_id) where scope_id is not null;

create table batch (                   -- running batches; historic_batch has all
  id {id} primary key,                 -- the low 36 bits are 0: the ids of its jobs are made from it (db/subid.go)
  mark bigint not null,                -- what external_task_state.set_by says of this batch
  type {text} not null,
  retries integer,                     -- what the batch sets
  items integer not null,
  total_jobs integer not null,         -- items / items_per_job, rounded up
  jobs_per_seed integer not null,
  items_per_job integer not null,
  jobs_per_chunk integer not null,
  jobs_created integer not null default 0,
  seed_runs integer not null default 0,
  monitor_runs integer not null default 0,
  failures integer not null default 0, -- of jobs, ever: the ordinal of the next failure and failedJob incident
  suspended boolean not null default false,
  definition_suspended integer not null default 0,  -- bits: 1 execution, 2 seed, 4 monitor
  priority_job bigint,                 -- overriding priorities of the three definitions
  priority_seed bigint,
  priority_monitor bigint,
  start_time bigint not null,
  execution_start_time bigint,
  tenant_id {text},
  create_user_id {text}
);

create table historic_batch (
  id {id} primary key,
  type {text} not null,
  retries integer,
  items integer not null,
  total_jobs integer not null,
  jobs_per_seed integer not null,
  items_per_job integer not null,
  jobs_per_chunk integer not null,
  start_time bigint not null,
  execution_start_time bigint,
  end_time bigint,
  removal_time bigint,
  tenant_id {text},
  create_user_id {text}
);

create table batch_chunk (             -- the items of a batch, jobs_per_chunk * items_per_job to a row, sorted, written once
  batch_id {id} not null,
  no integer not null,
  ids {bytes} not null,                -- 16 bytes an id; the nil UUID where batch_text has the id
  primary key (batch_id, no)
);
{postgres} alter table batch_chunk alter column ids set storage external;

create table batch_text (              -- items whose id is no UUID
  batch_id {id} not null,
  item integer not null,
  id {text} not null,
  primary key (batch_id, item)
){norowid};

create table job (                     -- a row is a range of n jobs that are alike; what is not here is done, deleted or not yet made
  batch_id {id} not null,
  kind smallint not null,              -- 1 execution, 2 seed, 3 monitor
  first integer not null,              -- number of the first job (seed: run, monitor: check)
  n integer not null,
  retries integer not null,
  priority bigint not null,
  suspended boolean not null,
  due_date bigint,
  create_time bigint not null,
  exception_message {text},
  stacktrace {text},
  primary key (batch_id, kind, first)
){norowid};

create table job_log (                 -- a row is a range of n log entries that are alike; of event 3 also the outcomes of the items
  batch_id {id} not null,
  kind smallint not null,
  event smallint not null,             -- 1 creation, 2 failure, 3 success, 4 deletion
  first integer not null,
  seq integer not null default 0,      -- of a failure: its number in the batch
  n integer not null,
  at bigint not null,
  retries integer not null,
  priority bigint not null,
  due_date bigint,
  host {text},
  outcome {bytes},                     -- of event 3 of execution jobs: db/outcome.go
  n_set integer not null default 0,
  n_same integer not null default 0,
  n_gone integer not null default 0,
  message {text},
  stacktrace {text},
  primary key (batch_id, kind, event, first, seq)
);

create table idempotency (             -- answers to requests with an Idempotency-Key, kept for a day
  caller {text} not null,
  name {text} not null,                -- the key
  hash {bytes} not null,               -- SHA-256 of operation and body
  answer {text} not null,              -- JSON
  create_time bigint not null,
  primary key (caller, name)
){norowid};
create index idempotency_age on idempotency (create_time);

{sqlite} create table num (i integer primary key);
{sqlite} insert into num with recursive c(i) as (select 0 union all select i + 1 from c where i < 9999) select i from c;

-- +goose Down
drop table idempotency;
drop table job_log;
drop table job;
drop table batch_text;
drop table batch_chunk;
drop table historic_batch;
drop table batch;
drop table incident;
drop table task_log;
drop table variable;
drop table external_task_state;
drop table external_task;
drop table scope;
{sqlite} drop table num;
