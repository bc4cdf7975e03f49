-- What is done to jobs: batches that set the retries of jobs, and job definitions that are suspended or activated later.

-- +goose Up

alter table batch add column sets_due_date boolean not null default false;  -- of set-job-retries: whether it sets the due date too
alter table batch add column due_date bigint;                               -- to what; null: due at once

create table definition_suspension (   -- one row for each suspension or activation that waits for its time
  batch_id {id} not null,
  at bigint not null,
  id {id} not null,                    -- in the order of the requests, for those of one moment
  kind smallint not null,              -- whose job definition: 1 execution, 2 seed, 3 monitor
  suspended boolean not null,          -- false: activate
  include_jobs boolean not null,       -- whether the jobs that exist then follow
  primary key (batch_id, at, id)
){norowid};

-- +goose Down
drop table definition_suspension;
alter table batch drop column due_date;
alter table batch drop column sets_due_date;
