package relay

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"trigo/internal/fdstream"
)

// kind is a kind of descriptor.
type kind int

const (
	otherKind  kind = iota
	streamKind      // a TCP or a Unix socket, or a pipe
	fileKind
)

// choose returns the way for what comes in bulk.
func choose(in fdstream.Receiver, out fdstream.Sender) (Path, string) {
	var from, to kind
	ctx := context.Background() // nothing here waits
	err := in.ReceiveBy(ctx, func(sysfd int) error { from = kindOf(sysfd); return nil })
	if err != nil {
		return PathCopy, err.Error()
	}
	err = out.SendBy(ctx, func(sysfd int) error { to = kindOf(sysfd); return nil }, new(int))
	if err != nil {
		return PathCopy, err.Error()
	}
	switch {
	case from == otherKind:
		return PathCopy, describe(in) + " is neither a socket for TCP or Unix streams nor a pipe nor a file"
	case to != streamKind:
		return PathCopy, describe(out) + " is neither a socket for TCP or Unix streams nor a pipe"
	case from == fileKind:
		return PathSendfile, ""
	}
	return PathSplice, ""
}

func kindOf(fd int) kind {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return otherKind
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return fileKind
	case unix.S_IFIFO:
		return streamKind
	case unix.S_IFSOCK:
		return socketKind(fd)
	}
	return otherKind
}

func socketKind(fd int) kind {
	typ, errT := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	family, errF := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	protocol, errP := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	switch {
	case errors.Join(errT, errF, errP) != nil || typ != unix.SOCK_STREAM:
		return otherKind
	case family == unix.AF_UNIX,
		(family == unix.AF_INET || family == unix.AF_INET6) && protocol == unix.IPPROTO_TCP:
		return streamKind
	}
	return otherKind
}
