package endpoint

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/socket"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

var longText = strings.Repeat("all of this comes back. ", 20_000)

func TestEachTransportOfStreamsCarriesBothWaysAndTheEnd(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ listen, dial string }{
		{"tcp-listen:127.0.0.1:0", "tcp:127.0.0.1:PORT"},
		{"tcp-listen:[::1]:0,backlog=5,reuseport,nodelay=off,keepalive=20s", "tcp,host=::1,port=PORT"},
		{"tcp-listen:0", "tcp:localhost:PORT,bind=127.0.0.1,nodelay=off,keepalive=30s,sndbuf=64k,rcvbuf=64k,user-timeout=10s,notsent-lowat=16k"},
		{"unix-listen:" + dir + "/s,mode=0600,max=3", "unix:" + dir + "/s"},
		{"count+tcp-listen:127.0.0.1:0", "idle=5s+life=10s+rate=1GB/s,burst=1M+count+tcp:127.0.0.1:PORT"},
		{"fault,chunk=1-100+tcp-listen:127.0.0.1:0", "fault,seed=3,chunk=70k+tcp:127.0.0.1:PORT"},
	} {
		t.Run(c.listen, func(t *testing.T) {
			if contains(c.listen, "[::1]") {
				probe, err := net.Listen("tcp", "[::1]:0")
				if err != nil {
					t.Skip("no IPv6 loopback:", err)
				}
				probe.Close()
			}
			sv := serve(t, c.listen, nil, echoing)
			roundTrip(t, dial(t, nil, "%s", strings.ReplaceAll(c.dial, "PORT", sv.port)), longText)
		})
	}
}

func TestSocketOptionsAreSet(t *testing.T) {
	sv := serve(t, "tcp-listen:127.0.0.1:0", nil, echoing)
	s := dial(t, nil, "tcp:127.0.0.1:%s,nodelay=off,sndbuf=100k", sv.port)
	sock, err := s.(*netstream.Stream).Socket()
	if err != nil {
		t.Fatal(err)
	}
	if v, err := sock.GetsockoptInt(syscall.IPPROTO_TCP, syscall.TCP_NODELAY); v != 0 || err != nil {
		t.Errorf("TCP_NODELAY is %d, %v", v, err)
	}
	if v, err := sock.GetsockoptInt(syscall.SOL_SOCKET, syscall.SO_SNDBUF); v < 100<<10 || err != nil {
		t.Errorf("SO_SNDBUF is %d, %v", v, err)
	}
	if mode := func() os.FileMode {
		path := filepath.Join(t.TempDir(), "s")
		serve(t, "unix-listen:"+path+",mode=0620", nil, echoing)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}(); mode != 0o620 {
		t.Errorf("the mode of the socket is %v", mode)
	}
}

func TestAListenerCanShareItsPort(t *testing.T) {
	sv := serve(t, "tcp-listen:127.0.0.1:0,reuseport", nil, echoing)
	serve(t, "tcp-listen:127.0.0.1:"+sv.port+",reuseport", nil, echoing)
	_, err := parsed(t, "tcp-listen:127.0.0.1:%s", sv.port).Listen(t.Context(), nil)
	wantError(t, err, PhaseListen, "address already in use", "port 0 takes a free one")
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Error(err)
	}
}

func TestTheFamilyIsRestricted(t *testing.T) {
	sv := serve(t, "tcp-listen:0", &Options{Family: 4}, echoing)
	roundTrip(t, dial(t, &Options{Family: 4}, "tcp:localhost:%s", sv.port), "x")
	_, err := parsed(t, "tcp:[::1]:%s", sv.port).Dial(limited(t), &Options{Family: 4})
	wantError(t, err, PhaseConnect, "other family", "")
}

type fixedResolver map[string]netip.Addr

