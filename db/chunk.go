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

// selectedAtOnce is how many ids one statement gathers, about: 64 MB in the database.
const selectedAtOnce = 4_000_000

// SelectChunks writes the items of a batch inside the database: all ids that a selection (`select s.id ...`, each once) gives, sorted,
// size to a chunk. It gives the number of items. A database that is in this process gains nothing by that, and reads them.
func (t *Tx) SelectChunks(ctx context.Context, batch ID, size int, selection string, args []any) (n int64, err error) {
	if !t.d.remote {
		ids, err := t.selectIDs(ctx, selection+" order by 1", args...)
		if err != nil {
			return 0, err
		}
		return int64(len(ids)), t.InsertChunks(ctx, batch, ids, size)
	}
	return t.selectSlices(ctx, batch, size, max(1, selectedAtOnce/size), selection, args)
}

// selectSlices is SelectChunks by statements that each make at most perSlice chunks.
func (t *Tx) selectSlices(ctx context.Context, batch ID, size, perSlice int, selection string, args []any) (n int64, err error) {
	text := fmt.Sprintf(selectSlice, 16*size, selection, perSlice*size)
	for no, after := 0, NilID; ; no += perSlice {
		items, last, err := t.selectSlice(ctx, text, append(append([]any{batch, no}, args...), after))
		n, after = n+items, last
		if err != nil || items < int64(perSlice*size) {
			return n, err
		}
	}
}

// selectSlice puts the first ids of a selection behind an id into one value, and cuts chunks from it: a sorted subquery with a limit
// keeps its order in an aggregate, which does not have to sort again.
const selectSlice = `insert into batch_chunk (batch_id, no, ids)
 select cast(? as uuid), cast(? as integer) + g.no, substring(a.ids from g.no * %[1]d + 1 for %[1]d)
 from (select string_agg(uuid_send(o.id), ''::bytea) as ids from (select s.id from (%[2]s) s where s.id > ? order by s.id limit %[3]d) o) a
 cross join generate_series(0, (length(a.ids) - 1) / %[1]d) as g(no)
 returning length(ids) / 16, substring(ids from length(ids) - 15)`

// selectSlice writes one slice, and gives the number of its items and the last of them.
func (t *Tx) selectSlice(ctx context.Context, text string, args []any) (items int64, last ID, err error) {
	err = t.each(ctx, func(scan func(...any) error) error {
		var n int64
		var id ID
		err := scan(&n, &id)
		items += n
		if id.Compare(last) > 0 {
			last = id
		}
		return err
	}, text, args...)
	return items, last, err
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
