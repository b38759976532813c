//go:build linux || darwin || freebsd

package socket

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// vectors are messages in the form in which the kernel takes them.
type vectors struct {
	headers []mmsghdr
	pieces  []unix.Iovec
	control bool // there is control data
}

// fill describes messages. Their addresses are at addrs: those to send to, or
// room for those received.
func (v *vectors) fill(ms []Message, addrs []sockaddr, receiving bool) {
	pieces := 0
	for i := range ms {
		pieces += len(ms[i].Buffers)
	}
	v.headers = slices.Grow(v.headers[:0], len(ms))[:len(ms)]
	v.pieces = slices.Grow(v.pieces[:0], pieces)[:0] // not moved below: there are pointers to it
	for i := range ms {
		m, h := &ms[i], &v.headers[i]
		h.Hdr.Iov, h.Hdr.Control, h.Hdr.Name, h.Hdr.Namelen = nil, nil, nil, 0
		h.Hdr.SetIovlen(0)
		h.Hdr.SetControllen(0)
		first := len(v.pieces)
		for _, b := range m.Buffers {
			piece := unix.Iovec{Base: unsafe.SliceData(b)}
			piece.SetLen(len(b))
			v.pieces = append(v.pieces, piece)
		}
		if n := len(v.pieces) - first; n > 0 {
			h.Hdr.Iov = &v.pieces[first]
			h.Hdr.SetIovlen(n)
		}
		if len(m.Control) > 0 {
			v.control = true
			h.Hdr.Control = unsafe.SliceData(m.Control)
			h.Hdr.SetControllen(len(m.Control))
		}
		if receiving {
			addrs[i].n = maxSockaddr
		}
		if addrs[i].n > 0 {
			h.Hdr.Name = &addrs[i].buf[0]
			h.Hdr.Namelen = addrs[i].n
		}
	}
}

// result tells of a message that was received.
func (v *vectors) result(i int, from *sockaddr) (n, control, flags int) {
	h := &v.headers[i]
	from.n = h.Hdr.Namelen
	return int(h.Len), int(h.Hdr.Controllen), int(h.Hdr.Flags) &^ msgCloexec
}

// sent tells how much of a message was sent.
func (v *vectors) sent(i int) int { return int(v.headers[i].Len) }

// forget drops what belongs to the caller.
func (v *vectors) forget() {
	clear(v.pieces)
	if v.control {
		clear(v.headers)
		v.control = false
	}
}

// recv receives into all of the messages, or into as many as are there.
func (v *vectors) recv(sysfd, flags int) (int, unix.Errno) {
	if len(v.headers) == 1 {
		n, errno := recvmsg(sysfd, &v.headers[0].Hdr, flags)
		v.headers[0].Len = uint32(n)
		return 1, errno
	}
	return recvmmsg(sysfd, v.headers, flags)
}

// send sends from the message of that number on, as many as the system takes
// at once.
func (v *vectors) send(sysfd, from, flags int) (int, unix.Errno) {
	if rest := v.headers[from:]; len(rest) > 1 {
		return sendmmsg(sysfd, rest, flags)
	}
	n, errno := sendmsg(sysfd, &v.headers[from].Hdr, flags)
	v.headers[from].Len = uint32(n)
	return 1, errno
}
