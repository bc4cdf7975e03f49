package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
)

// width is how many characters a full bar has.
const width = 30

// bar shows how far something is: on a terminal one line that is written again and again, elsewhere a line for each further tenth.
type bar struct {
	w    io.Writer
	unit string // what is counted
	live bool
	step int32 // the last tenth that was shown
	open bool  // the line has not ended
}

func newBar(w io.Writer, unit string) *bar {
	f, ok := w.(*os.File)
	return &bar{w: w, unit: unit, live: ok && isatty.IsTerminal(f.Fd()), step: -1}
}

// show shows that done of total are done.
func (b *bar) show(done, total int32) {
	if b.live {
		full := int(int64(done) * width / int64(max(total, 1)))
		fmt.Fprintf(b.w, "\r         [%s%s] %d of %d %s", strings.Repeat("#", full), strings.Repeat("-", width-full), done, total, b.unit)
		b.open = true
		return
	}
	step := int32(int64(done) * 10 / int64(max(total, 1))) //nolint:gosec // at most 10
	if step > b.step {
		b.step = step
		fmt.Fprintf(b.w, "         %d of %d %s\n", done, total, b.unit)
	}
}

// end ends the line.
func (b *bar) end() {
	if b.open {
		fmt.Fprintln(b.w)
	}
}
