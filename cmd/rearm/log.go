package main

import (
	"io"
	"log/slog"

	"rearm/impl/observe"
)

// newLogger makes the program's logger in the chosen format and level. What belongs to a request says to which.
func newLogger(w io.Writer, c *Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	var handler slog.Handler = slog.NewTextHandler(w, options)
	if c.LogFormat == "json" {
		handler = slog.NewJSONHandler(w, options)
	}
	return slog.New(observe.LogHandler(handler))
}
