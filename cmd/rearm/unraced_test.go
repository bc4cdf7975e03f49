//go:build !race

package main

// heavy: without the race detector tests have their full size.
const heavy = 1
