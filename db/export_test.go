package db

import (
	"context"
	"testing"
)

// Written tells how often a task's state was written, and the mark of the batch that wrote it last.
func (s *Store) Written(t testing.TB, id ID) (rev int, mark *int64) {
	t.Helper()
	err := s.each(context.Background(), func(scan func(...any) error) error { return scan(&rev, &mark) },
		"select rev, set_by from external_task_state where id = ?", id)
	if err != nil {
		t.Fatal(err)
	}
	return rev, mark
}
