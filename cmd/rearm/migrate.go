package main

import (
	"context"
	"errors"
	"fmt"

	"rearm/db"
)

// migrate brings the schema up to date and says its version.
func migrate(ctx context.Context, p program, args []string) (err error) {
	c := defaults()
	if err := c.parse(p, c.flags("migrate", "database-url", "lock-time", "log-level", "log-format"), args); err != nil {
		return err
	}
	store, err := openStore(ctx, &c, db.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := waitFor(ctx, store, newLogger(p.stderr, &c)); err != nil {
		return err
	}
	version, err := store.Migrate(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s has schema version %d\n", masked(c.DatabaseURL), version)
	return err
}
