//go:build race

package main

// heavy is by how much smaller tests that move much data are with the race detector, which makes SQLite ten times as slow.
const heavy = 4
