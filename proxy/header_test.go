package proxy_test

import (
	"context"
	"hash/crc32"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/proxy"
	"trigo/trigotest"
)

func tcp(text string) net.Addr {
	a, err := net.ResolveTCPAddr("tcp", text)
	if err != nil {
		panic(err)
	}
	return a
}

func udp(text string) net.Addr {
	a, err := net.ResolveUDPAddr("udp", text)
	if err != nil {
		panic(err)
	}
	return a
}

const signature = "\r\n\r\n\x00\r\nQUIT\n"

func TestHeaderGoesOverAsTheProtocolHasIt(t *testing.T) {
	for name, c := range map[string]struct {
		h    proxy.Header
		wire string
	}{
		"1, IPv4": {
			proxy.Header{Version: 1, Source: tcp("192.0.2.1:51234"), Destination: tcp("192.0.2.2:443")},
			"PROXY TCP4 192.0.2.1 192.0.2.2 51234 443\r\n",
		},
		"1, IPv6": {
			proxy.Header{Version: 1, Source: tcp("[2001:db8::1]:65535"), Destination: tcp("[::]:0")},
			"PROXY TCP6 2001:db8::1 :: 65535 0\r\n",
		},
		"1, unknown": {proxy.Header{Version: 1}, "PROXY UNKNOWN\r\n"},
		"2, TCP over IPv4": {
			proxy.Header{Version: 2, Source: tcp("192.0.2.1:51234"), Destination: tcp("192.0.2.2:443")},
			signature + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xc8\x22\x01\xbb",
		},
		"2, UDP over IPv6": {
			proxy.Header{Version: 2, Source: udp("[::1]:1"), Destination: udp("[::2]:2")},
			signature + "\x21\x22\x00\x24" + strings.Repeat("\x00", 15) + "\x01" + strings.Repeat("\x00", 15) + "\x02" + "\x00\x01\x00\x02",
		},
		"2, Unix": {
			proxy.Header{Version: 2, Source: &net.UnixAddr{Name: "", Net: "unix"}, Destination: &net.UnixAddr{Name: "/s", Net: "unix"}},
			signature + "\x21\x31\x00\xd8" + strings.Repeat("\x00", 108) + "/s" + strings.Repeat("\x00", 106),
		},
		"2, abstract": {
			proxy.Header{Version: 2, Source: &net.UnixAddr{Name: "@a", Net: "unixgram"}, Destination: &net.UnixAddr{Name: "", Net: "unixgram"}},
			signature + "\x21\x32\x00\xd8" + "\x00a" + strings.Repeat("\x00", 214),
		},
		"2, unknown": {proxy.Header{Version: 2}, signature + "\x21\x00\x00\x00"},
		"2, local":   {proxy.Header{Version: 2, Local: true}, signature + "\x20\x00\x00\x00"},
		"2, TLVs": {
			proxy.Header{
				Version: 2, Source: tcp("1.2.3.4:5"), Destination: tcp("1.2.3.4:6"),
				TLVs: []proxy.TLV{{Type: 2, Value: []byte("name")}, {Type: 4, Value: []byte{}}},
			},
			signature + "\x21\x11\x00\x16\x01\x02\x03\x04\x01\x02\x03\x04\x00\x05\x00\x06" + "\x02\x00\x04name\x04\x00\x00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			pieces(t, func(t *testing.T, a, b trigo.Stream) {
				const early = "PROXY \r\n\r\n"
				check(t, proxy.SendHeader(t.Context(), a, &c.h))
				check(t, a.SendAll(t.Context(), []byte(early)))
				p := make([]byte, len(c.wire))
				for n := 0; n < len(p); {
					k, err := b.ReceiveSome(t.Context(), p[n:])
					check(t, err)
					n += k
				}
				if string(p) != c.wire {
					t.Fatalf("sent %q, want %q", p, c.wire)
				}
				answered(t, b, c.wire+early, false)
				h, err := proxy.AcceptHeader(t.Context(), a)
				check(t, err)
				if !sameHeader(h, &c.h) {
					t.Errorf("accepted %+v, want %+v", h, c.h)
				}
				if got := rest(t, b, a); got != early {
					t.Errorf("behind the header came %q, want %q", got, early)
				}
			})
		})
	}
}

