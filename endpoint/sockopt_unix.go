//go:build unix && !linux

package endpoint

import "golang.org/x/sys/unix"

// systemOption returns what the kernel calls an option: the calls on a new socket,
// and those on one that is connected.
func systemOption(key string, value int, text string) (early, late []socketOption, known bool) {
	one := func(level, opt int) []socketOption {
		return []socketOption{{key: key, level: level, opt: opt, value: value}}
	}
	switch key {
	case "reuseport":
		return one(unix.SOL_SOCKET, unix.SO_REUSEPORT), nil, true
	case "sndbuf":
		return nil, one(unix.SOL_SOCKET, unix.SO_SNDBUF), true
	case "rcvbuf":
		return nil, one(unix.SOL_SOCKET, unix.SO_RCVBUF), true
	case "nodelay":
		return nil, one(unix.IPPROTO_TCP, unix.TCP_NODELAY), true
	}
	return nil, nil, false
}
