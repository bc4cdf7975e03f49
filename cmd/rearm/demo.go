package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"rearm/db"
	"rearm/impl/engine"
)

// demo serves a database that is thrown away, lets 1,000 tasks fail, retries them in bulk and shows what became of them. It
// goes on serving until ctx ends, or with --once ends by itself.
func demo(ctx context.Context, p program, args []string) error {
	c, tasks, once := defaults(), 1000, false
	c.LogLevel, c.Audit = slog.LevelWarn, false
	flags := c.flags("demo", "listen", "batch-jobs-per-seed", "invocations-per-batch-job", "log-level", "log-format")
	flags.Var(count(&tasks, 10_000_000), "tasks", "how many tasks fail")
	flags.Var(toggle(&once), "once", "end after the batch instead of serving on")
	flags.Lookup("once").NoOptDefVal = "true"
	if err := c.parse(p, flags, args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rearm-demo-")
	if err != nil {
		return err
	}
	c.DatabaseURL = "sqlite:" + filepath.Join(dir, "demo.db")
	return errors.Join(playDemo(ctx, p, &c, tasks, once), os.RemoveAll(dir))
}

// playDemo runs a node, and the story beside it. When the story fails, or has been told once, the node stops.
func playDemo(ctx context.Context, p program, c *Config, tasks int, once bool) error {
	n, err := demoNode(ctx, p, c)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { defer stop(); served <- n.run(ctx) }()
	told := func() error {
		select {
		case <-n.ready:
			return tell(ctx, p.stdout, n, tasks, once)
		case <-ctx.Done():
			return ctx.Err()
		}
	}()
	if told == nil && !once {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		told = nil // it was stopped, or the node says what went wrong
	}
	stop()
	return errors.Join(told, <-served)
}

// demoNode makes the node, at another address when the default one is taken: nobody has asked for just that one.
func demoNode(ctx context.Context, p program, c *Config) (*node, error) {
	log := newLogger(p.stderr, c)
	n, err := newNode(ctx, c, log)
	var taken *net.OpError
	if c.Listen == defaults().Listen && errors.As(err, &taken) && taken.Op == "listen" {
		c.Listen = "127.0.0.1:0"
		return newNode(ctx, c, log)
	}
	return n, err
}

// tell tells the story on w: the tasks fail, one request retries them, and all is well again. Unless that was all, it ends with
// what to try now.
func tell(ctx context.Context, w io.Writer, n *node, tasks int, once bool) error {
	t, err := newTroupe(n.url())
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "rearm serves on %s, API reference at %s/docs\n\n", n.url(), n.url())
	if err := tellFailures(ctx, w, t, tasks); err != nil {
		return err
	}
	batch, err := tellRetry(ctx, w, t, n.engine)
	if err != nil || once {
		return err
	}
	fmt.Fprint(w, "\nTry:\n")
	for _, path := range []string{"/history/batch/" + batch, "/external-task?topicName=" + demoTopic + "&maxResults=2", "/history/incident?maxResults=2"} {
		fmt.Fprintf(w, "  curl -s '%s%s'\n", t.api, path)
	}
	fmt.Fprint(w, "\nrearm serves on until ctrl-C.\n")
	return nil
}

// tellFailures makes tasks and lets them all fail.
func tellFailures(ctx context.Context, w io.Writer, t *troupe, tasks int) error {
	start := time.Now()
	if err := t.create(ctx, tasks); err != nil {
		return err
	}
	fmt.Fprintf(w, "created  %d external tasks on the topic %q in %s\n", tasks, demoTopic, since(start))
	start = time.Now()
	failed, err := t.failAll(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "failed   %d of them: a worker reported a failure with no retries left, in %s\n", failed, since(start))
	return t.sayIncidents(ctx, w)
}

// tellRetry retries what has failed, shows the batch until it has ended, and what became of its items. These are asked of the
// engine, since the contract does not tell them yet.
func tellRetry(ctx context.Context, w io.Writer, t *troupe, e *engine.Engine) (batch string, err error) {
	fmt.Fprintf(w, "\nPOST %s/external-task/retries-async\n     %s\n", t.api, demoRetry)
	start := time.Now()
	if batch, err = t.retryAll(ctx); err != nil {
		return "", err
	}
	if err := t.watch(ctx, w, batch); err != nil {
		return "", err
	}
	fmt.Fprintf(w, "ended    batch %s after %s\n", batch, since(start))
	o, err := e.BatchOutcomes(ctx, db.Caller{}, batch)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(w, "items    %d set, %d unchanged, %d gone, %d skipped, %d failed, %d pending\n", o.Set, o.Unchanged, o.Gone, o.Skipped, o.Failed, o.Pending)
	return batch, t.sayIncidents(ctx, w)
}

// since gives the time from start on, short enough to read.
func since(start time.Time) time.Duration { return time.Since(start).Round(time.Millisecond) }
