-- More that came with version 4: a batch that sets the removal time of another.

insert into batch (id, mark, type, retries, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, jobs_created, seed_runs, monitor_runs, failures, suspended, definition_suspended, priority_job, priority_seed, priority_monitor, start_time, execution_start_time, tenant_id, create_user_id, sets_due_date, due_date, removal_mode, removal_time) values
  (id(01a20faa-f99f-7cb5-89d9-b8e000000000), 7691699506242231182, 'batch-set-removal-time', null, 1, 1, 100, 1, 1000, 0, 0, 0, 0, false, 0, null, null, null, 1795559192991, null, null, null, false, null, 'absolute', 4070908800000);

insert into historic_batch (id, type, retries, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, start_time, execution_start_time, end_time, removal_time, tenant_id, create_user_id) values
  (id(01a20faa-f99f-7cb5-89d9-b8e000000000), 'batch-set-removal-time', null, 1, 1, 100, 1, 1000, 1795559192991, null, null, null, null, null);

insert into batch_chunk (batch_id, no, ids) values
  (id(01a20faa-f99f-7cb5-89d9-b8e000000000), 0, bytes(01a20faaf9827b0698e7501000000000));

insert into job (batch_id, kind, first, n, retries, priority, suspended, due_date, create_time, exception_message, stacktrace) values
  (id(01a20faa-f99f-7cb5-89d9-b8e000000000), 2, 0, 1, 3, 0, false, null, 1795559192991, null, null);

insert into job_log (batch_id, kind, event, first, seq, n, at, retries, priority, due_date, host, outcome, n_set, n_same, n_gone, message, stacktrace) values
  (id(01a20faa-f99f-7cb5-89d9-b8e000000000), 2, 1, 0, 0, 1, 1795559192991, 3, 0, null, 'west', null, 0, 0, 0, null, null);
