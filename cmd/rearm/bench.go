package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"rearm/db"
)

// bench measures rearm beside the bare statements, on an empty database that the user names or a SQLite file that is thrown
// away. All is asked over HTTP of a node in this process, with its clients on the same machine. The table goes to stdout, the
// progress to stderr.
func bench(ctx context.Context, p program, args []string) error {
	c, tasks, markdown := defaults(), 100_000, false
	c.LogLevel, c.Listen, c.Audit = slog.LevelWarn, "127.0.0.1:0", false
	flags := c.flags("bench", "database-url", "lock-time", "log-level", "log-format")
	c.DatabaseURL = ""
	flags.Lookup("database-url").DefValue = "a SQLite file that is thrown away"
	flags.Var(count(&tasks, 1_000_000), "tasks", "how many tasks the largest but one batch has; the largest has ten times as many")
	flags.Var(toggle(&markdown), "markdown", "print the table as markdown")
	flags.Lookup("markdown").NoOptDefVal = "true"
	if err := c.parse(p, flags, args); err != nil {
		return err
	}
	if c.DatabaseURL != "" {
		return playBench(ctx, p, &c, tasks, markdown)
	}
	dir, err := os.MkdirTemp("", "rearm-bench-")
	if err != nil {
		return err
	}
	c.DatabaseURL = "sqlite:" + filepath.Join(dir, "bench.db")
	return errors.Join(playBench(ctx, p, &c, tasks, markdown), os.RemoveAll(dir))
}

// playBench runs a node, and the benchmark beside it.
func playBench(ctx context.Context, p program, c *Config, tasks int, markdown bool) error {
	n, err := newNode(ctx, c, newLogger(p.stderr, c))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { defer stop(); served <- n.run(ctx) }()
	measured := func() error {
		select {
		case <-n.ready:
			return measure(ctx, p, n, tasks, markdown)
		case <-ctx.Done():
			return ctx.Err()
		}
	}()
	if ctx.Err() != nil {
		measured = nil // it was stopped, or the node says what went wrong
	}
	stop()
	return errors.Join(measured, <-served)
}

// measure takes all measurements in turn and prints them.
func measure(ctx context.Context, p program, n *node, tasks int, markdown bool) error {
	if err := isEmpty(ctx, n.store); err != nil {
		return err
	}
	b, err := newBenchmark(ctx, n, max(1, tasks/10), tasks, 10*tasks)
	if err != nil {
		return err
	}
	defer b.bare.Close()
	steps := b.steps()
	shown := newBar(p.stderr, "steps")
	defer shown.end()
	for i, step := range steps {
		shown.show(int32(i), int32(len(steps))) //nolint:gosec // a few
		if err := step(ctx); err != nil {
			return err
		}
	}
	shown.show(int32(len(steps)), int32(len(steps))) //nolint:gosec // a few
	return b.table.print(p.stdout, markdown)
}

// isEmpty refuses a database that somebody uses.
func isEmpty(ctx context.Context, store *db.Store) error {
	tasks, err := store.CountTasks(ctx, &db.Filter{})
	if err != nil {
		return err
	}
	batches, err := store.CountHistoricBatches(ctx, &db.Filter{})
	if err == nil && tasks+batches > 0 {
		err = fmt.Errorf("%w: it has %d tasks and %d batches, and the benchmark needs one that is empty", errUnusable, tasks, batches)
	}
	return err
}
