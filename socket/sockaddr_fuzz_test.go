package socket

import "testing"

// Whatever bytes a kernel returns as an address, reading them does not fail, and
// what they say can be written and read again.
func FuzzSockaddr(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0})
	for _, a := range []Addr{
		UnixAddr{Name: "/run/x"}, UnixAddr{Name: "x", Abstract: true}, UnixAddr{},
		VsockAddr{1, 2}, NetlinkAddr{1, 2}, PacketAddr{Hardware: "abcdef"}, RawAddr{9, "raw"},
	} {
		var sa sockaddr
		if a.encode(a.Family(), &sa) == nil {
			f.Add(sa.buf[:sa.n])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var sa, again sockaddr
		sa.n = uint32(copy(sa.buf[:], b))
		a := sa.addr()
		if a == nil {
			return
		}
		_ = a.String()
		if err := a.encode(a.Family(), &again); err != nil {
			return // too long to be given
		}
		if u, ok := a.(UnixAddr); ok && u.Name == "" {
			return // to bind to such a one is to let the system choose
		}
		if got := again.addr(); got != a {
			t.Errorf("%#v became %#v", a, got)
		}
	})
}
