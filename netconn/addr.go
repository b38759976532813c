package netconn

import (
	"cmp"
	"fmt"
	"net"

	"trigo"
)

// hasAddrs is a layer that knows both ends.
type hasAddrs interface {
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

// addresses returns those of the options, or else those of the stream.
func addresses(s trigo.Stream, opts *Options) (local, remote net.Addr) {
	if a, ok := trigo.As[hasAddrs](s); ok {
		local, remote = a.LocalAddr(), a.RemoteAddr()
	}
	// Callers do not expect nil: they print the address, or split it.
	named := name(describe(s))
	return cmp.Or(opts.LocalAddr, local, net.Addr(named)), cmp.Or(opts.RemoteAddr, remote, net.Addr(named))
}

// name is the address of what has none: the pipes of a child, a stream in
// memory.
type name string

func (name) Network() string  { return "trigo" }
func (n name) String() string { return string(n) }

// describe names a layer: by its String, else by its type.
func describe(layer any) string {
	if s, ok := layer.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", layer)
}
