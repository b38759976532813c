//go:build unix

package file

import (
	"os"
	"strconv"
	"syscall"
)

func ownerIDs(name string) (uid, gid string, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", "", err
	}
	st := info.Sys().(*syscall.Stat_t)
	return strconv.FormatUint(uint64(st.Uid), 10), strconv.FormatUint(uint64(st.Gid), 10), nil
}
