package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rearm/impl/fault"
)

// sink takes an answer and notes how it comes.
type sink struct {
	*httptest.ResponseRecorder
	writes  int
	largest int
	err     error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.writes, s.largest = s.writes+1, max(s.largest, len(p))
	return s.ResponseRecorder.Write(p)
}

func newSink() *sink { return &sink{ResponseRecorder: httptest.NewRecorder()} }

// line is a row of the tests' lists, of about a kilobyte.
type line struct {
	N    int
	Text string
}

var kilobyte = strings.Repeat("x", 1000)

// lines gives a list of n rows that ends with an error. before is called for each row.
func lines(t turns, n int, before func(i int), err error) list {
	return listOf(t, func(i *int) line { return line{*i, kilobyte} }, func(do func(*int) error) error {
		for i := range n {
			if before != nil {
				before(i)
			}
			if err := do(&i); err != nil {
				return err
			}
		}
		return err
	})
}

// A list is the JSON that it would be as a whole.
func TestListIsOneArray(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 100, 3 * whole / len(kilobyte)} {
		w, ts := newSink(), newTurns()
		if err := lines(ts, n, nil, nil).write(w); err != nil {
			t.Fatal(err)
		}
		var got []line
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got) != n || got == nil {
			t.Errorf("%d rows: got %d, %v", n, len(got), err)
		}
		for i, row := range got {
			if row != (line{i, kilobyte}) {
				t.Fatalf("row %d of %d is %+v", i, n, row)
			}
		}
		if w.Header().Get("Content-Type") != "application/json" || len(ts) != 0 {
			t.Errorf("%d rows: %v, %d turns are taken", n, w.Header(), len(ts))
		}
	}
}

// A short list is sent when all of it has been read; a long one while it is read, in small parts.
func TestLongListsAreSentInParts(t *testing.T) {
	t.Parallel()
	w, long := newSink(), 4*whole/len(kilobyte)
	kept := 0
	if err := lines(newTurns(), long, func(i int) { kept = max(kept, i*len(kilobyte)-w.Body.Len()) }, nil).write(w); err != nil {
		t.Fatal(err)
	}
	if kept > whole+2*piece || w.writes < 3*whole/piece {
		t.Errorf("it kept up to %d bytes, and wrote %d times", kept, w.writes)
	}
	short := newSink()
	early := 0
	if err := lines(newTurns(), 1000, func(int) { early = max(early, short.writes) }, nil).write(short); err != nil || early > 0 || short.writes != 1 {
		t.Errorf("a short list was written %d times, %d before its end, %v", short.writes, early, err)
	}
}

// While as many long lists are written as may, another one is refused; short ones are not.
func TestLongListsTakeTurns(t *testing.T) {
	t.Parallel()
	ts, long := newTurns(), 2*whole/len(kilobyte)
	inside, refused := 0, 0
	var deeper func(i int)
	deeper = func(i int) { // in the middle of each list the next one is asked for
		if i != long-1 || inside > longLists {
			return
		}
		inside++
		w := newSink()
		if err := lines(ts, 10, nil, nil).write(w); err != nil {
			t.Errorf("a short list: %v", err)
		}
		w = newSink()
		err := lines(ts, long, deeper, nil).write(w)
		if fault.KindOf(err) == fault.Unavailable && w.writes == 0 {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if err := lines(ts, long, deeper, nil).write(newSink()); err != nil || refused != 1 || inside != longLists {
		t.Errorf("%d were asked for, %d refused, %v", inside, refused, err)
	}
	if len(ts) != 0 {
		t.Errorf("%d turns were not given back", len(ts))
	}
}

// An error of the engine comes before anything is sent, if it can; one of the client's ends the reading.
func TestListErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	w := newSink()
	if err := lines(newTurns(), 10, nil, broken).write(w); !errors.Is(err, broken) || w.writes > 0 {
		t.Errorf("%v after %d writes", err, w.writes)
	}
	w = newSink()
	if err := lines(newTurns(), 2*whole/len(kilobyte), nil, broken).write(w); !errors.Is(err, broken) || w.writes == 0 || strings.HasSuffix(w.Body.String(), "]\n") {
		t.Errorf("%v after %d writes", err, w.writes)
	}
	w, last := newSink(), 0
	w.err = http.ErrHandlerTimeout
	if err := lines(newTurns(), 4*whole/len(kilobyte), func(i int) { last = i }, nil).write(w); !errors.Is(err, w.err) || last > 2*whole/len(kilobyte) {
		t.Errorf("%v; it read on to row %d", err, last)
	}
}

// BenchmarkList writes a list of 1,000,000 rows of 100 bytes.
func BenchmarkList(b *testing.B) {
	for b.Loop() {
		n := 0
		l := listOf(newTurns(), func(i *int) line { return line{*i, "some text that is about as long as an id or two of them"} }, func(do func(*int) error) error {
			for n = range 1_000_000 {
				if err := do(&n); err != nil {
					return err
				}
			}
			return nil
		})
		if err := l.write(discard{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/row")
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(status int)      { panic(fmt.Sprint(status)) }