// sameHeader compares what headers say, and not how they hold it.
func sameHeader(a, b *proxy.Header) bool {
	text := func(a net.Addr) string {
		if a == nil {
			return ""
		}
		return a.Network() + " " + a.String()
	}
	return a.Version == b.Version && a.Local == b.Local &&
		text(a.Source) == text(b.Source) && text(a.Destination) == text(b.Destination) &&
		reflect.DeepEqual(a.TLVs, b.TLVs)
}

func TestAddressesThatCannotBeExpressedAreNotKnown(t *testing.T) {
	unix := &net.UnixAddr{Name: "/s", Net: "unix"}
	var none *net.TCPAddr
	for name, h := range map[string]proxy.Header{
		"Unix in 1":    {Version: 1, Source: unix, Destination: unix},
		"UDP in 1":     {Version: 1, Source: udp("1.2.3.4:5"), Destination: udp("1.2.3.4:5")},
		"two kinds":    {Version: 2, Source: unix, Destination: tcp("1.2.3.4:5")},
		"one":          {Version: 2, Source: tcp("1.2.3.4:5")},
		"a nil one":    {Version: 2, Source: none, Destination: tcp("1.2.3.4:5")},
		"a long name":  {Version: 2, Source: &net.UnixAddr{Name: strings.Repeat("a", 109)}, Destination: unix},
		"no such IP":   {Version: 2, Source: &net.TCPAddr{IP: net.IP{1}}, Destination: tcp("1.2.3.4:5")},
		"nobody knows": {Version: 2, Source: &net.IPAddr{}, Destination: &net.IPAddr{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := trigotest.NewMemoryPair()
				defer a.Close(t.Context())
				defer b.Close(t.Context())
				check(t, proxy.SendHeader(t.Context(), a, &h))
				got, err := proxy.AcceptHeader(t.Context(), b)
				check(t, err)
				if got.Source != nil || got.Destination != nil || got.Local {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

func TestTwoFamiliesMeetInIPv6(t *testing.T) {
	for version := 1; version <= 2; version++ {
		synctest.Test(t, func(t *testing.T) {
			a, b := trigotest.NewMemoryPair()
			defer a.Close(t.Context())
			defer b.Close(t.Context())
			sent := &proxy.Header{Version: version, Source: tcp("1.2.3.4:5"), Destination: tcp("[::1]:6")}
			check(t, proxy.SendHeader(t.Context(), a, sent))
			got, err := proxy.AcceptHeader(t.Context(), b)
			check(t, err)
			if !sameHeader(got, sent) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// What the sender does not end is not waited for once it is wrong.
func TestAcceptHeaderRefusesGarbageAtOnce(t *testing.T) {
	v2 := func(command, family byte, length int, rest string) string {
		return signature + string([]byte{command, family, byte(length >> 8), byte(length)}) + rest
	}
	for name, text := range map[string]string{
		"no header":         "GET / HTTP/1.1\r\n",
		"nearly version 1":  "PROXZ",
		"nearly version 2":  "\r\n\r\n\x00\r\nQUIX",
		"empty line":        "\r\n\r\nG",
		"bare LF":           "PROXY UNKNOWN\n",
		"no family":         "PROXY TCP 1.2.3.4 1.2.3.4 1 1\r\n",
		"wrong family":      "PROXY TCP4 ::1 ::1 1 1\r\n",
		"mapped as IPv4":    "PROXY TCP4 ::ffff:1.2.3.4 1.2.3.4 1 1\r\n",
		"a zone":            "PROXY TCP6 fe80::1%a ::1 1 1\r\n",
		"leading zero":      "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
		"signed port":       "PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n",
		"port out of range": "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
		"two spaces":        "PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n",
		"one more":          "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n",
		"too long":          "PROXY UNKNOWN " + strings.Repeat("x", 100),
		"version 3":         v2(0x31, 0x11, 0, ""),
		"command 2":         v2(0x22, 0x11, 0, ""),
		"short addresses":   v2(0x21, 0x11, 11, strings.Repeat("x", 11)),
		"half a TLV":        v2(0x21, 0x11, 14, strings.Repeat("x", 14)),
		"long TLV":          v2(0x21, 0x11, 16, strings.Repeat("x", 12)+"\x01\x00\x02x"),
		"wrong checksum":    v2(0x21, 0x11, 19, strings.Repeat("x", 12)+"\x03\x00\x04abcd"),
		"short checksum":    v2(0x21, 0x11, 18, strings.Repeat("x", 12)+"\x03\x00\x03abc"),
	} {
		t.Run(name, func(t *testing.T) {
			pieces(t, func(t *testing.T, a, b trigo.Stream) {
				answered(t, a, text, false)
				h, err := proxy.AcceptHeader(t.Context(), b)
				wantFailure(t, err, "accept proxy header", proxy.ErrProtocol)
				if h != nil {
					t.Errorf("and %+v", h)
				}
			})
		})
	}
}

func TestWhatTheProtocolSkipsIsSkipped(t *testing.T) {
	for name, text := range map[string]string{
		"UNKNOWN with addresses":    "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
		"LOCAL with anything":       signature + "\x20\x11\x00\x03abc",
		"UNSPEC with anything":      signature + "\x21\x00\x00\x03abc",
		"a family yet to be":        signature + "\x21\x41\x00\x03abc",
		"a protocol not of the two": signature + "\x21\x10\x00\x03abc",
	} {
		t.Run(name, func(t *testing.T) {
			pieces(t, func(t *testing.T, a, b trigo.Stream) {
				answered(t, a, text+"rest", false)
				h, err := proxy.AcceptHeader(t.Context(), b)
				check(t, err)
				if h.Source != nil || h.Destination != nil || h.TLVs != nil {
					t.Errorf("got %+v", h)
				}
				if got := rest(t, a, b); got != "rest" {
					t.Errorf("behind the header came %q", got)
				}
			})
		})
	}
}

func TestChecksumIsVerified(t *testing.T) {
	p := []byte(signature + "\x21\x11\x00\x13" + "\x01\x02\x03\x04\x01\x02\x03\x04\x00\x05\x00\x06" + "\x03\x00\x04\x00\x00\x00\x00")
	sum := crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli))
	copy(p[len(p)-4:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	pieces(t, func(t *testing.T, a, b trigo.Stream) {
		answered(t, a, string(p), false)
		h, err := proxy.AcceptHeader(t.Context(), b)
		check(t, err)
		if len(h.TLVs) != 1 {
			t.Errorf("got %+v", h)
		}
	})
	p[20]++ // in an address
	pieces(t, func(t *testing.T, a, b trigo.Stream) {
		answered(t, a, string(p), false)
		_, err := proxy.AcceptHeader(t.Context(), b)
		wantFailure(t, err, "accept proxy header", proxy.ErrProtocol)
	})
}

func TestAcceptHeaderNeedsAllOfIt(t *testing.T) {
	for _, whole := range []string{
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
		signature + "\x21\x11\x00\x0c\x01\x02\x03\x04\x01\x02\x03\x04\x00\x05\x00\x06",
	} {
		for n := range len(whole) {
			pieces(t, func(t *testing.T, a, b trigo.Stream) {
				answered(t, a, whole[:n], true)
				_, err := proxy.AcceptHeader(t.Context(), b)
				wantFailure(t, err, "accept proxy header", io.ErrUnexpectedEOF)
			})
		}
	}
}

func TestHeaderForTakesTheAddressesOfTheOutermostLayerThatHasSome(t *testing.T) {
	h := proxy.HeaderFor(single{trigo.Staple(addressed{}, addressed{})}, 1)
	if h.Source != nil {
		t.Errorf("addresses of a layer that hides what is below: %+v", h)
	}
	h = proxy.HeaderFor(trigo.Staple(addressed{}, addressed{}), 2)
	want := &proxy.Header{Version: 2, Source: tcp("1.1.1.1:1"), Destination: tcp("2.2.2.2:2")}
	if !sameHeader(h, want) {
		t.Errorf("got %+v, want %+v", h, want)
	}
}

type addressed struct{ trigo.Stream }

func (addressed) RemoteAddr() net.Addr { return tcp("1.1.1.1:1") }
func (addressed) LocalAddr() net.Addr  { return tcp("2.2.2.2:2") }

func TestSweepHeader(t *testing.T) {
	header := &proxy.Header{Version: 2, Source: tcp("1.1.1.1:1"), Destination: tcp("2.2.2.2:2")}
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		x, y := trigotest.NewLockstepPair()
		b := s.Wrap(y)
		s.Close(x)
		s.Peer(func(ctx context.Context) error { return proxy.SendHeader(ctx, x, header) })
		if _, err := proxy.AcceptHeader(ctx, b); err != nil {
			return err
		}
		s.Usable(x, b)
		return nil
	}, &trigotest.SweepOptions{Bubble: true})
}
