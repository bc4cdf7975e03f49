package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"rearm/db"
)

// bareBatch is what the bare server answers: as much as the contract's batch, and written by encoding/json too.
type bareBatch struct {
	ID, Type, SeedJobDefinitionID, MonitorJobDefinitionID, BatchJobDefinitionID string
	TotalJobs, JobsCreated, BatchJobsPerSeed, InvocationsPerBatchJob            int32
	Suspended                                                                   bool
	TenantID, CreateUserID                                                      *string
	StartTime                                                                   time.Time
	ExecutionStartTime                                                          *db.Time
}

// bareHandler is a server of net/http alone: GET /batch/{id} by the same query as the contract's, and POST /ids, which reads a
// body and sees whether it is JSON.
func bareHandler(store *db.Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /batch/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := db.ParseID(r.PathValue("id"))
		b, err := store.Batch(r.Context(), id)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(bareBatch{ //nolint:errchkjson // a client that has gone cannot be told so
			b.ID.String(), b.Type, b.ID.String(), b.ID.String(), b.ID.String(), b.TotalJobs, b.JobsCreated, b.JobsPerSeed, b.ItemsPerJob,
			b.Suspended, b.TenantID, b.CreateUserID, b.StartTime.Time(), b.ExecutionStartTime,
		})
	})
	mux.HandleFunc("POST /ids", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !json.Valid(body) {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	return mux
}

// standing makes a batch that stands still, and gives its id.
func (b *benchmark) standing(ctx context.Context) (string, error) {
	now := db.TimeOf(time.Now())
	retries := int32(5)
	id := db.BatchBase(newID())
	batch := &db.Batch{ID: id, Mark: id.Mark(), Type: batchTypes[0], Retries: &retries, Items: 1, TotalJobs: 1, JobsPerSeed: 1, ItemsPerJob: 1, JobsPerChunk: db.ChunkItems, StartTime: now}
	seed := db.Range{BatchID: id, Kind: db.SeedJob, N: 1, Retries: 3, Suspended: true, CreateTime: now}
	return id.String(), b.node.store.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.InsertBatch(ctx, batch); err != nil {
			return err
		}
		return tx.InsertRanges(ctx, seed)
	})
}

// The clients that read a batch, and in how many rounds; the servers take turns.
const (
	getClients = 4
	getRounds  = 5
)

// get measures GET /batch/{id} beside the bare server.
func (b *benchmark) get(ctx context.Context) error {
	id, err := b.standing(ctx)
	if err != nil {
		return err
	}
	sides := []struct {
		url   string
		rates []float64
		times []time.Duration
	}{{url: b.bare.URL + "/batch/" + id}, {url: b.api + "/batch/" + id}}
	n := max(getClients, len(b.largest().ids)/200)
	for range getRounds {
		for i := range sides {
			rate, times, err := b.reads(ctx, sides[i].url, n)
			if err != nil {
				return err
			}
			sides[i].rates, sides[i].times = append(sides[i].rates, rate), append(sides[i].times, times...)
		}
	}
	b.table.rates("GET /batch/{id}, 4 clients; bare: net/http", "requests", median(sides[0].rates), median(sides[1].rates))
	b.table.times("the same, p50", percentile(sides[0].times, 50), percentile(sides[1].times, 50))
	b.table.times("the same, p99", percentile(sides[0].times, 99), percentile(sides[1].times, 99))
	return nil
}

// reads reads a URL n times, and gives how often a second, and how long each took.
func (b *benchmark) reads(ctx context.Context, url string, n int) (rate float64, times []time.Duration, err error) {
	var mu sync.Mutex
	rate, err = race(getClients, n, func(int) (int, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return 0, err
		}
		start := time.Now()
		err = b.send(r, nil)
		took := time.Since(start)
		mu.Lock()
		defer mu.Unlock()
		times = append(times, took)
		return 1, err
	})
	return rate, times, err
}
