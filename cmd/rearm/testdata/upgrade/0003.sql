-- More that came with version 3: a batch on jobs with a due date, one of whose jobs has failed for good, and a suspension to come.

insert into incident (id, type, state, configuration, scope_id, execution_id, activity_id, tenant_id, job_definition_id, create_time, end_time, removal_time, message, history_configuration, annotation) values
  (id(01a20faa-f992-74bd-83ec-62dc00000002), 'failedJob', 0, id(01a20faa-f992-74bd-83ec-62d100000000), null, null, null, null, id(01a20faa-f992-74bd-83ec-62d500000000), 1795559192986, null, null, 'ENGINE-13053 No job found with id ''nonexistent''.''', id(01a20faa-f992-74bd-83ec-62d800000002), null);

insert into batch (id, mark, type, retries, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, jobs_created, seed_runs, monitor_runs, failures, suspended, definition_suspended, priority_job, priority_seed, priority_monitor, start_time, execution_start_time, tenant_id, create_user_id, sets_due_date, due_date) values
  (id(01a20faa-f992-74bd-83ec-62d000000000), 7691695795921143341, 'set-job-retries', 2, 2, 2, 100, 1, 1000, 2, 1, 0, 3, false, 0, null, null, null, 1795559192978, null, null, null, true, 1767225600000);

insert into historic_batch (id, type, retries, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, start_time, execution_start_time, end_time, removal_time, tenant_id, create_user_id) values
  (id(01a20faa-f992-74bd-83ec-62d000000000), 'set-job-retries', 2, 2, 2, 100, 1, 1000, 1795559192978, null, null, null, null, null);

insert into batch_chunk (batch_id, no, ids) values
  (id(01a20faa-f992-74bd-83ec-62d000000000), 0, bytes(0000000000000000000000000000000001980000000070008000000100000000));

insert into batch_text (batch_id, item, id) values
  (id(01a20faa-f992-74bd-83ec-62d000000000), 0, 'nonexistent');

insert into job (batch_id, kind, first, n, retries, priority, suspended, due_date, create_time, exception_message, stacktrace) values
  (id(01a20faa-f992-74bd-83ec-62d000000000), 1, 0, 1, 0, 0, false, null, 1795559192980, 'ENGINE-13053 No job found with id ''nonexistent''.''', 'ENGINE-13053 No job found with id ''nonexistent''.'''),
  (id(01a20faa-f992-74bd-83ec-62d000000000), 1, 1, 1, 3, 0, false, null, 1795559192980, null, null),
  (id(01a20faa-f992-74bd-83ec-62d000000000), 3, 0, 1, 3, 0, false, null, 1795559192980, null, null);

insert into job_log (batch_id, kind, event, first, seq, n, at, retries, priority, due_date, host, outcome, n_set, n_same, n_gone, message, stacktrace) values
  (id(01a20faa-f992-74bd-83ec-62d000000000), 2, 1, 0, 0, 1, 1795559192978, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f992-74bd-83ec-62d000000000), 1, 1, 0, 0, 2, 1795559192980, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f992-74bd-83ec-62d000000000), 2, 3, 0, 0, 1, 1795559192980, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f992-74bd-83ec-62d000000000), 3, 1, 0, 0, 1, 1795559192980, 3, 0, null, 'west', null, 0, 0, 0, null, null),
  (id(01a20faa-f992-74bd-83ec-62d000000000), 1, 2, 0, 0, 1, 1795559192983, 3, 0, null, 'west', null, 0, 0, 0, 'ENGINE-13053 No job found with id ''nonexistent''.''', 'ENGINE-13053 No job found with id ''nonexistent''.'''),
  (id(01a20faa-f992-74bd-83ec-62d000000000), 1, 2, 0, 1, 1, 1795559192985, 2, 0, null, 'west', null, 0, 0, 0, 'ENGINE-13053 No job found with id ''nonexistent''.''', 'ENGINE-13053 No job found with id ''nonexistent''.'''),
  (id(01a20faa-f992-74bd-83ec-62d000000000), 1, 2, 0, 2, 1, 1795559192986, 1, 0, null, 'west', null, 0, 0, 0, 'ENGINE-13053 No job found with id ''nonexistent''.''', 'ENGINE-13053 No job found with id ''nonexistent''.''');

insert into definition_suspension (batch_id, at, id, kind, suspended, include_jobs) values
  (id(01a20faa-f992-74bd-83ec-62d000000000), 4070908800000, id(01a20faa-f99b-7b22-a561-44531d0ac4eb), 1, true, true);
