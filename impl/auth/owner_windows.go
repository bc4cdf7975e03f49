package auth

import (
	"io/fs"
	"os"
)

// keepOwner leaves it to the folder who may read a file.
func keepOwner(*os.File, fs.FileInfo) error { return nil }
