-- When history goes: batches that set the removal time of other batches, and what the clean-up looks for.

-- +goose Up

alter table batch add column removal_mode {text};        -- of batch-set-removal-time: absolute, cleared or calculated
alter table batch add column removal_time bigint;        -- the date of absolute

create index historic_batch_removal on historic_batch (removal_time) where removal_time is not null;
create index incident_job_definition on incident (job_definition_id) where job_definition_id is not null;

-- +goose Down
drop index incident_job_definition;
drop index historic_batch_removal;
alter table batch drop column removal_time;
alter table batch drop column removal_mode;
