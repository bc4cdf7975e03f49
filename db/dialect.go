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
	name   string
	goose  goose.Dialect
	bind   int                     // sqlx's kind of parameters
	words  map[string]string       // what stands for the words in braces, in migrations and in queries
	idList func(ids []ID) any      // the argument for {ids}
	texts  func(list []string) any // the argument for {texts}
	fault  func(err error) error   // gives one of our sentinels for a driver's error, or nil
	cache  sync.Map                // SQL as written -> SQL as sent
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
		// {spans}: the table of a list of spans of job numbers (jobspan.go), which travels as one JSON array.
		"spans":  "(select unhex(value ->> 0) as batch, value ->> 1 as kind, value ->> 2 as lo, value ->> 3 as hi from json_each(?))",
		"lock":   "", // rows that a query is about to change: nobody else writes in a transaction of SQLite
		"skip":   "", // rows to claim, leaving out those that others hold
		"tables": "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
	},
	idList: func(ids []ID) any { return Pack(ids) },
	texts:  jsonList,
	fault:  sqliteFault,
}

var postgresDialect = &dialect{
	name: "postgres", goose: goose.DialectPostgres, bind: sqlx.DOLLAR,
	words: map[string]string{
		"id": "uuid", "bytes": "bytea", "text": `text collate "C"`, "norowid": "", "fill50": " with (fillfactor = 50)", "fill60": " with (fillfactor = 60)",
		"sqlite": "--", "postgres": "",
		"ids":   "= any(cast(? as uuid[]))",
		"texts": "= any(cast(? as text[]))",
		"spans": "(select cast(value ->> 0 as uuid) as batch, cast(value ->> 1 as smallint) as kind, cast(value ->> 2 as integer) as lo, " +
			"cast(value ->> 3 as integer) as hi from jsonb_array_elements(cast(cast(? as text) as jsonb)))",
		"lock":   "for update",
		"skip":   "for update skip locked",
		"tables": "select table_name from information_schema.tables where table_schema = any(current_schemas(false))",
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
