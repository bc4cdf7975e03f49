-- What a program of schema version 1 left behind, row by row: tasks that wait, are locked, have failed; ended and cancelled process
-- instances; a batch of which one job of four has run, one that has ended, one that has not begun, and one that is suspended.
-- id(...) and bytes(...) are written as each database wants them.

insert into scope (id, business_key, definition_id, definition_key, version_tag, tenant_id, suspended, tasks, start_time, end_time, cancelled, removal_time) values
  ('cancelled', null, null, null, null, null, false, 0, 1795559192931, 1795559192961, true, 4070908800000),
  ('done', null, 'order:1:4711', 'order', null, 'north', false, 0, 1795559192940, 1795559192944, false, 4070908800000),
  ('old', null, 'order:1:4711', 'order', null, 'north', false, 0, 1795559192944, 1795559192952, false, 1795559192953),
  ('orders', 'order 17', 'order:1:4711', 'order', 'v1', null, false, 4, 1795559192925, null, false, null),
  ('reports', null, null, null, null, null, false, 4, 1795559192932, null, false, null);

insert into external_task (id, scope_id, execution_id, activity_id, activity_instance_id, error_message, error_details, failure_log_id, extension_properties) values
  (id(01a20faa-f95d-7c9c-b5a7-e7fa78b00129), 'orders', id(01a20faa-f95d-7c9d-aeb5-98aae9f1c1c3), 'mailCustomer', '01a20faa-f95d-7c9a-8a73-0e00c964b0ef', null, null, null, '{"color":"blue"}'),
  (id(01a20faa-f95f-7722-840a-3e9371344b3e), 'orders', id(01a20faa-f95f-7723-a1f3-2632f5666b5d), 'mailCustomer', '01a20faa-f95f-7720-b92b-d2ddec092f39', 'no route to host', 'at Mail.java:17', id(01a20faa-f968-7616-ae2d-eef7446183d6), null),
  (id(01a20faa-f960-7b37-b7b1-f4040128c7e1), 'orders', id(01a20faa-f960-7b38-a65a-ca02ce4a75a1), 'mailCustomer', '01a20faa-f960-7b35-bac3-34177d2a310d', 'no route to host', null, id(01a20faa-f96a-7ba8-bd75-3201cacc36a4), null),
  (id(01a20faa-f962-7734-9f01-e9184987ab38), 'orders', id(01a20faa-f962-7735-86a4-59ee0bbb9244), 'mailCustomer', '01a20faa-f962-7731-9ce1-3937760feabb', null, null, null, null),
  (id(01a20faa-f964-7372-8402-0f7592bf2ba1), 'reports', id(01a20faa-f964-7373-a791-949587a2f2a1), null, '01a20faa-f964-7370-b427-cd17c6ad5296', null, null, null, null),
  (id(01a20faa-f965-749c-83eb-38c6cb357cd3), 'reports', id(01a20faa-f965-749d-ac2b-e6a10680946d), null, '01a20faa-f965-749a-8efa-85bc214beeba', null, null, null, null),
  (id(01a20faa-f966-73c4-85f0-945cccff5af0), 'reports', id(01a20faa-f966-73c5-aca3-060090349381), null, '01a20faa-f966-73c1-ad3f-5de0e58aa956', null, null, null, null),
  (id(01a20faa-f979-799f-8bee-92ce6c1c72fa), 'reports', id(01a20faa-f979-79a0-b7ac-1bc34eb67d5e), null, '01a20faa-f979-799d-8069-79e35011af6a', null, null, null, null);

insert into external_task_state (id, rev, set_by, was, create_time, lock_expiration, held, priority, retries, suspended, topic_name, worker_id) values
  (id(01a20faa-f95d-7c9c-b5a7-e7fa78b00129), 2, 7691691505874793729, null, 1795559192925, null, false, 5, 4, false, 'mail', null),
  (id(01a20faa-f95f-7722-840a-3e9371344b3e), 4, 7691689511194746294, 0, 1795559192927, 1795559192936, false, 0, 3, false, 'mail', 'w1'),
  (id(01a20faa-f960-7b37-b7b1-f4040128c7e1), 3, null, null, 1795559192928, 1795559192938, false, 0, 0, false, 'mail', 'w1'),
  (id(01a20faa-f962-7734-9f01-e9184987ab38), 2, null, null, 1795559192930, 1795559193939, true, 0, null, false, 'lock', 'w2'),
  (id(01a20faa-f964-7372-8402-0f7592bf2ba1), 1, null, null, 1795559192932, null, false, 0, 0, false, 'report', null),
  (id(01a20faa-f965-749c-83eb-38c6cb357cd3), 1, null, null, 1795559192933, null, false, 0, 1, false, 'report', null),
  (id(01a20faa-f966-73c4-85f0-945cccff5af0), 1, null, null, 1795559192934, null, false, 0, 2, false, 'report', null),
  (id(01a20faa-f979-799f-8bee-92ce6c1c72fa), 1, null, null, 1795559192953, null, false, 0, 0, false, 'report', null);

