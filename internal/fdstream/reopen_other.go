//go:build unix && !linux

package fdstream

import "errors"

// reopen fails: to open /dev/fd/N is to duplicate N here, with the same
// description.
func reopen(fd int, dir direction) (int, error) { return -1, errors.ErrUnsupported }
