-- Batches of callers who are bound to several tenants. They are no tenant's, and nobody's but the caller's own.

-- +goose Up

alter table batch add column owner {text};               -- the caller's name; null: the batch is its tenant's, or everybody's
alter table historic_batch add column owner {text};
alter table incident add column owner {text};            -- of a job: its batch's

-- +goose Down
alter table incident drop column owner;
alter table historic_batch drop column owner;
alter table batch drop column owner;
