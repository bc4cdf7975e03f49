package main

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"
)

// usage prints the commands.
func usage(w io.Writer) {
	fmt.Fprint(w, "rearm gives failed work a second chance, in bulk.\n\nUsage: rearm COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s%s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\nrearm COMMAND --help lists a command's settings.\n")
}

// flagUsage prints a command's settings, with their environment variables and defaults.
func flagUsage(w io.Writer, name string, flags *pflag.FlagSet) {
	fmt.Fprintf(w, "Usage: rearm %s [flags]\n\nA setting is a flag or the environment variable beside it; the flag wins.\n\n", name)
	flags.VisitAll(func(f *pflag.Flag) {
		fmt.Fprintf(w, "  --%s %s\n", f.Name, f.Value.Type())
		if variable := variableOf(f); variable != "" {
			fmt.Fprintf(w, "        %s\n", variable)
		}
		if f.DefValue == "" {
			fmt.Fprintf(w, "        %s\n", f.Usage)
			return
		}
		fmt.Fprintf(w, "        %s (default %s)\n", f.Usage, f.DefValue)
	})
}
