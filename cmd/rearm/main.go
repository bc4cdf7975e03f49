// Command rearm is the server and its tools; commands lists them. See README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// program is what a command has to do with the world around it.
type program struct {
	getenv         func(string) string
	stdout, stderr io.Writer
}

// command is one of rearm's commands. It ends when ctx does.
type command struct {
	name, summary string
	run           func(ctx context.Context, p program, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "serve the REST contract on a database", serve},
		{"demo", "see 1,000 failed tasks being retried in bulk, on a database that is thrown away", demo},
		{"bench", "measure rearm beside the bare statements, on an empty database", bench},
		{"retry", "set the retries of many tasks of a running server, and watch the batch", retry},
		{"batch", "list, show, watch, suspend, activate or delete batches of a running server", batch},
		{"backup", "copy a SQLite database, also while a server runs on it", backup},
		{"cleanup", "remove the history whose time has come, or say how much it is", cleanup},
		{"user", "add a user to the users file, or remove one", user},
		{"migrate", "bring the database's schema up to date and end", migrate},
		{"config", "print every setting of serve, and where its value comes from", showConfig},
		{"version", "print the version of this program", version},
	}
}

func main() {
	os.Exit(run(untilSignal(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// untilSignal gives a context that the first SIGINT or SIGTERM ends. A second one ends the program at once: by the time the
// context has ended, signals do what they do by themselves again.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}

// run runs the command that args name and gives the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return exitRefused
	}
	if args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		usage(stdout)
		return exitOK
	}
	for _, c := range commands() {
		if c.name == args[0] {
			err := c.run(ctx, program{getenv, stdout, stderr}, args[1:])
			return exitCode(err, "rearm "+c.name, stderr)
		}
	}
	fmt.Fprintf(stderr, "rearm: there is no command %q\n\n", args[0])
	usage(stderr)
	return exitRefused
}
