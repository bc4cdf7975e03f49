package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ChunkItems is how many items a chunk holds, unless one job alone has more: as many as one transaction sets well
// (limits.md, recommendation 6).
const ChunkItems = 1000

// JobsPerChunk gives how many jobs of so many items share a chunk. A range of jobs never crosses a chunk.
func JobsPerChunk(itemsPerJob int32) int32 { return max(1, ChunkItems/itemsPerJob) }

// chunksPerInsert keeps a statement below half a megabyte: drivers copy it more than once.
const chunksPerInsert = 25

// InsertChunks writes the items of a batch, which must be sorted, size to a chunk.
func (t *Tx) InsertChunks(ctx context.Context, batch ID, items []ID, size int) error {
	for no := 0; len(items) > 0; {
		var b strings.Builder
		args := make([]any, 0, 3*chunksPerInsert)
		for i := 0; i < chunksPerInsert && len(items) > 0; i++ {
			n := min(size, len(items))
			b.WriteString(", (?, ?, ?)")
			args = append(args, batch, no, Pack(items[:n]))
			items, no = items[n:], no+1
		}
		if _, err := t.exec(ctx, "insert into batch_chunk (batch_id, no, ids) values "+b.String()[2:], args...); err != nil {
			return err
		}
	}
	return nil
}

// SelectChunks writes the items of a batch inside the database: all ids that a selection (`select id from ...`) gives, sorted,
// size to a chunk. It gives the number of items.
func (t *Tx) SelectChunks(ctx context.Context, batch ID, size int, selection string, args []any) (int64, error) {
	text := fmt.Sprintf(`insert into batch_chunk (batch_id, no, ids)
 select cast(? as {id}), o.no, {packed} from (select s.id as id, (row_number() over (order by s.id) - 1) / %d as no from (%s) s) o group by o.no`, size, selection)
	if _, err := t.exec(ctx, text, append([]any{batch}, args...)...); err != nil {
		return 0, err
	}
	var n int64
	return n, t.get(ctx, &n, "select coalesce(sum(length(ids)), 0) / 16 from batch_chunk where batch_id = ?", batch)
}

// textsPerInsert bounds what one statement carries.
const textsPerInsert = 10_000

// InsertTexts keeps the items whose id is no UUID, by their place in the batch. In their chunk they stand as NilID.
func (t *Tx) InsertTexts(ctx context.Context, batch ID, first int32, texts []string) error {
	for part := range slices.Chunk(texts, textsPerInsert) {
		items := make([]int32, len(part))
		for i := range items {
			items[i] = first
			first++
		}
		if err := t.insert(ctx, "batch_text", len(part), "", ofIDs("batch_id", repeat(batch, len(part))), of("item", "integer", items), of("id", "text", part)); err != nil {
			return err
		}
	}
	return nil
}

// ItemText gives the id of an item that is no UUID; ErrNotFound if it is one.
func (q Queries) ItemText(ctx context.Context, batch ID, item int32) (text string, err error) {
	return text, q.get(ctx, &text, "select id from batch_text where batch_id = ? and item = ?", batch, item)
}

// Chunk reads the ids of one chunk of a batch.
func (q Queries) Chunk(ctx context.Context, batch ID, no int32) ([]ID, error) {
	var b []byte
	if err := q.get(ctx, &b, "select ids from batch_chunk where batch_id = ? and no = ?", batch, no); err != nil {
		return nil, fmt.Errorf("chunk %d of batch %s: %w", no, batch, err)
	}
	return Unpack(b), nil
}
