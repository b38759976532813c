//go:build !windows

package file

// separator is that of the paths of this system.
const separator = "/"

// native is a path of this system.
type native = PosixPath

func nativeFromURI(uri string) (native, error) { return FromURI[Posix](uri) }