insert into variable (scope_id, task_id, name, type, text_value, long_value, double_value, value, value_info) values
  ('orders', id(00000000-0000-0000-0000-000000000000), 'bill', 'File', null, null, null, '"aGVsbG8="', '{"filename":"bill.txt","mimeType":"text/plain"}'),
  ('orders', id(00000000-0000-0000-0000-000000000000), 'lines', 'Json', null, null, null, '"[1,2]"', '{}'),
  ('orders', id(00000000-0000-0000-0000-000000000000), 'to', 'String', 'ann@example.org', null, null, null, '{}'),
  ('orders', id(00000000-0000-0000-0000-000000000000), 'total', 'Double', null, null, 12.5, '12.5', '{}'),
  ('done', id(00000000-0000-0000-0000-000000000000), 'n', 'Long', null, 7, null, '7', '{}'),
  ('done', id(00000000-0000-0000-0000-000000000000), 'ok', 'Boolean', null, 1, null, 'true', '{}'),
  ('old', id(00000000-0000-0000-0000-000000000000), 'n', 'Long', null, 7, null, '7', '{}'),
  ('old', id(00000000-0000-0000-0000-000000000000), 'ok', 'Boolean', null, 1, null, 'true', '{}');

insert into task_log (id, at, event, task_id, scope_id, execution_id, activity_id, activity_instance_id, topic_name, worker_id, priority, retries, error_message, error_details) values
  (id(01a20faa-f95d-7c9b-959e-90e803f23cda), 1795559192925, 1, id(01a20faa-f95d-7c9c-b5a7-e7fa78b00129), 'orders', id(01a20faa-f95d-7c9d-aeb5-98aae9f1c1c3), 'mailCustomer', '01a20faa-f95d-7c9a-8a73-0e00c964b0ef', 'mail', null, 5, null, null, null),
  (id(01a20faa-f95f-7721-b840-ea2254f411a5), 1795559192927, 1, id(01a20faa-f95f-7722-840a-3e9371344b3e), 'orders', id(01a20faa-f95f-7723-a1f3-2632f5666b5d), 'mailCustomer', '01a20faa-f95f-7720-b92b-d2ddec092f39', 'mail', null, 0, null, null, null),
  (id(01a20faa-f960-7b36-b398-74633aea775a), 1795559192928, 1, id(01a20faa-f960-7b37-b7b1-f4040128c7e1), 'orders', id(01a20faa-f960-7b38-a65a-ca02ce4a75a1), 'mailCustomer', '01a20faa-f960-7b35-bac3-34177d2a310d', 'mail', null, 0, null, null, null),
  (id(01a20faa-f962-7733-a7d0-1618445a5b6e), 1795559192930, 1, id(01a20faa-f962-7734-9f01-e9184987ab38), 'orders', id(01a20faa-f962-7735-86a4-59ee0bbb9244), 'mailCustomer', '01a20faa-f962-7731-9ce1-3937760feabb', 'lock', null, 0, null, null, null),
  (id(01a20faa-f963-76c3-b412-67d119da276c), 1795559192931, 1, id(01a20faa-f963-76c4-aae8-d04d2b0e9e3e), 'cancelled', id(01a20faa-f963-76c5-8395-8442c079c56b), null, '01a20faa-f963-76c2-925f-6d1a28970696', 'gone', null, 0, null, null, null),
  (id(01a20faa-f964-7371-9c96-00d2140b439b), 1795559192932, 1, id(01a20faa-f964-7372-8402-0f7592bf2ba1), 'reports', id(01a20faa-f964-7373-a791-949587a2f2a1), null, '01a20faa-f964-7370-b427-cd17c6ad5296', 'report', null, 0, 0, null, null),
  (id(01a20faa-f965-749b-a598-1cfe7b6f9f63), 1795559192933, 1, id(01a20faa-f965-749c-83eb-38c6cb357cd3), 'reports', id(01a20faa-f965-749d-ac2b-e6a10680946d), null, '01a20faa-f965-749a-8efa-85bc214beeba', 'report', null, 0, 1, null, null),
  (id(01a20faa-f966-73c3-8dfe-11e8702293a3), 1795559192934, 1, id(01a20faa-f966-73c4-85f0-945cccff5af0), 'reports', id(01a20faa-f966-73c5-aca3-060090349381), null, '01a20faa-f966-73c1-ad3f-5de0e58aa956', 'report', null, 0, 2, null, null),
  (id(01a20faa-f968-7616-ae2d-eef7446183d6), 1795559192936, 2, id(01a20faa-f95f-7722-840a-3e9371344b3e), 'orders', id(01a20faa-f95f-7723-a1f3-2632f5666b5d), 'mailCustomer', '01a20faa-f95f-7720-b92b-d2ddec092f39', 'mail', 'w1', 0, null, 'no route to host', 'at Mail.java:17'),
  (id(01a20faa-f96a-7ba8-bd75-3201cacc36a4), 1795559192938, 2, id(01a20faa-f960-7b37-b7b1-f4040128c7e1), 'orders', id(01a20faa-f960-7b38-a65a-ca02ce4a75a1), 'mailCustomer', '01a20faa-f960-7b35-bac3-34177d2a310d', 'mail', 'w1', 0, null, 'no route to host', null),
  (id(01a20faa-f96c-746a-85fc-88d694b1fe0c), 1795559192940, 1, id(01a20faa-f96c-746b-b7be-44d738c4d8f5), 'done', id(01a20faa-f96c-746c-80f8-96fda6aceef1), null, '01a20faa-f96c-7469-8e32-a58256a802b4', 'mail', null, 0, null, null, null),
  (id(01a20faa-f96e-70ee-a325-358c5ff0a8d1), 1795559192942, 2, id(01a20faa-f96c-746b-b7be-44d738c4d8f5), 'done', id(01a20faa-f96c-746c-80f8-96fda6aceef1), null, '01a20faa-f96c-7469-8e32-a58256a802b4', 'mail', 'w1', 0, null, 'try again', null),
  (id(01a20faa-f970-70aa-9d86-f1cbb4789ac2), 1795559192944, 3, id(01a20faa-f96c-746b-b7be-44d738c4d8f5), 'done', id(01a20faa-f96c-746c-80f8-96fda6aceef1), null, '01a20faa-f96c-7469-8e32-a58256a802b4', 'mail', 'w1', 0, 1, null, null),
  (id(01a20faa-f970-7c03-8c0b-025e4306efad), 1795559192944, 1, id(01a20faa-f970-7c04-bc05-0876718b7868), 'old', id(01a20faa-f970-7c05-9822-89ab498e5838), null, '01a20faa-f970-7c02-b13e-fb5776a1c083', 'mail', null, 0, null, null, null),
  (id(01a20faa-f972-75ae-8bfd-3644f56fc5b0), 1795559192946, 2, id(01a20faa-f970-7c04-bc05-0876718b7868), 'old', id(01a20faa-f970-7c05-9822-89ab498e5838), null, '01a20faa-f970-7c02-b13e-fb5776a1c083', 'mail', 'w1', 0, null, 'try again', null),
  (id(01a20faa-f973-7af3-97b7-3c33f6550be2), 1795559192947, 2, id(01a20faa-f970-7c04-bc05-0876718b7868), 'old', id(01a20faa-f970-7c05-9822-89ab498e5838), null, '01a20faa-f970-7c02-b13e-fb5776a1c083', 'mail', 'w1', 0, 1, 'no more', null),
  (id(01a20faa-f978-7d0c-9e01-3013bc754d4b), 1795559192952, 3, id(01a20faa-f970-7c04-bc05-0876718b7868), 'old', id(01a20faa-f970-7c05-9822-89ab498e5838), null, '01a20faa-f970-7c02-b13e-fb5776a1c083', 'mail', 'w1', 0, 1, null, null),
  (id(01a20faa-f979-799e-8847-274c42813e52), 1795559192953, 1, id(01a20faa-f979-799f-8bee-92ce6c1c72fa), 'reports', id(01a20faa-f979-79a0-b7ac-1bc34eb67d5e), null, '01a20faa-f979-799d-8069-79e35011af6a', 'report', null, 0, 0, null, null),
  (id(01a20faa-f981-7d97-b476-57a4cbc8e3fb), 1795559192961, 4, id(01a20faa-f963-76c4-aae8-d04d2b0e9e3e), 'cancelled', id(01a20faa-f963-76c5-8395-8442c079c56b), null, '01a20faa-f963-76c2-925f-6d1a28970696', 'gone', null, 0, null, null, null);

