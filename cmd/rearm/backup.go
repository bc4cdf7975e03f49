package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"rearm/db"
)

// backup copies the SQLite database of the settings into a new file, also while a server has it open.
func backup(ctx context.Context, p program, args []string) error {
	c := defaults()
	set := c.flags("backup FILE", "database-url")
	if err := readFlags(p, set, args); err != nil {
		return err
	}
	if set.NArg() != 1 {
		return fmt.Errorf("%w: the name of the new file is needed", errConfig)
	}
	file := set.Arg(0)
	version, err := db.Backup(ctx, c.DatabaseURL, file)
	switch {
	case errors.Is(err, db.ErrURL), errors.Is(err, db.ErrBackup):
		return fmt.Errorf("%w: %w", errUnusable, err)
	case err != nil:
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is copied to %s: %d bytes, schema version %d\n", masked(c.DatabaseURL), file, info.Size(), version)
	return err
}
