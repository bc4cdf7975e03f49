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

// bar shows how far a batch is: on a terminal one line that is written again and again, elsewhere a line for each further tenth.
type bar struct {
	w    io.Writer
	live bool
	step int32 // the last tenth that was shown
	open bool  // the line has not ended
}

func newBar(w io.Writer) *bar {
	f, ok := w.(*os.File)
	return &bar{w: w, live: ok && isatty.IsTerminal(f.Fd()), step: -1}
}

// show shows that done of total jobs are completed.
func (b *bar) show(done, total int32) {
	if b.live {
		full := int(int64(done) * width / int64(max(total, 1)))
		fmt.Fprintf(b.w, "\r         [%s%s] %d of %d jobs", strings.Repeat("#", full), strings.Repeat("-", width-full), done, total)
		b.open = true
		return
	}
	step := int32(int64(done) * 10 / int64(max(total, 1))) //nolint:gosec // at most 10
	if step > b.step {
		b.step = step
		fmt.Fprintf(b.w, "         %d of %d jobs\n", done, total)
	}
}

// end ends the line.
func (b *bar) end() {
	if b.open {
		fmt.Fprintln(b.w)
	}
}
