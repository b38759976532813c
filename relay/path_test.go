package relay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"trigo"
	"trigo/netstream"
	"trigo/relay"
	"trigo/trigotest"
)

// looker is a layer that looks at what is received. It embeds the stream below,
// and with it all the methods that give its descriptor to others.
type looker struct {
	*netstream.Stream
	seen bytes.Buffer
}

func (l *looker) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	n, err := l.Stream.ReceiveSome(ctx, p)
	l.seen.Write(p[:n])
	return n, err
}

func TestPathIsToldBeforeTheRelayRuns(t *testing.T) {
	_, tcp := sockets(t, "tcp")
	_, unix := sockets(t, "unix")
	memory, _ := trigotest.NewMemoryPair()
	looking := &looker{Stream: tcp}
	for name, c := range map[string]struct {
		src  trigo.ReceiveStream
		dst  trigo.SendStream
		mode relay.CopyMode
		path relay.Path
		why  string // a part of it
	}{
		"tcp to unix":            {tcp, unix, relay.CopyAuto, relay.PathSplice, ""},
		"unix to tcp":            {unix, tcp, relay.CopySplice, relay.PathSplice, ""},
		"told to copy":           {tcp, unix, relay.CopyPlain, relay.PathCopy, "told to"},
		"from memory":            {memory, unix, relay.CopySplice, relay.PathCopy, "memory is no bare"},
		"to memory":              {unix, memory, relay.CopyAuto, relay.PathCopy, "memory is no bare"},
		"from what embeds":       {looking, unix, relay.CopyAuto, relay.PathCopy, "no bare"},
		"to what embeds":         {unix, looking, relay.CopyAuto, relay.PathCopy, "no bare"},
		"stapled":                {trigo.Staple(memory, tcp), trigo.Staple(unix, memory), relay.CopyAuto, relay.PathSplice, ""},
		"stapled with a layer":   {trigo.Staple(tcp, looking), unix, relay.CopyAuto, relay.PathCopy, "no bare"},
		"with bytes in a buffer": {trigo.Staple(tcp, trigo.NewBufferedReceiver(tcp)), unix, relay.CopyAuto, relay.PathCopy, "no bare"},
	} {
		path, why := relay.PathFor(c.src, c.dst, c.mode)
		wantPath, wantWhy := c.path, c.why
		if !splices && wantPath != relay.PathCopy {
			wantPath, wantWhy = relay.PathCopy, "this system"
		}
		if path != wantPath || (why == "") != (wantWhy == "") || !strings.Contains(why, wantWhy) {
			t.Errorf("%s: %v, %q; want %v, %q", name, path, why, wantPath, wantWhy)
		}
	}
}

func TestPathOfAClosedStreamIsCopy(t *testing.T) {
	_, a := sockets(t, "tcp")
	_, b := sockets(t, "tcp")
	b.Close(t.Context())
	if path, why := relay.PathFor(a, b, relay.CopyAuto); path != relay.PathCopy || why == "" {
		t.Errorf("%v, %q", path, why)
	}
}

func TestLayerThatEmbedsAStreamIsNotBypassed(t *testing.T) {
	client, below := sockets(t, "unix")
	b, server := sockets(t, "unix")
	a := &looker{Stream: below}
	running := start(t.Context(), a, b, &relay.Options{Copy: relay.CopySplice})
	text := string(noise(6, 300_000))
	go func() {
		send(t, client, text)
		sendEOF(t, client)
	}()
	wantReceive(t, server, text, io.EOF)
	sendEOF(t, server)
	report, err := running.wait()
	if err != nil || report.AToB.InKernel != 0 || report.AToB.Why == "" {
		t.Errorf("%v, %+v", err, report)
	}
	if a.seen.String() != text {
		t.Errorf("the layer has seen %d bytes of %d", a.seen.Len(), len(text))
	}
}

func TestReportTellsTheWayOfTheBytes(t *testing.T) {
	if !splices {
		t.Skip("this system does not splice")
	}
	big, small := string(noise(7, 1<<20)), "hello"
	for _, c := range []struct {
		mode     relay.CopyMode
		text     string
		path     relay.Path
		why      string
		inKernel func(n int64) bool
	}{
		{relay.CopyAuto, big, relay.PathSplice, "", func(n int64) bool { return n > 0 }},
		{relay.CopyAuto, small, relay.PathCopy, "nothing came in bulk", func(n int64) bool { return n == 0 }},
		{relay.CopySplice, big, relay.PathSplice, "", func(n int64) bool { return n == 1<<20 }},
		{relay.CopySplice, small, relay.PathSplice, "", func(n int64) bool { return n == 5 }},
		{relay.CopyPlain, big, relay.PathCopy, "told to copy", func(n int64) bool { return n == 0 }},
	} {
		for _, network := range []string{"tcp", "unix"} {
			client, a := sockets(t, network)
			b, server := sockets(t, network)
			// All of it is there when the relay begins, or as much as fits.
			sent := make(chan error, 1)
			go func() {
				err := client.SendAll(t.Context(), []byte(c.text))
				sent <- errors.Join(err, client.SendEOF(t.Context()))
			}()
			sendEOF(t, server)
			running := start(t.Context(), a, b, &relay.Options{Copy: c.mode})
			wantReceive(t, server, c.text, io.EOF)
			report, err := running.wait()
			d := report.AToB
			if err != nil || <-sent != nil || d.Path != c.path || d.Why != c.why || !c.inKernel(d.InKernel) {
				t.Errorf("%s, %s, %d bytes: %v, %+v", network, c.mode, len(c.text), err, d)
			}
		}
	}
}

func TestNamesOfModesAndPaths(t *testing.T) {
	for got, want := range map[string]string{
		relay.CopySplice.String():   "splice",
		relay.PathSendfile.String(): "sendfile",
		relay.Path(-1).String():     "Path(-1)",
		relay.CopyMode(9).String():  "CopyMode(9)",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