insert into incident (id, type, state, configuration, scope_id, execution_id, activity_id, tenant_id, job_definition_id, create_time, end_time, removal_time, message, history_configuration, annotation) values
  (id(01a20faa-f964-76e0-acbc-86fe94cc6ee3), 'failedExternalTask', 0, id(01a20faa-f964-7372-8402-0f7592bf2ba1), 'reports', id(01a20faa-f964-7373-a791-949587a2f2a1), null, null, null, 1795559192932, null, null, null, null, null),
  (id(01a20faa-f968-7618-8547-6d2ec31ed669), 'failedExternalTask', 1, id(01a20faa-f95f-7722-840a-3e9371344b3e), 'orders', id(01a20faa-f95f-7723-a1f3-2632f5666b5d), 'mailCustomer', null, null, 1795559192936, 1795559192960, null, 'no route to host', id(01a20faa-f968-7616-ae2d-eef7446183d6), null),
  (id(01a20faa-f96a-7ba9-bab1-4178a06f09e9), 'failedExternalTask', 0, id(01a20faa-f960-7b37-b7b1-f4040128c7e1), 'orders', id(01a20faa-f960-7b38-a65a-ca02ce4a75a1), 'mailCustomer', null, null, 1795559192938, null, null, 'no route to host', id(01a20faa-f96a-7ba8-bd75-3201cacc36a4), null),
  (id(01a20faa-f973-7af4-bb47-1291276fe74b), 'failedExternalTask', 1, id(01a20faa-f970-7c04-bc05-0876718b7868), 'old', id(01a20faa-f970-7c05-9822-89ab498e5838), null, 'north', null, 1795559192947, 1795559192948, null, 'no more', id(01a20faa-f973-7af3-97b7-3c33f6550be2), null),
  (id(01a20faa-f97a-755e-87cf-6ee203542a07), 'failedExternalTask', 0, id(01a20faa-f979-799f-8bee-92ce6c1c72fa), 'reports', id(01a20faa-f979-79a0-b7ac-1bc34eb67d5e), null, null, null, 1795559192953, null, null, null, null, null);

