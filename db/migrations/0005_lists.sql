-- What lists need to find a page among 1,000,000 rows by one filter, in the order of the ids. Tables that a batch writes have
-- only such indexes as its writes do not touch: partial ones, for rows that are few or that ask for an operator.

-- +goose Up

alter table task_log add column definition_id {text};   -- these three are the scope's, which never change
alter table task_log add column definition_key {text};
alter table task_log add column tenant_id {text};
update task_log set definition_id = (select c.definition_id from scope c where c.id = task_log.scope_id),
 definition_key = (select c.definition_key from scope c where c.id = task_log.scope_id),
 tenant_id = (select c.tenant_id from scope c where c.id = task_log.scope_id);

create index task_log_at on task_log (at, id);
create index task_log_topic on task_log (topic_name, id);
create index task_log_priority on task_log (priority, id);
create index task_log_execution on task_log (execution_id);
create index task_log_activity_instance on task_log (activity_instance_id) where activity_instance_id is not null;
create index task_log_activity on task_log (activity_id, id) where activity_id is not null;
create index task_log_definition on task_log (definition_id, id) where definition_id is not null;
create index task_log_definition_key on task_log (definition_key, id) where definition_key is not null;
create index task_log_tenant on task_log (tenant_id, id);
create index task_log_worker on task_log (worker_id, id) where worker_id is not null;
create index task_log_message on task_log (error_message, id) where error_message is not null;
create index task_log_event on task_log (event, id) where event > 1;

create index scope_definition_id on scope (definition_id) where definition_id is not null;
create index external_task_activity on external_task (activity_id, id) where activity_id is not null;
create index external_task_blocked on external_task_state (id) where retries = 0;
create index external_task_suspended on external_task_state (id) where suspended;

create index incident_open_id on incident (id) where state = 0;
create index incident_open_time on incident (create_time, id) where state = 0;
create index incident_open_activity on incident (activity_id, id) where state = 0 and activity_id is not null;
create index incident_open_tenant on incident (tenant_id, id) where state = 0 and tenant_id is not null;
create index incident_open_message on incident (message, id) where state = 0 and message is not null;
create index incident_deleted on incident (id) where state = 2;

-- +goose Down
drop index incident_deleted;
drop index incident_open_message;
drop index incident_open_tenant;
drop index incident_open_activity;
drop index incident_open_time;
drop index incident_open_id;
drop index external_task_suspended;
drop index external_task_blocked;
drop index external_task_activity;
drop index scope_definition_id;
drop index task_log_event;
drop index task_log_message;
drop index task_log_worker;
drop index task_log_tenant;
drop index task_log_definition_key;
drop index task_log_definition;
drop index task_log_activity;
drop index task_log_activity_instance;
drop index task_log_execution;
drop index task_log_priority;
drop index task_log_topic;
drop index task_log_at;
alter table task_log drop column tenant_id;
alter table task_log drop column definition_key;
alter table task_log drop column definition_id;
