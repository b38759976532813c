package endpoint

import "golang.org/x/sys/unix"

// systemOption returns what the kernel calls an option: the calls on a new socket,
// and those on one that is connected.
func systemOption(key string, value int, text string) (early, late []socketOption, known bool) {
	one := func(level, opt, value int) []socketOption {
		return []socketOption{{key: key, level: level, opt: opt, value: value}}
	}
	switch key {
	case "reuseport":
		return one(unix.SOL_SOCKET, unix.SO_REUSEPORT, value), nil, true
	case "mark":
		return one(unix.SOL_SOCKET, unix.SO_MARK, value), nil, true
	case "if":
		return []socketOption{{key: key, level: unix.SOL_SOCKET, opt: unix.SO_BINDTODEVICE, text: text}}, nil, true
	case "sndbuf":
		return nil, one(unix.SOL_SOCKET, unix.SO_SNDBUF, value), true
	case "rcvbuf":
		return nil, one(unix.SOL_SOCKET, unix.SO_RCVBUF, value), true
	case "nodelay":
		return nil, one(unix.IPPROTO_TCP, unix.TCP_NODELAY, value), true
	case "keepalive":
		seconds := max(1, value/1000)
		late = append(one(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1), one(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds)...)
		return nil, append(late, one(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds)...), true
	case "user-timeout":
		return nil, one(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, value), true
	case "notsent-lowat":
		return nil, one(unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, value), true
	}
	return nil, nil, false
}
