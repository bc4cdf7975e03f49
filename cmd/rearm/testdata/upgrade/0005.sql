-- More that came with version 5: the log keeps definition and tenant of its process instance.

update scope set tasks = tasks + 1 where id = 'orders';

insert into external_task (id, scope_id, execution_id, activity_id, activity_instance_id, error_message, error_details, failure_log_id, extension_properties) values
  (id(01a20faa-f9a4-77d0-aace-abb9761f90a0), 'orders', id(01a20faa-f9a4-77d1-8899-672703e716c6), 'mailCustomer', '01a20faa-f9a4-77cd-9ad5-080a3924d58e', null, null, null, null);

insert into external_task_state (id, rev, set_by, was, create_time, lock_expiration, held, priority, retries, suspended, topic_name, worker_id) values
  (id(01a20faa-f9a4-77d0-aace-abb9761f90a0), 1, null, null, 1795559192996, null, false, 0, null, false, 'mail', null);

insert into task_log (id, at, event, task_id, scope_id, execution_id, activity_id, activity_instance_id, topic_name, worker_id, priority, retries, error_message, error_details, definition_id, definition_key, tenant_id) values
  (id(01a20faa-f9a4-77ce-af63-5a1ce9e81034), 1795559192996, 1, id(01a20faa-f9a4-77d0-aace-abb9761f90a0), 'orders', id(01a20faa-f9a4-77d1-8899-672703e716c6), 'mailCustomer', '01a20faa-f9a4-77cd-9ad5-080a3924d58e', 'mail', null, 0, null, null, null, 'order:1:4711', 'order', null);

update task_log set definition_id = (select c.definition_id from scope c where c.id = task_log.scope_id),
 definition_key = (select c.definition_key from scope c where c.id = task_log.scope_id),
 tenant_id = (select c.tenant_id from scope c where c.id = task_log.scope_id);
