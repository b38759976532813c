package proxy_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"trigo"
	"trigo/proxy"
	"trigo/trigotest"
)

// handed is a stream that receives what a test has put there, and an end.
// Whatever is sent into it is gone.
func handed(p []byte) trigo.Stream {
	receive := trigotest.NewMemoryReceiveStream()
	receive.PutData(p)
	receive.PutEOF()
	return trigo.Staple(trigotest.NewMemorySendStream(), receive)
}

// left returns how many bytes s still has.
func left(t *testing.T, s trigo.Stream) int {
	n := 0
	for chunk, err := range trigo.Chunks(context.Background(), s) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(chunk)
	}
	return n
}

// wantKind wants an error to be one of those that foreign bytes can cause.
func wantKind(t *testing.T, err error, kinds ...error) {
	for _, kind := range append(kinds, proxy.ErrProtocol, io.ErrUnexpectedEOF) {
		if errors.Is(err, kind) {
			return
		}
	}
	t.Fatalf("an error of no kind: %v", err)
}

func FuzzConnectAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\n\r\nrest"))
	f.Add([]byte("HTTP/1.0 407 No\r\nA: b\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 100 \r\n\r\nHTTP/1.1 299 \r\n\r\n"))
	f.Fuzz(func(t *testing.T, p []byte) {
		ctx := context.Background()
		s := handed(p)
		err := proxy.Connect(ctx, s, "a:1", nil)
		if err != nil {
			wantKind(t, err, proxy.ErrRefused)
			return
		}
		// A tunnel is what is left after an empty line.
		used := len(p) - left(t, s)
		if used < 16 || string(p[used-4:used]) != "\r\n\r\n" {
			t.Fatalf("took %q", p[:used])
		}
	})
}

func FuzzConnectRequest(f *testing.F) {
	f.Add([]byte("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic YTpi\r\n\r\nrest"))
	f.Add([]byte("CONNECT [::1]:443 HTTP/1.0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, p []byte) {
		ctx := context.Background()
		s := handed(p)
		r, err := proxy.AcceptConnect(ctx, s)
		if err != nil {
			wantKind(t, err)
			return
		}
		// What was accepted can be asked for again, and is understood alike.
		a, b := trigotest.NewMemoryPair()
		if err := b.SendAll(ctx, []byte("HTTP/1.1 200\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if err := proxy.Connect(ctx, a, r.Target, nil); err != nil {
			t.Fatal(err)
		}
		again, err := proxy.AcceptConnect(ctx, b)
		if err != nil || again.Target != r.Target {
			t.Fatalf("%q became %+v, %v", r.Target, again, err)
		}
	})
}

func FuzzSOCKS5Answer(f *testing.F) {
	f.Add([]byte("\x05\x00\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50rest"))
	f.Add([]byte("\x05\x02\x01\x00\x05\x00\x00\x03\x01a\x00\x50"))
	f.Add([]byte("\x05\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, p []byte) {
		s := handed(p)
		err := proxy.SOCKS5(context.Background(), s, "a:1", &proxy.SOCKS5Options{Auth: &proxy.Auth{User: "u"}})
		if err != nil {
			wantKind(t, err, proxy.ErrRefused)
			return
		}
		if used := len(p) - left(t, s); used < 9 {
			t.Fatalf("took %q", p[:used])
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nrest"))
	f.Add([]byte("PROXY TCP6 ::1 ::ffff:1.2.3.4 9 10\r\n"))
	f.Add([]byte("PROXY UNKNOWN x\r\n"))
	f.Add([]byte(signature + "\x21\x11\x00\x16\x01\x02\x03\x04\x01\x02\x03\x04\x00\x05\x00\x06" + "\x02\x00\x04name\x04\x00\x00"))
	f.Add([]byte(signature + "\x20\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, p []byte) {
		ctx := context.Background()
		s := handed(p)
		h, err := proxy.AcceptHeader(ctx, s)
		if err != nil {
			wantKind(t, err)
			return
		}
		rest := left(t, s)
		for _, tlv := range h.TLVs {
			if tlv.Type == 3 {
				return // a checksum, which is not right any more once the rest is written anew
			}
		}
		// What was understood can be said again, and is understood alike.
		a, b := trigotest.NewMemoryPair()
		if err := proxy.SendHeader(ctx, a, h); err != nil {
			t.Fatalf("%+v, of %q: %v", h, p[:len(p)-rest], err)
		}
		again, err := proxy.AcceptHeader(ctx, b)
		if err != nil || !sameHeader(h, again) {
			t.Fatalf("%+v became %+v, %v", h, again, err)
		}
	})
}
