// Package openapi holds the contract, written by hand: one YAML file for each resource, joined by merge into
// gen/openapi.yaml, from which everything in gen is generated. Change a YAML file, run `go generate ./...`, and
// the compiler lists what is left to do.
package openapi

//go:generate go run ./merge -o ../gen/openapi.yaml openapi.yaml batch.yaml engine.yaml incident.yaml job.yaml jobdefinition.yaml joblog.yaml jobwrite.yaml lock.yaml removal.yaml retries.yaml scope.yaml task.yaml tasklog.yaml
//go:generate go tool oapi-codegen -config ../oapi-codegen.yaml -generate models -o ../gen/models.gen.go ../gen/openapi.yaml
//go:generate go tool oapi-codegen -config ../oapi-codegen.yaml -generate echo-server,strict-server -o ../gen/server.gen.go ../gen/openapi.yaml
//go:generate go tool oapi-codegen -config ../oapi-codegen.yaml -generate client -o ../gen/client.gen.go ../gen/openapi.yaml
//go:generate go run ./merge -embed ../gen/document.gen.go
