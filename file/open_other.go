//go:build !unix

package file

import "os"

// nonblocking is no flag where opening a file waits for nobody anyway.
const nonblocking = 0

// flagsOf cannot ask: whoever does what f was not opened for will hear of it.
func flagsOf(*os.File) (flag int, err error) { return os.O_RDWR, nil }
