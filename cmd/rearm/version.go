package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/pflag"

	"rearm/db"
)

// contractVersion is what GET /version answers: the version of the reference whose contract is spoken (contract-facts 9).
const contractVersion = "7.24.0"

// version prints what this program is.
func version(_ context.Context, p program, args []string) error {
	var none Config
	if err := none.parseNothing(p, "version", args); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "rearm %s (%s, %s/%s), contract %s, schema version %d\n", build(), runtime.Version(), runtime.GOOS, runtime.GOARCH,
		contractVersion, db.SchemaVersion())
	return err
}

// parseNothing refuses every flag but --help.
func (c *Config) parseNothing(p program, name string, args []string) error {
	*c = defaults()
	return c.parse(p, pflag.NewFlagSet(name, pflag.ContinueOnError), args)
}

// build names the version of the program that runs: its module's, or its commit's.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	if version == "" {
		version = "(devel)"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && version == "(devel)" {
			version += " " + s.Value
		}
	}
	return version
}
