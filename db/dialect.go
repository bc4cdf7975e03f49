package db

import (
	"regexp"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

// dialect holds all that differs between the two databases; nothing else in the program asks which one it is.
type dialect struct {
	name    string
	goose   goose.Dialect
	bind    int                     // sqlx's kind of parameters
	words   map[string]string       // what stands for the words in braces, in migrations and in queries
	idList  func(ids []ID) any      // the argument for {ids}
	texts   func(list []string) any // the argument for {texts}
	fault   func(err error) error   // gives one of our sentinels for a driver's error, or nil
	bulk    bool                    // rows travel as arrays, a column each; else as long lists of values
	fused   bool                    // statements that write can be parts of one (Tx.together)
	remote  bool                    // another process: what need not leave it had better stay there
	writers int                     // transactions that gain by writing at the same time (limits.md, recommendation 6)
	cache   sync.Map                // SQL as written -> SQL as sent
}

var sqliteDialect = &dialect{
	name: "sqlite", goose: goose.DialectSQLite3, bind: sqlx.QUESTION,
	words: map[string]string{
		"id": "blob", "bytes": "blob", "text": "text", "norowid": " without rowid", "fill50": "", "fill60": "",
		"sqlite": "", "postgres": "--",
		// {ids}: = one of a list of ids; the list travels as one blob.
		"ids": "in (select substr(l.b, num.i * 16 + 1, 16) from (select ? as b) l cross join num where num.i < length(l.b) / 16)",
		// {texts}: = one of a list of texts; the list travels as one JSON array.
		"texts": "in (select value from json_each(?))",
		// {names}: a table (name) of a list of texts.
		"names": "(select value as name from json_each(?))",
		// {pairs}: a table (task_id, id) of two lists of ids, side by side.
		"pairs": "(select substr(l.a, num.i * 16 + 1, 16) as task_id, substr(l.b, num.i * 16 + 1, 16) as id " +
			"from (select ? as a, ? as b) l cross join num where num.i < length(l.a) / 16)",
		// {oneof} select id ... {end}: = one of what a query gives, looked up one by one whatever the planner expects.
		"oneof": "in (", "end": ")",
		// {gather} ... returning was, topic_name, id {gathered}: the ids of the tasks that were written, packed by the two values before, or each in a row of its own.
		"gather": "", "gathered": "",
		"lock": "", "locks": "", // rows that a query is about to change: nobody else writes in a transaction of SQLite
		"skip": "", "skips": "", // rows to claim, leaving out those that others hold; with an s: only those of the table s
		"jsonlist": "json_group_array", "jsonobject": "json_object", // an aggregate of JSON values, and an object of names and values
		"tables": "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
		"settle": "pragma wal_checkpoint(truncate)", "version": "'SQLite ' || sqlite_version()", // for the benchmark (bare.go)
		"clock": "", // the database's time in microseconds since 1970; empty where its clock is the node's
	},
	idList:  func(ids []ID) any { return Pack(ids) },
	texts:   jsonList,
	fault:   sqliteFault,
	writers: 1,
}

var postgresDialect = &dialect{
	name: "postgres", goose: goose.DialectPostgres, bind: sqlx.DOLLAR,
	words: map[string]string{
		"id": "uuid", "bytes": "bytea", "text": `text collate "C"`, "norowid": "", "fill50": " with (fillfactor = 50)", "fill60": " with (fillfactor = 60)",
		"sqlite": "--", "postgres": "",
		"ids":   "= any(cast(? as uuid[]))",
		"texts": "= any(cast(? as text[]))",
		"names": "(select unnest(cast(? as text[])) as name)",
		// turns: waits for one's turn with each of a list of names, until the transaction ends.
		"turns": "select pg_advisory_xact_lock(x.k) from (select hashtextextended(n, 0) as k from unnest(cast(? as text[])) n order by k offset 0) x",
		"pairs": "(select u.task_id, u.id from unnest(cast(? as uuid[]), cast(? as uuid[])) as u(task_id, id))",
		"oneof": "= any(array(", "end": "))",
		"gather": "with w as (", "gathered": ") select was, topic_name, string_agg(uuid_send(id), ''::bytea) from w group by was, topic_name",
		"lock": "for update", "locks": "for update of s",
		"skip": "for update skip locked", "skips": "for update of s skip locked",
		"jsonlist": "json_agg", "jsonobject": "json_build_object",
		"tables": "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any(current_schemas(false)) and c.relkind in ('r', 'p', 'v', 'm', 'f')" +
			" and not exists (select 1 from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')", // not an extension's
		"settle": "vacuum analyze", "version": "'PostgreSQL ' || current_setting('server_version')",
		"clock": "select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
	},
	idList: func(ids []ID) any {
		list := make([][16]byte, len(ids))
		for i := range ids {
			list[i] = ids[i]
		}
		return list
	},
	texts: func(list []string) any { return list },
	fault: postgresFault,
	bulk:  true, fused: true, remote: true, writers: 2,
}

var word = regexp.MustCompile(`\{([a-z0-9]+)\}`)

// expand puts the dialect's words in; an unknown word stays, and the database will complain about it.
func (d *dialect) expand(text string) string {
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if s, ok := d.words[w[1:len(w)-1]]; ok {
			return s
		}
		return w
	})
}

// sql gives a query as it is sent: with the dialect's words and its form of parameters.
func (d *dialect) sql(text string) string {
	if s, ok := d.cache.Load(text); ok {
		return s.(string)
	}
	s := sqlx.Rebind(d.bind, d.expand(text))
	if len(text) < maxCached {
		d.cache.Store(strings.Clone(text), s)
	}
	return s
}

// maxCached bounds the queries that are kept: longer ones are put together from long lists and do not come again.
const maxCached = 8 << 10
