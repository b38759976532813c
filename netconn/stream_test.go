package netconn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/trigotest"
)

// pipeStreams are the ends of a net.Pipe as streams.
func pipeStreams(context.Context) (a, b trigo.HalfCloseableStream, err error) {
	x, y := net.Pipe()
	return Stream(x), Stream(y), nil
}

func TestAPipeConforms(t *testing.T) {
	trigotest.CheckTwoWayStream(t, pipeStreams, nil, &trigotest.CheckOptions{Bubble: true, AbortIsEOF: true})
}

// foreign is a connection that package netstream does not know.
type foreign struct{ *net.TCPConn }

func foreignStreams(ctx context.Context) (a, b trigo.HalfCloseableStream, err error) {
	x, y, err := tcpPair(ctx)
	if err != nil {
		return nil, nil, err
	}
	wrap := func(s trigo.Stream) trigo.HalfCloseableStream {
		c, _ := trigo.As[*net.TCPConn](s)
		return Stream(foreign{c})
	}
	return wrap(x), wrap(y), nil
}

func TestAnyConnectionConforms(t *testing.T) {
	trigotest.CheckHalfCloseableStream(t, foreignStreams, nil, nil)
}

// A connection of ours, by its deadlines only.
func TestAConnThatHidesItsStreamConforms(t *testing.T) {
	type hidden struct {
		net.Conn
		halfCloser
	}
	wrap := func(s trigo.Stream) trigo.HalfCloseableStream {
		c := Conn(s, nil)
		return Stream(hidden{c, c.(halfCloser)})
	}
	trigotest.CheckHalfCloseableStream(t, func(ctx context.Context) (a, b trigo.HalfCloseableStream, err error) {
		x, y, err := lockstepPair(ctx)
		return wrap(x), wrap(y), err
	}, nil, &trigotest.CheckOptions{Bubble: true, AbortIsEOF: true})
}

type halfCloser interface{ CloseWrite() error }

func TestStreamTakesTheShortWay(t *testing.T) {
	x, y, err := tcpPair(t.Context())
	check(t, err)
	defer y.Close(t.Context())
	if s := Stream(Conn(x, nil)); s != x {
		t.Errorf("of a Conn: a %T", s)
	}
	s := Stream(mustAs[*net.TCPConn](t, x))
	defer s.Close(t.Context())
	if _, ok := s.(*netstream.Stream); !ok {
		t.Errorf("of a TCP connection: a %T", s)
	}
}

// Before, during, and out of time; and then it goes on.
func TestACancelledCallOfAPipeLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, _ := pipeStreams(t.Context())
		defer a.Close(t.Context())
		defer b.Close(t.Context())
		p := make([]byte, 10)
		cause := errors.New("enough")

		dead, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		_, err := a.ReceiveSome(dead, p)
		wantIs(t, err, context.Canceled, cause)
		wantIs(t, a.SendAll(dead, p), context.Canceled, cause)

		during, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		_, err = a.ReceiveSome(during, p)
		wantIs(t, err, context.Canceled, cause)

		late, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		received := start(func() (int, error) { return b.ReceiveSome(t.Context(), make([]byte, 2)) })
		err = a.SendAll(late, []byte("hello"))
		wantIs(t, err, context.DeadlineExceeded)
		if n := sent(err); n != 2 {
			t.Errorf("sent %d, want 2", n)
		}
		<-received

		go a.SendAll(t.Context(), []byte("llo"))
		n, err := b.ReceiveSome(t.Context(), p)
		if string(p[:n]) != "llo" || err != nil {
			t.Errorf("then received %q, %v", p[:n], err)
		}
	})
}

func wantIs(t *testing.T, err error, kinds ...error) {
	t.Helper()
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			t.Errorf("got %v, want %v", err, kind)
		}
	}
}

func TestSweepPipe(t *testing.T) {
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		x, y := net.Pipe()
		a, b := s.Usable(s.Wrap(Stream(x)), Stream(y))
		s.Peer(func(ctx context.Context) error {
			for {
				if _, err := b.ReceiveSome(ctx, make([]byte, 2)); err != nil {
					return err
				}
			}
		})
		for range 3 {
			if err := a.SendAll(ctx, []byte("hello")); err != nil {
				return err
			}
		}
		return nil
	}, &trigotest.SweepOptions{Bubble: true})
}