insert into batch (id, mark, type, retries, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, jobs_created, seed_runs, monitor_runs, failures, suspended, definition_suspended, priority_job, priority_seed, priority_monitor, start_time, execution_start_time, tenant_id, create_user_id) values
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 7691689511194746294, 'set-external-task-retries', 3, 4, 4, 100, 1, 1000, 4, 1, 0, 0, false, 0, null, null, null, 1795559192955, 1795559192960, null, null),
  (id(01a20faa-f98b-7a1c-b3ba-b57000000000), 7691693964100610903, 'set-external-task-retries', 6, 4, 4, 100, 1, 1000, 0, 0, 0, 0, false, 0, null, null, null, 1795559192971, null, null, null),
  (id(01a20faa-f98c-79d5-8ae6-590000000000), 7691694234170975632, 'set-external-task-retries', 7, 4, 4, 100, 1, 1000, 0, 0, 0, 0, true, 7, null, null, null, 1795559192972, null, null, null);

insert into historic_batch (id, type, retries, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, start_time, execution_start_time, end_time, removal_time, tenant_id, create_user_id) values
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 'set-external-task-retries', 3, 4, 4, 100, 1, 1000, 1795559192955, 1795559192960, null, null, null, null),
  (id(01a20faa-f982-7b06-98e7-501000000000), 'set-external-task-retries', 4, 1, 1, 100, 1, 1000, 1795559192962, 1795559192967, 1795559192970, null, null, null),
  (id(01a20faa-f98b-7a1c-b3ba-b57000000000), 'set-external-task-retries', 6, 4, 4, 100, 1, 1000, 1795559192971, null, null, null, null, null),
  (id(01a20faa-f98c-79d5-8ae6-590000000000), 'set-external-task-retries', 7, 4, 4, 100, 1, 1000, 1795559192972, null, null, null, null, null);

