package contract_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"pgregory.net/rapid"

	"rearm/impl/contract"
)

// TestStreamsAreJudgedAsByKin holds the reader of streamed lists to the verdict of kin-openapi on the same body: status, error and
// what the handler gets.
func TestStreamsAreJudgedAsByKin(t *testing.T) {
	t.Parallel()
	var got bulkBody
	e := server(t, contract.Options{}, map[string]echo.HandlerFunc{"bulk": capture(&got), "bulkByKin": capture(&got)})
	statuses := map[int]int{}
	rapid.Check(t, func(rt *rapid.T) {
		for _, body := range rapid.SliceOfN(bodies(), 50, 50).Draw(rt, "bodies") {
			var verdicts [2]string
			for i, path := range []string{"/bulk", "/bulk-by-kin"} {
				got = bulkBody{}
				a := ask(t, e, "PUT", thing+path, body)
				bound, err := json.Marshal(got)
				verdicts[i] = fmt.Sprintf("%d %s %s %v", a.ResponseRecorder.Code, a.Body, bound, err)
				statuses[a.ResponseRecorder.Code]++
			}
			if verdicts[0] != verdicts[1] {
				rt.Fatalf("%q\n   streamed: %s\nkin-openapi: %s", body, verdicts[0], verdicts[1])
			}
		}
	})
	if statuses[204] < 100 || statuses[400] < 100 || len(statuses) > 2 {
		t.Errorf("the bodies do not try both verdicts: %v", statuses)
	}
}

// bodies generates bodies for the schema Bulk, most of them right or nearly so.
func bodies() *rapid.Generator[string] {
	fine := rapid.SampledFrom([]string{`"a"`, `"ab"`, `""`, `"\u00e4"`, `"\n\"\\"`})
	wrong := rapid.SampledFrom([]string{`null`, `7`, `true`, `{}`, `[]`, `["a"]`, `"abcd"`, `{"b":[null,{"b":1}]}`})
	broken := rapid.SampledFrom([]string{`"\u0000"`, `"\ud800"`, "\"\xff\"", `1e400`, `a`, ``, `"a":1`, `"a" "b"`})
	item := mostly(mostly(fine, wrong), broken)
	list := rapid.Custom(func(t *rapid.T) string { return "[" + join(rapid.SliceOfN(item, 0, 5).Draw(t, "items")) + "]" })
	lists := mostly(list, rapid.SampledFrom([]string{`null`, `"a"`, `1`, `{}`, `[`}))
	member := func(name string, value *rapid.Generator[string]) *rapid.Generator[string] {
		return rapid.Map(value, func(v string) string { return `"` + name + `":` + v })
	}
	members := rapid.OneOf(member("ids", lists), member("ids", lists), member("checked", lists), member("other", lists), member("Ids", lists),
		member("retries", rapid.SampledFrom([]string{"1", "2.0", "3", "-1", "1.5", "null"})),
		member("query", rapid.SampledFrom([]string{`{"name":"a","many":1e2}`, `{"name":""}`, `{"ids":[1]}`, `{"any":{"ids":["a"]}}`, `null`})))
	return rapid.Custom(func(t *rapid.T) string {
		list := rapid.SliceOfN(members, 0, 4).Draw(t, "members")
		if rapid.IntRange(0, 9).Draw(t, "with retries") > 0 {
			list = append(list, `"retries":3`)
		}
		text := "{" + join(list) + "}" + mostly(rapid.Just(""), rapid.SampledFrom([]string{" \n", "x", "{}", "null", "]"})).Draw(t, "after")
		if cut := rapid.IntRange(0, 20*len(text)).Draw(t, "cut"); cut < len(text) {
			return text[:cut]
		}
		return text
	})
}

// mostly draws from the first generator, and now and then from the second.
func mostly(often, seldom *rapid.Generator[string]) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 11).Draw(t, "seldom") == 7 {
			return seldom.Draw(t, "one")
		}
		return often.Draw(t, "one")
	})
}

func join(list []string) string {
	var b bytes.Buffer
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(s)
	}
	return b.String()
}

// bulkOf gives a body with n ids.
func bulkOf(n int) []byte {
	random := rand.NewChaCha8([32]byte{1})
	var b bytes.Buffer
	b.WriteString(`{"retries":3,"ids":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		id, _ := uuid.NewRandomFromReader(random)
		b.WriteString(`"` + id.String() + `"`)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// BenchmarkBulk measures a whole request without a network against reading and json.Valid of the same bytes in the same run:
// x/valid is the ratio (the aim is at most 1.5), MB/op what a request allocates.
func BenchmarkBulk(b *testing.B) {
	var got bulkBody
	e := server(b, contract.Options{}, map[string]echo.HandlerFunc{"bulk": capture(&got), "bulkByKin": capture(&got)})
	for _, path := range []string{"bulk", "bulk-by-kin"} {
		for _, n := range []int{1000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", path, n), func(b *testing.B) { benchmarkBulk(b, e, thing+"/"+path, bulkOf(n), &got, n) })
		}
	}
}

func benchmarkBulk(b *testing.B, e http.Handler, url string, body []byte, got *bulkBody, n int) {
	var ours, valid time.Duration
	var before, after runtime.MemStats
	var allocated uint64
	for b.Loop() {
		start := time.Now()
		text, _ := io.ReadAll(bytes.NewReader(body))
		if !json.Valid(text) {
			b.Fatal("not JSON")
		}
		valid += time.Since(start)
		r := httptest.NewRequest(http.MethodPut, url, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		runtime.ReadMemStats(&before)
		start = time.Now()
		e.ServeHTTP(w, r)
		ours += time.Since(start)
		runtime.ReadMemStats(&after)
		allocated += after.TotalAlloc - before.TotalAlloc
		if ids, _ := got.IDs.Get(); w.Code != http.StatusNoContent || len(ids.UUIDs) != n {
			b.Fatalf("%d with %d ids", w.Code, len(ids.UUIDs))
		}
	}
	b.ReportMetric(float64(ours)/float64(valid), "x/valid")
	b.ReportMetric(float64(ours.Microseconds())/1000/float64(b.N), "ms/request")
	b.ReportMetric(float64(allocated)/float64(b.N)/(1<<20), "MB/op")
	b.ReportMetric(0, "ns/op")
}
