package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"rearm/db"
)

// The exit codes: 2 tells that trying again is of no use before somebody has changed something.
const (
	exitOK      = 0
	exitFailed  = 1
	exitRefused = 2
)

// exitCode says in one line what went wrong, if something did.
func exitCode(err error, name string, stderr io.Writer) int {
	if err == nil || errors.Is(err, pflag.ErrHelp) {
		return exitOK
	}
	fmt.Fprintf(stderr, "%s: %s\n", name, oneLine(err))
	for _, refused := range []error{errConfig, errUnusable, errRefused, db.ErrNotOurs, db.ErrNewer, db.ErrOlder} {
		if errors.Is(err, refused) {
			return exitRefused
		}
	}
	return exitFailed
}

// oneLine gives an error's words without line breaks: whoever reads the log or a terminal gets one line an error.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
