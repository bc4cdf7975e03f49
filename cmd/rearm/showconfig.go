package main

import (
	"context"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"rearm/db"
)

// showConfig prints every setting of `rearm serve`, its value without secrets, and where that comes from: the flag, the environment
// variable, or the default. It opens nothing but the files that settings name; settings that cannot be right are errors, as for serve.
func showConfig(_ context.Context, p program, args []string) error {
	c := defaults()
	flags := c.flags("config")
	if err := c.parse(p, flags, args); err != nil {
		return err
	}
	if err := db.CheckURL(c.DatabaseURL); err != nil {
		return fmt.Errorf("%w: --database-url: %w", errConfig, err)
	}
	if _, err := c.newGuard(time.Now, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if _, err := newCertificates(c.TLS, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	flags.VisitAll(func(f *pflag.Flag) { fmt.Fprintf(w, "%s\t%s\t%s\n", f.Name, f.Value, p.sourceOf(f)) })
	return w.Flush()
}

// sourceOf tells where the value of a setting comes from.
func (p program) sourceOf(f *pflag.Flag) string {
	switch {
	case f.Changed:
		return "--" + f.Name
	case p.variable(f) != "":
		return variableOf(f)
	}
	return "default"
}
