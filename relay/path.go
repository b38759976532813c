package relay

import (
	"fmt"

	"trigo"
	"trigo/internal/fdstream"
)

// # Ways
//
// Bytes can go from one stream to the other through a buffer of the process, or
// the kernel can hand them on. The second is possible when both streams are
// nothing but descriptors; anything that looks at the bytes or changes them
// stands between them and the kernel. It is decided for each direction alone.
//
// It is worth it only for bytes that come in bulk. A message of 64 bytes costs as
// many system calls either way, and dearer ones if it goes through a pipe. So a
// direction begins with plain receives, goes over to the kernel when one of them
// has filled its buffer, and comes back when little comes.
//
// For bulk it is worth it between all kinds, also between Unix sockets, where io.Copy
// does not splice. The processor time of a relay process that moves 256 MiB each way
// at once, with its peers in another process (2 processors, Linux 6.18, loopback,
// means of 9 rounds, by turns, on a machine that others used too):
//
//	                   io.Copy    copy, 64 KiB    splice
//	TCP to TCP          220 ms          480 ms    220 ms
//	TCP to Unix         280 ms          415 ms    270 ms
//	Unix to Unix        215 ms          275 ms    130 ms
//
// A file of 200 MiB to TCP: 70 ms by copy, 33 ms by sendfile. A pipe, which is seldom
// full, gains least: 183 ms and 147 ms, medians of 3.

// CopyMode says how bytes go from one stream to the other.
type CopyMode int

const (
	CopyAuto   CopyMode = iota // in the kernel where it is possible and faster, and comes in bulk
	CopySplice                 // in the kernel wherever it is possible, every byte
	CopyPlain                  // through a buffer
)

var modeNames = [...]string{"auto", "splice", "plain"}

func (m CopyMode) String() string { return nameOf(int(m), modeNames[:], "CopyMode") }

// Path is a way for bytes.
type Path int

const (
	PathCopy     Path = iota // through a buffer of the process
	PathSplice               // through a pipe in the kernel (Linux)
	PathSendfile             // from a file in the kernel (Linux)
)

var pathNames = [...]string{"copy", "splice", "sendfile"}

func (p Path) String() string { return nameOf(int(p), pathNames[:], "Path") }

func nameOf(i int, names []string, kind string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}

// PathFor returns the way that [Run] takes from src to dst for what comes in
// bulk, and if that is PathCopy, why. It moves nothing and waits for nothing.
// src and dst may be the two sides of a relay that is still to be run, and nobody
// must use them at the same time.
//
// A stream that has its bytes moved by the kernel is a TCP or a Unix stream, a
// pipe, or a file to be received from: itself, not as the transport of something
// else. Of a [trigo.StapledStream] the half counts that is used.
func PathFor(src trigo.ReceiveStream, dst trigo.SendStream, mode CopyMode) (Path, string) {
	return newRoute(src, dst, mode).describe()
}

// route is what is known about the way of one direction.
type route struct {
	in   fdstream.Receiver // src, if it is nothing but a descriptor
	out  fdstream.Sender   // dst, likewise
	path Path
	why  string
}

func (r route) describe() (Path, string) { return r.path, r.why }

func newRoute(src trigo.ReceiveStream, dst trigo.SendStream, mode CopyMode) (r route) {
	for s, ok := src.(*trigo.StapledStream); ok && s != nil; s, ok = src.(*trigo.StapledStream) {
		src = s.Receive
	}
	for s, ok := dst.(*trigo.StapledStream); ok && s != nil; s, ok = dst.(*trigo.StapledStream) {
		dst = s.Send
	}
	// The stream that is asked must be the one that answers: see fdstream.Receiver.
	if in, ok := src.(fdstream.Receiver); ok && in.Itself() == any(src) {
		r.in = in
	}
	if out, ok := dst.(fdstream.Sender); ok && out.Itself() == any(dst) {
		r.out = out
	}
	switch {
	case mode == CopyPlain:
		r.why = "told to copy"
	case r.in == nil:
		r.why = describe(src) + " is no bare descriptor"
	case r.out == nil:
		r.why = describe(dst) + " is no bare descriptor"
	default:
		r.path, r.why = choose(r.in, r.out)
	}
	return r
}

// describe names a stream: by its String, else by its type.
func describe(stream any) string {
	if s, ok := stream.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", stream)
}