insert into batch_chunk (batch_id, no, ids) values
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 0, bytes(0000000000000000000000000000000001a20faaf95f7722840a3e9371344b3e01a20faaf9607b37b7b1f4040128c7e101a20faaf96376c4aae8d04d2b0e9e3e)),
  (id(01a20faa-f982-7b06-98e7-501000000000), 0, bytes(01a20faaf95d7c9cb5a7e7fa78b00129)),
  (id(01a20faa-f98b-7a1c-b3ba-b57000000000), 0, bytes(01a20faaf964737284020f7592bf2ba101a20faaf965749c83eb38c6cb357cd301a20faaf96673c485f0945cccff5af001a20faaf979799f8bee92ce6c1c72fa)),
  (id(01a20faa-f98c-79d5-8ae6-590000000000), 0, bytes(01a20faaf964737284020f7592bf2ba101a20faaf965749c83eb38c6cb357cd301a20faaf96673c485f0945cccff5af001a20faaf979799f8bee92ce6c1c72fa));

insert into batch_text (batch_id, item, id) values
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 0, 'no uuid');

insert into job (batch_id, kind, first, n, retries, priority, suspended, due_date, create_time, exception_message, stacktrace) values
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 1, 0, 1, 3, 0, false, null, 1795559192958, null, null),
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 1, 2, 2, 3, 0, false, null, 1795559192958, null, null),
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 3, 0, 1, 3, 0, false, null, 1795559192958, null, null),
  (id(01a20faa-f98b-7a1c-b3ba-b57000000000), 2, 0, 1, 3, 0, false, null, 1795559192971, null, null),
  (id(01a20faa-f98c-79d5-8ae6-590000000000), 2, 0, 1, 3, 0, true, null, 1795559192972, null, null);

insert into job_log (batch_id, kind, event, first, seq, n, at, retries, priority, due_date, host, outcome, n_set, n_same, n_gone, message, stacktrace) values
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 2, 1, 0, 0, 1, 1795559192955, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 1, 1, 0, 0, 4, 1795559192958, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 2, 3, 0, 0, 1, 1795559192958, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 3, 1, 0, 0, 1, 1795559192958, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f97b-76eb-95c5-db6000000000), 1, 3, 1, 0, 1, 1795559192960, 3, 0, null, 'west', bytes(02), 1, 0, 0, null, null),
  (id(01a20faa-f982-7b06-98e7-501000000000), 2, 1, 0, 0, 1, 1795559192962, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f982-7b06-98e7-501000000000), 1, 1, 0, 0, 1, 1795559192965, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f982-7b06-98e7-501000000000), 2, 3, 0, 0, 1, 1795559192965, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f982-7b06-98e7-501000000000), 3, 1, 0, 0, 1, 1795559192965, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f982-7b06-98e7-501000000000), 1, 3, 0, 0, 1, 1795559192967, 3, 0, null, 'west', bytes(01), 1, 0, 0, null, null),
  (id(01a20faa-f982-7b06-98e7-501000000000), 3, 3, 0, 0, 1, 1795559192970, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f98b-7a1c-b3ba-b57000000000), 2, 1, 0, 0, 1, 1795559192971, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f98c-79d5-8ae6-590000000000), 2, 1, 0, 0, 1, 1795559192972, 3, 0, null, 'west', null, 0, 0, 0, null, null);

insert into idempotency (caller, name, hash, answer, create_time) values
  ('', 'once', bytes(e64101a7f451214d6b6f9efd408699c0d62f1d7aeb5e931688128fe46d9fe374), '{"ID":[1,162,15,170,249,121,121,159,139,238,146,206,108,28,114,250],"TopicName":"report","Priority":0,"Retries":0,"WorkerID":null,"LockExpiration":null,"Suspended":false,"CreateTime":1795559192953,"ExecutionID":[1,162,15,170,249,121,121,160,183,172,27,195,78,182,125,94],"ActivityID":null,"ActivityInstanceID":"01a20faa-f979-799d-8069-79e35011af6a","ErrorMessage":null,"ScopeID":"reports","BusinessKey":null,"DefinitionID":null,"DefinitionKey":null,"VersionTag":null,"TenantID":null}', 1795559192953);
