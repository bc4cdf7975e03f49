package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	e := Coded(NotFound, Rest, "task %s", "a")
	e.Err = cause
	wrapped := fmt.Errorf("while reading: %w", e)
	if KindOf(wrapped) != NotFound || !errors.Is(wrapped, cause) {
		t.Errorf("the kind or the cause was lost: %v", wrapped)
	}
	if KindOf(cause) != Internal || KindOf(nil) != Internal {
		t.Error("an unknown error is not internal")
	}
	if e.Code == nil || *e.Code != 0 || BadRequest("x").Code != nil {
		t.Error("Coded has code 0, BadRequest none")
	}
	if want := "task a: cause"; e.Error() != want {
		t.Errorf("Error() = %q, want %q", e.Error(), want)
	}
}
