package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/oapi-codegen/nullable"
	"github.com/spf13/pflag"

	"rearm/gen"
)

// batchCommand is one of the things that rearm batch does.
type batchCommand struct {
	name, summary string
	run           func(ctx context.Context, p program, args []string) error
}

func batchCommands() []batchCommand {
	return []batchCommand{
		{"list", "the batches that run, the latest first; with --ended those that have ended", batchList},
		{"show ID", "how a batch is, also one that has ended", batchShow},
		{"watch ID", "show how far a batch is until it has ended", batchWatch},
		{"suspend ID...", "keep batches from going on", suspending("suspend", true)},
		{"activate ID...", "let suspended batches go on", suspending("activate", false)},
		{"delete ID...", "end batches; what they have done stays done", batchDelete},
	}
}

// batch does what its first argument says to the batches of a running server.
func batch(ctx context.Context, p program, args []string) error {
	if len(args) > 0 {
		for _, c := range batchCommands() {
			if name, _, _ := strings.Cut(c.name, " "); name == args[0] {
				return c.run(ctx, p, args[1:])
			}
		}
	}
	if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
		batchUsage(p.stdout)
		return pflag.ErrHelp
	}
	batchUsage(p.stderr)
	if len(args) == 0 {
		return fmt.Errorf("%w: say what to do", errConfig)
	}
	return fmt.Errorf("%w: there is no command %q", errConfig, args[0])
}

