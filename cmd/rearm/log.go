package main

import (
	"io"
	"log/slog"
)

// newLogger makes the program's logger in the chosen format and level.
func newLogger(w io.Writer, c *Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
