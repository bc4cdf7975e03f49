-- The open incident of a task or a job has an index whose condition is its own. The indexes of all that is open say `state = 0`, and where
-- the database believes that they are empty, because none was open when it counted, it would rather read one of them through: a batch that
-- opens half a million incidents did so for every thousand.

-- +goose Up

drop index incident_open;
create unique index incident_open on incident (configuration) where end_time is null;

-- +goose Down
drop index incident_open;
create unique index incident_open on incident (configuration) where state = 0;
