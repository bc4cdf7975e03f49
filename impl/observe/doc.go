// Package observe lets a node be seen from outside: it counts for Prometheus, traces by OpenTelemetry, and adds to the log who asked
// for what. An Observer hears of requests from impl/contract and of deeds from impl/engine, and never asks; only what the database
// has at the moment is looked up, at most every 15 s, when somebody reads the metrics.
//
// Every label has few values: operationIds of the document, status codes, types of batches and words of this package. Ids, topics,
// workers and callers are never labels; ids and callers stand in the log.
package observe
