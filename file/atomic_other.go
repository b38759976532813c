//go:build !unix

package file

import (
	"io/fs"
	"os"
)

// own does nothing: the owner of a new file follows from its directory.
func own(*os.File, fs.FileInfo) {}

// syncDirectory does nothing: directories cannot be synced here.
func syncDirectory(string) error { return nil }
