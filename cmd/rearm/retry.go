package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"rearm/gen"
	"rearm/openapi/wire"
)

// retrying is what rearm retry is asked for.
type retrying struct {
	remote
	request  gen.SetRetriesForExternalTasksDto
	query    gen.ExternalTaskQueryDto
	retries  int
	all      bool
	ids      []string
	idsFile  string
	missing  string
	key      string
	watching bool
	asJSON   bool
	watcher  watcher
}

// retry makes a batch that sets the retries of many tasks, and watches it.
func retry(ctx context.Context, p program, args []string) error {
	r := &retrying{remote: newRemote(), watching: true, missing: string(gen.OnMissingFail), retries: -1}
	r.watcher = watcher{remote: &r.remote, out: p.stdout}
	set := r.flags()
	if err := r.connect(p, set, args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("%w: %q is no flag", errConfig, set.Arg(0))
	}
	if err := r.fill(); err != nil {
		return err
	}
	if r.asJSON {
		r.watcher.out = p.stderr
	}
	b, err := r.make(ctx)
	if err != nil || !r.watching {
		return errors.Join(err, r.told(p.stdout, b))
	}
	fmt.Fprintf(r.watcher.out, "batch    %s sets the retries of %s to %d, by %d jobs\n", b.ID, tasksOf(b), r.retries, b.TotalJobs)
	r.watcher.seen = true
	last, err := r.watcher.watch(ctx, b.ID)
	if err != nil {
		return err
	}
	return r.watcher.finish(p.stdout, last, r.asJSON)
}

// flags makes the flags of rearm retry.
func (r *retrying) flags() *pflag.FlagSet {
	set := r.remote.flags("retry")
	whole := func(s string) (int, error) {
		n, err := strconv.ParseInt(s, 10, 32)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%q is not a number from 0 to %d", s, math.MaxInt32)
		}
		return int(n), nil
	}
	set.Var(value[int]{&r.retries, "number", whole, strconv.Itoa}, "retries", "the retries that the tasks get; at 0 each raises an incident")
	set.Lookup("retries").DefValue = "" // there is none: it has to be said
	r.filters(set)
	toggled(set, &r.all, "all", "select every task, when nothing else is asked")
	set.Var(texts{&r.ids}, "id", "select this task, whatever the filters say; may come many times")
	set.Var(text(&r.idsFile, "file"), "ids-file", "select the tasks whose ids the lines of this file are; - is the standard input")
	set.Var(choice(&r.missing, string(gen.OnMissingFail), string(gen.OnMissingSkip)), "on-missing", "what to do when an id names no task: fail, or skip it")
	set.Var(text(&r.key, "text"), "idempotency-key", "a repeated command with the same key gives the same batch, not a second one; made up unless given")
	set.Var(toggle(&r.watching), "watch", "watch the batch until it has ended; without it the batch's id is all that is printed")
	set.Lookup("watch").NoOptDefVal = "true"
	r.watcher.flags(set)
	toggled(set, &r.asJSON, "json", "print what became of the batch as JSON, and the progress to stderr")
	return set
}

// fill makes the request out of the flags.
func (r *retrying) fill() error {
	if r.retries < 0 {
		return fmt.Errorf("%w: --retries is needed", errConfig)
	}
	if err := r.readIDs(); err != nil {
		return err
	}
	asked, named := !asksNothing(&r.query), len(r.ids) > 0
	switch {
	case r.all && (asked || named):
		return fmt.Errorf("%w: --all leaves no room for filters and ids", errConfig)
	case !asked && !named && !r.all:
		return fmt.Errorf("%w: say which tasks, by filters, --id or --ids-file; --all takes every one", errConfig)
	}
	r.request.Retries = int32(r.retries) //nolint:gosec // read as 32 bits
	if asked || r.all {
		r.request.ExternalTaskQuery.Set(r.query)
	}
	if named {
		r.request.ExternalTaskIds.Set(wire.NewIDs(r.ids...))
	}
	missing := gen.OnMissing(r.missing)
	r.request.OnMissing = &missing
	if r.key == "" {
		r.key = uuid.NewString()
	}
	return nil
}

// make asks for the batch. When an answer is lost it asks again, by the same key, so that there is one batch.
func (r *retrying) make(ctx context.Context) (b *gen.BatchDto, err error) {
	err = r.insist(ctx, func(err error) { fmt.Fprintf(r.watcher.out, "waiting  %s\n", oneLine(err)) }, func() error {
		res, err := r.client.SetExternalTaskRetriesAsyncOperationWithResponse(ctx, &gen.SetExternalTaskRetriesAsyncOperationParams{IdempotencyKey: &r.key}, r.request)
		if err := r.judge("make a batch", http.StatusOK, res, err); err != nil {
			return err
		}
		b = res.JSON200
		return nil
	})
	var told *answerError
	switch {
	case err == nil || r.absent(err):
		return b, err
	case errors.As(err, &told) && strings.HasPrefix(told.message, "Cannot find external tasks"):
		return nil, fmt.Errorf("%w; --on-missing skip goes on without these", err)
	case errors.Is(err, errRefused):
		return nil, err
	}
	return nil, fmt.Errorf("%w; nobody knows whether there is a batch now: the same command with --idempotency-key %s makes it, or finds it", err, r.key)
}

// tasksOf says how many tasks a batch is about; the contract tells it exactly only when each has a job of its own.
func tasksOf(b *gen.BatchDto) string {
	if b.InvocationsPerBatchJob == 1 {
		return fmt.Sprintf("%d tasks", b.TotalJobs)
	}
	return fmt.Sprintf("up to %d tasks", int64(b.TotalJobs)*int64(b.InvocationsPerBatchJob))
}

// told prints a batch that nobody watches: its id, or the contract's answer. Without a batch there is nothing to print.
func (r *retrying) told(w io.Writer, b *gen.BatchDto) error {
	switch {
	case b == nil:
		return nil
	case r.asJSON:
		return printJSON(w, b)
	}
	_, err := fmt.Fprintln(w, b.ID)
	return err
}
