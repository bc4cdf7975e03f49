-- Which request made a batch, for those who follow traces.

-- +goose Up

alter table batch add column trace {text};  -- the traceparent (W3C Trace Context) of the request; null: it was not traced

-- +goose Down
alter table batch drop column trace;