func batchUsage(w io.Writer) {
	fmt.Fprint(w, "Usage: rearm batch COMMAND [flags]\n\n")
	for _, c := range batchCommands() {
		fmt.Fprintf(w, "  %-16s%s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\nrearm batch COMMAND --help lists a command's flags.\n\n")
}

// toggled adds a flag that needs no value.
func toggled(set *pflag.FlagSet, at *bool, name, usage string) {
	set.VarPF(toggle(at), name, "", usage).NoOptDefVal = "true"
}

// oneID gives the only argument that is no flag.
func oneID(set *pflag.FlagSet) (string, error) {
	if set.NArg() != 1 {
		return "", fmt.Errorf("%w: the id of one batch is needed", errConfig)
	}
	return set.Arg(0), nil
}

// listing is what rearm batch list is asked for.
type listing struct {
	remote
	ended, suspended, failed, asJSON bool
	batchType                        string
	most                             int
}

func batchList(ctx context.Context, p program, args []string) error {
	l := listing{remote: newRemote(), most: 50}
	set := l.flags("batch list")
	toggled(set, &l.ended, "ended", "list those that have ended, not those that run")
	toggled(set, &l.suspended, "suspended", "only suspended ones")
	toggled(set, &l.failed, "failed", "only those that have a job without retries left")
	set.Var(text(&l.batchType, "word"), "type", "only this type, such as set-external-task-retries")
	set.Var(count(&l.most, 1<<30), "max", "how many at most")
	toggled(set, &l.asJSON, "json", "print the contract's own answer")
	if err := l.connect(p, set, args); err != nil {
		return err
	}
	switch {
	case set.NArg() > 0:
		return fmt.Errorf("%w: %q is no flag", errConfig, set.Arg(0))
	case l.ended && (l.suspended || l.failed):
		return fmt.Errorf("%w: a batch that has ended is neither suspended nor failed", errConfig)
	case l.ended:
		return l.printEnded(ctx, p.stdout)
	}
	return l.printRunning(ctx, p.stdout)
}

// given gives a filter that is not set unless it says something.
func given[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func (l *listing) printRunning(ctx context.Context, w io.Writer) error {
	res, err := l.client.GetBatchStatisticsWithResponse(ctx, &gen.GetBatchStatisticsParams{
		Type: given(l.batchType), Suspended: given(l.suspended), WithFailures: given(l.failed), MaxResults: &l.most,
		SortBy: given(gen.BatchStatisticsSortByStartTime), SortOrder: given(gen.SortOrderDesc),
	})
	if err := l.judge("list batches", http.StatusOK, res, err); err != nil {
		return err
	}
	if l.asJSON {
		return printJSON(w, res.JSON200)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tTYPE\tSTATE\tDONE\tJOBS\tFAILED\tSTARTED\tBY")
	for i := range *res.JSON200 {
		b := &(*res.JSON200)[i]
		state := stateRunning
		if b.Suspended {
			state = stateSuspended
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\n", b.ID, b.Type, state, b.CompletedJobs, b.TotalJobs, b.FailedJobs, moment(b.StartTime), creator(b.CreateUserID))
	}
	return table.Flush()
}

func (l *listing) printEnded(ctx context.Context, w io.Writer) error {
	res, err := l.client.GetHistoricBatchesWithResponse(ctx, &gen.GetHistoricBatchesParams{
		Type: given(l.batchType), Completed: given(true), MaxResults: &l.most,
		SortBy: given(gen.HistoricBatchSortByEndTime), SortOrder: given(gen.SortOrderDesc),
	})
	if err := l.judge("list batches", http.StatusOK, res, err); err != nil {
		return err
	}
	if l.asJSON {
		return printJSON(w, res.JSON200)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tTYPE\tJOBS\tSTARTED\tENDED\tBY")
	for i := range *res.JSON200 {
		b := &(*res.JSON200)[i]
		end, _ := b.EndTime.Get()
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", b.ID, b.Type, b.TotalJobs, moment(b.StartTime), moment(end), creator(b.CreateUserID))
	}
	return table.Flush()
}

// creator gives who has made a batch, or a dash.
func creator(user nullable.Nullable[string]) string {
	name, _ := user.Get()
	return cmp.Or(name, "-")
}

func batchShow(ctx context.Context, p program, args []string) error {
	r, asJSON := newRemote(), false
	set := r.flags("batch show ID")
	toggled(set, &asJSON, "json", "print JSON")
	if err := r.connect(p, set, args); err != nil {
		return err
	}
	id, err := oneID(set)
	if err != nil {
		return err
	}
	b, err := r.report(ctx, id)
	if err != nil {
		return err
	}
	return b.print(p.stdout, asJSON)
}

func batchWatch(ctx context.Context, p program, args []string) error {
	r, asJSON := newRemote(), false
	w := watcher{remote: &r, out: p.stdout}
	set := r.flags("batch watch ID")
	w.flags(set)
	toggled(set, &asJSON, "json", "print what became of it as JSON, and the progress to stderr")
	if err := r.connect(p, set, args); err != nil {
		return err
	}
	id, err := oneID(set)
	if err != nil {
		return err
	}
	if asJSON {
		w.out = p.stderr
	}
	last, err := w.watch(ctx, id)
	if err != nil {
		return err
	}
	return w.finish(p.stdout, last, asJSON)
}

// each does something to every batch that args name, and says so. The first that cannot be done ends it.
func (r *remote) each(p program, set *pflag.FlagSet, args []string, done string, do func(id string) error) error {
	if err := r.connect(p, set, args); err != nil {
		return err
	}
	if set.NArg() == 0 {
		return fmt.Errorf("%w: the id of a batch is needed", errConfig)
	}
	for _, id := range set.Args() {
		if err := do(id); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.stdout, "%s %s\n", id, done); err != nil {
			return err
		}
	}
	return nil
}

// suspending makes the command that suspends batches, or activates them.
func suspending(word string, suspended bool) func(context.Context, program, []string) error {
	done := map[bool]string{true: "is suspended", false: "is active"}[suspended]
	return func(ctx context.Context, p program, args []string) error {
		r := newRemote()
		return r.each(p, r.flags("batch "+word+" ID..."), args, done, func(id string) error {
			res, err := r.client.UpdateBatchSuspensionStateWithResponse(ctx, id, gen.SuspensionStateDto{Suspended: nullable.NewNullableWithValue(suspended)})
			return r.judge(word+" "+id, http.StatusNoContent, res, err)
		})
	}
}

func batchDelete(ctx context.Context, p program, args []string) error {
	r, cascade := newRemote(), false
	set := r.flags("batch delete ID...")
	toggled(set, &cascade, "cascade", "delete their history too")
	return r.each(p, set, args, "is deleted", func(id string) error {
		res, err := r.client.DeleteBatchWithResponse(ctx, id, &gen.DeleteBatchParams{Cascade: &cascade})
		return r.judge("delete "+id, http.StatusNoContent, res, err)
	})
}