func TestWhatAConnectionLacksIsUnsupported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := net.Pipe()
		defer y.Close()
		s := Stream(noDeadlines{x})
		defer s.Close(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := s.ReceiveSome(ctx, make([]byte, 1))
		wantIs(t, err, errors.ErrUnsupported)
		wantIs(t, s.SendAll(ctx, []byte("x")), errors.ErrUnsupported)
		wantIs(t, s.SendEOF(ctx), errors.ErrUnsupported)
		go y.Write([]byte("x"))
		_, err = s.ReceiveSome(context.Background(), make([]byte, 1)) // needs none
		check(t, err)
	})
}

type noDeadlines struct{ net.Conn }

var errNoDeadlines = errors.New("deadlines are not supported")

func (noDeadlines) SetReadDeadline(time.Time) error  { return errNoDeadlines }
func (noDeadlines) SetWriteDeadline(time.Time) error { return errNoDeadlines }

// odd is a connection whose Read does what an io.Reader may do.
type odd struct {
	net.Conn
	reads []result
}

func (o *odd) Read(p []byte) (int, error) {
	r := o.reads[0]
	if len(o.reads) > 1 {
		o.reads = o.reads[1:]
	}
	return r.n, r.err
}

func TestBytesAndAnErrorAtOnceComeOneAfterTheOther(t *testing.T) {
	x, y := net.Pipe()
	defer y.Close()
	why := errors.New("the cable is cut")
	s := Stream(&odd{x, []result{{0, nil}, {3, why}, {5, nil}}})
	defer s.Close(t.Context())
	if n, err := s.ReceiveSome(t.Context(), make([]byte, 8)); n != 3 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	for range 2 { // it stays
		n, err := s.ReceiveSome(t.Context(), make([]byte, 8))
		wantIs(t, err, why, trigo.ErrBroken)
		if n != 0 {
			t.Errorf("and %d bytes", n)
		}
	}

	s = Stream(&odd{x, []result{{3, io.EOF}, {5, nil}}})
	if n, err := s.ReceiveSome(t.Context(), make([]byte, 8)); n != 3 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if n, err := s.ReceiveSome(t.Context(), make([]byte, 8)); n != 0 || err != io.EOF {
		t.Errorf("got %d, %v", n, err)
	}
}

// crypto/tls would wait 5 seconds for a peer that does not read.
func TestCloseOfATLSConnectionHeedsItsContext(t *testing.T) {
	identity()
	for name, abort := range map[string]func(ctx context.Context, s trigo.Stream) error{
		"dead ctx": func(_ context.Context, s trigo.Stream) error { return trigo.CloseForcefully(s) },
		"abort":    func(_ context.Context, s trigo.Stream) error { return trigo.Abort(s) },
		"deadline": func(ctx context.Context, s trigo.Stream) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				return errors.Join(errors.New("no timeout"), err)
			}
			return nil
		},
		"dead ctx, behind a patient one": behindClose(trigo.CloseForcefully),
		"abort, behind a patient Close":  behindClose(trigo.Abort),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config, serverConfig := clientConfig(), serverConfig()
				config.InsecureSkipVerify = true // the clock of a bubble says 2000
				x, y := net.Pipe()
				client, server := tls.Client(x, config), tls.Server(y, serverConfig)
				read := start(func() (int, error) { return client.Read(make([]byte, 1)) })
				check(t, server.Handshake())
				_, err := server.Write([]byte("x"))
				check(t, err)
				<-read
				s := Stream(server)
				begin := time.Now()
				check(t, abort(t.Context(), s))
				if limit := 1100 * time.Millisecond; time.Since(begin) > limit {
					t.Errorf("it took %v", time.Since(begin))
				}
				client.NetConn().Close()
				y.Close()
			})
		})
	}
}

// behindClose ends a stream that another Close is saying goodbye to.
func behindClose(end func(trigo.Resource) error) func(context.Context, trigo.Stream) error {
	return func(ctx context.Context, s trigo.Stream) error {
		patient := make(chan error)
		go func() { patient <- s.Close(ctx) }()
		synctest.Wait()
		err := end(s)
		<-patient // with an error or not: crypto/tls has not said goodbye
		return err
	}
}

func TestEndInsideARecordIsTruncation(t *testing.T) {
	x, y := net.Pipe()
	s, server := Stream(tls.Client(x, clientConfig())), tls.Server(y, serverConfig())
	defer trigo.Abort(s)
	go func() {
		server.Handshake()
		y.Write([]byte{23, 3, 3, 0, 100, 1, 2, 3})
		y.Close()
	}()
	for range 2 { // it stays
		_, err := s.ReceiveSome(t.Context(), make([]byte, 1))
		wantIs(t, err, trigo.ErrTruncated, io.ErrUnexpectedEOF)
	}
}
