package db

import (
	"io/fs"

	"github.com/pressly/goose/v3"
)

// SchemaVersion is the version of the schema that this program makes and needs: that of its last migration.
func SchemaVersion() int64 {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		panic("there are no migrations") // they are part of the program
	}
	version, err := goose.NumericComponent(files[len(files)-1])
	if err != nil {
		panic(err)
	}
	return version
}
