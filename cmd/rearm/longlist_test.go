package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// manyTasks makes tasks that are as large as they may be, until a list of all is long.
func manyTasks(t *testing.T, n *node, c *http.Client) (count int) {
	t.Helper()
	const each = 3000
	long := strings.Repeat("x", 255)
	one := fmt.Sprintf(`{"topicName": %q, "activityId": %q, "businessKey": %q, "processDefinitionKey": %q, "processDefinitionId": %q, "processDefinitionVersionTag": %q}`, long, long, long, long, long, long)
	body := `{"externalTasks": [` + one + strings.Repeat(","+one, each-1) + `]}`
	for range 2 {
		if got := n.post(t.Context(), c, "/external-task/create-bulk", body); got.err != nil || got.status != 200 {
			t.Fatalf("%d %.300s, %v", got.status, got.text, got.err)
		}
		count += each
	}
	return count
}

// A list of any length comes whole, from either database. Clients that ask for long ones and do not take them hold up others who
// want one as long, but nobody else.
func TestLongLists(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		n, c := startNode(t, databaseURL, nil), worker(t)
		count := manyTasks(t, n, c)
		for _, path := range []string{"/external-task", "/history/external-task-log", "/external-task?sortBy=taskPriority&sortOrder=desc"} {
			got := n.get(t, http.DefaultClient, path) // held against the contract elsewhere
			var rows []struct{ ID string }
			if err := json.Unmarshal([]byte(got.text), &rows); err != nil || got.status != 200 || len(got.text) < 8<<20 {
				t.Fatalf("%s: %d with %d bytes, %v", path, got.status, len(got.text), err)
			}
			ids := map[string]bool{}
			for _, row := range rows {
				ids[row.ID] = true
			}
			if len(rows) != count || len(ids) != count {
				t.Errorf("%s: %d rows with %d ids, want %d", path, len(rows), len(ids), count)
			}
		}
		var deaf []net.Conn
		for range 2 {
			deaf = append(deaf, askDeaf(t, n, "/engine-rest/external-task"))
		}
		var refused heard
		until(t, "all turns are taken", func() bool { refused = n.get(t, http.DefaultClient, "/external-task"); return refused.status != 200 })
		refused.wants(t, 503, `"message":"Others are reading long lists. Please try again later, or read a page at a time with maxResults."`)
		n.get(t, c, "/external-task?maxResults=100").wants(t, 200, `"topicName"`)
		n.post(t.Context(), c, "/external-task/create", `{"topicName": "a"}`).wants(t, 200, `"topicName":"a"`)
		for _, conn := range deaf {
			_ = conn.Close() // it hangs up
		}
		until(t, "the turns are given back", func() bool { return n.get(t, http.DefaultClient, "/external-task").status == 200 })
	})
}

// askDeaf asks for a page and reads no more than its beginning.
func askDeaf(t *testing.T, n *node, path string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", n.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 200"))); err != nil {
		t.Fatal(err)
	}
	return conn
}
