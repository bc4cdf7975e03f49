package rest

import (
	"context"

	"rearm/gen"
)

// engines answers /engine and /version. version is that of the contract, not of the program.
type engines struct{ version string }

// GetProcessEngineNames lists the one engine that there is (contract-facts 9).
func (engines) GetProcessEngineNames(context.Context, gen.GetProcessEngineNamesRequestObject) (gen.GetProcessEngineNamesResponseObject, error) {
	return gen.GetProcessEngineNames200JSONResponse{{Name: "default"}}, nil
}

// GetRestAPIVersion tells the version of the contract.
func (h engines) GetRestAPIVersion(context.Context, gen.GetRestAPIVersionRequestObject) (gen.GetRestAPIVersionResponseObject, error) {
	return gen.GetRestAPIVersion200JSONResponse{Version: h.version}, nil
}