func (r fixedResolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, ok := r[host]; ok {
		return []netip.Addr{a}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func TestNamesAreLookedUpByTheResolverOfTheCtx(t *testing.T) {
	sv := serve(t, "tcp-listen:127.0.0.1:0", nil, echoing)
	ctx := socket.WithResolver(limited(t), fixedResolver{"db.test": netip.MustParseAddr("127.0.0.1")})
	s, err := parsed(t, "tcp:db.test:%s", sv.port).Dial(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, s, "x")
	_, err = parsed(t, "tcp:other.test:1").Dial(ctx, nil)
	wantError(t, err, PhaseResolve, "other.test", "no such name")
}

func TestARefusedConnectionSaysSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	var steps []Step
	_, err = parsed(t, "tcp:%s", address).Dial(limited(t), &Options{Observe: func(s Step) { steps = append(steps, s) }})
	wantError(t, err, PhaseConnect, "connection refused", "nobody listens there")
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
	if len(steps) != 1 || steps[0].Report == nil || len(steps[0].Report.Attempts) != 1 || steps[0].Err != err || steps[0].Stream != nil {
		t.Errorf("%+v", steps)
	}
}

func TestACancelIsTheCallersAndNotATimeout(t *testing.T) {
	why := errors.New("not any more")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	for _, text := range []string{"tcp:127.0.0.1:1", "unix:/nobody", "echo", "udp:127.0.0.1:1", "file:/dev/null", "stdio", "fd:0", "exec"} {
		e := parsed(t, "%s", text)
		opts := &Options{}
		if text == "exec" {
			opts.Argv = []string{"true"}
		}
		r, err := e.Prepare(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Dial(ctx)
		var failure *Error
		if !errors.Is(err, why) || !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) || !errors.As(err, &failure) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestWhoDoesNotListenCannotBeListenedTo(t *testing.T) {
	_, err := parsed(t, "tcp:h:1").Listen(t.Context(), nil)
	wantError(t, err, PhaseListen, "it does not listen", "")
	_, err = parsed(t, "tcp-listen:1").Dial(t.Context(), nil)
	wantError(t, err, PhaseOpen, "it listens and cannot be dialled", "")
	_, err = Endpoint{}.Dial(t.Context(), nil)
	wantError(t, err, PhasePrepare, "without layers", "")
}

func TestAtItsLimitAListenerWaits(t *testing.T) {
	release := make(chan struct{})
	began := make(chan struct{}, 10)
	sv := serve(t, "tcp-listen:0,max=1", nil, func(ctx context.Context, s trigo.Stream) error {
		began <- struct{}{}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return s.SendAll(ctx, []byte("done"))
	})
	first := dial(t, nil, "tcp:127.0.0.1:%s", sv.port)
	second := dial(t, nil, "tcp:127.0.0.1:%s", sv.port)
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	select {
	case <-began:
		t.Error("two connections are served at a time")
	case <-ctx.Done():
	}
	release <- struct{}{}
	exactly(t, first, 4)
	<-began
	release <- struct{}{}
	exactly(t, second, 4)
}

func TestStreamsWithinTheProcess(t *testing.T) {
	ctx := limited(t)
	roundTrip(t, dial(t, nil, "echo"), "hello")
	got, err := receiveAll(ctx, dial(t, nil, "literal:a%%2Cb%%0A"))
	if string(got) != "a,b\n" || err != nil {
		t.Errorf("literal: %q, %v", got, err)
	}
	got, err = receiveAll(ctx, dial(t, nil, "zero:70k"))
	if len(got) != 70<<10 || err != nil {
		t.Errorf("zero: %d, %v", len(got), err)
	}
	d := dial(t, nil, "discard").(trigo.HalfCloseableStream)
	if err := d.SendAll(ctx, []byte(longText)); err != nil {
		t.Error(err)
	}
	if err := d.SendEOF(ctx); err != nil {
		t.Error(err)
	}
	if n, err := d.ReceiveSome(ctx, make([]byte, 1)); err != io.EOF {
		t.Errorf("discard: %d, %v", n, err)
	}
}

func TestMembersOfAHubAreThoseOfOneRecipe(t *testing.T) {
	ctx := limited(t)
	recipe, err := parsed(t, "hub,lag=1k").Prepare(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	var members []trigo.Stream
	for range 3 {
		s, err := recipe.Dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer trigo.CloseForcefully(s)
		members = append(members, s)
	}
	if err := members[0].SendAll(ctx, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	for _, m := range members[1:] {
		if got := exactly(t, m, 5); got != "hello" {
			t.Errorf("received %q", got)
		}
	}
}

func TestFilesAreOpenedForTheDirectionOfTheBytes(t *testing.T) {
	ctx := limited(t)
	path := filepath.Join(t.TempDir(), "f")
	write := func(options, text string) {
		t.Helper()
		s := dial(t, &Options{Direction: SendOnly}, "file:%s%s", path, options)
		if err := s.SendAll(ctx, []byte(text)); err != nil {
			t.Error(err)
		}
		if err := s.(trigo.HalfCloseableStream).SendEOF(ctx); err != nil {
			t.Error(err)
		}
		if n, err := s.ReceiveSome(ctx, make([]byte, 1)); err != io.EOF {
			t.Errorf("receiving: %d, %v", n, err)
		}
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	read := func(options, want string) {
		t.Helper()
		s := dial(t, &Options{Direction: ReceiveOnly}, "file:%s%s", path, options)
		if got, err := receiveAll(ctx, s); string(got) != want || err != nil {
			t.Errorf("the file is %q, %v; want %q", got, err, want)
		}
		if err := s.SendAll(ctx, []byte("x")); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("sending: %v", err)
		}
	}
	_, err := parsed(t, "file:%s", path).Dial(ctx, &Options{Direction: SendOnly})
	wantError(t, err, PhaseOpen, "no such file", "create makes a file")
	write(",create,mode=0640", "first and long")
	read("", "first and long")
	write(",create", "second")
	read("", "second")
	write(",append", " third")
	read("", "second third")
	write(",seek=3", "OND")
	read(",seek=3", "OND third")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o137 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	both := dial(t, nil, "file:%s,append", path)
	if err := both.SendAll(ctx, []byte("!")); err != nil {
		t.Error(err)
	}
	if got, err := receiveAll(ctx, both); string(got) != "secOND third!" || err != nil {
		t.Errorf("the file is %q, %v", got, err)
	}
	_, err = parsed(t, "file:%s,create", path).Dial(ctx, &Options{Direction: ReceiveOnly})
	wantError(t, err, PhasePrepare, "it is only read", "")
}

func TestValuesAreReadWhenTheEndpointIsPrepared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "limit")
	if err := os.WriteFile(path, []byte("64k\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TRIGO_TEST_RATE", "soon")
	if _, err := parsed(t, "rate=1MB/s,burst=@%s+echo", path).Dial(t.Context(), nil); err != nil {
		t.Error(err)
	}
	_, err := parsed(t, "rate=1MB/s,burst=@%s.no+echo", path).Dial(t.Context(), nil)
	wantError(t, err, PhasePrepare, "rate: burst: open", "")
	_, err = parsed(t, "rate=1MB/s,burst=env:TRIGO_TEST_RATE+echo").Dial(t.Context(), nil)
	wantError(t, err, PhasePrepare, `rate: burst: "soon" is not a size`, "want a size")
	_, err = parsed(t, "rate=1MB/s,burst=env:TRIGO_TEST_NO+echo").Dial(t.Context(), nil)
	wantError(t, err, PhasePrepare, "rate: burst: there is no variable TRIGO_TEST_NO", "")
}
