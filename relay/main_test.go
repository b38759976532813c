package relay_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"trigo"
	"trigo/relay"
	"trigo/trigotest"
)

func TestMain(m *testing.M) { trigotest.Main(m) }

// joint is a relay between two streams in memory, and the peers on their far
// ends.
type joint struct {
	t              *testing.T
	client, server *trigo.StapledStream // the peers
	a, b           *trigo.StapledStream // the sides of the relay
	began          time.Time
	done           chan struct{}
	report         relay.Report
	err            error
}

// join starts a relay. adapt, if not nil, gives the streams it really gets.
func join(t *testing.T, ctx context.Context, opts *relay.Options, adapt func(j *joint) (a, b trigo.Stream)) *joint {
	return joinPairs(t, ctx, trigotest.NewMemoryPair, opts, adapt)
}

func joinPairs(t *testing.T, ctx context.Context, pair func() (a, b *trigo.StapledStream), opts *relay.Options, adapt func(j *joint) (a, b trigo.Stream)) *joint {
	j := &joint{t: t, done: make(chan struct{}), began: time.Now()}
	j.client, j.a = pair()
	j.b, j.server = pair()
	var a, b trigo.Stream = j.a, j.b
	if adapt != nil {
		a, b = adapt(j)
	}
	go func() {
		defer close(j.done)
		j.report, j.err = relay.Run(ctx, a, b, opts)
	}()
	return j
}

// wait waits for the end of the relay and returns how long that took since it
// began.
func (j *joint) wait() time.Duration {
	<-j.done
	return time.Since(j.began)
}

func (j *joint) wantEnds(ab, ba relay.End) {
	j.t.Helper()
	if j.report.AToB.End != ab || j.report.BToA.End != ba {
		j.t.Errorf("ends are a->b %v, b->a %v; want %v, %v", j.report.AToB.End, j.report.BToA.End, ab, ba)
	}
}

func (j *joint) wantError(side string, kinds ...error) {
	j.t.Helper()
	var e *relay.Error
	if !errors.As(j.err, &e) {
		j.t.Fatalf("the error is %v (%T), want a *relay.Error", j.err, j.err)
	}
	if e.Side != side {
		j.t.Errorf("side %q is blamed, want %q: %v", e.Side, side, j.err)
	}
	for _, kind := range kinds {
		if !errors.Is(j.err, kind) {
			j.t.Errorf("the error %v is not %v", j.err, kind)
		}
	}
}

func send(t *testing.T, s trigo.SendStream, text string) {
	t.Helper()
	if err := s.SendAll(context.Background(), []byte(text)); err != nil {
		t.Fatalf("send %.20q: %v", text, err)
	}
}

func sendEOF(t *testing.T, s trigo.HalfCloseableStream) {
	t.Helper()
	if err := s.SendEOF(context.Background()); err != nil {
		t.Fatalf("send EOF: %v", err)
	}
}

// wantReceive wants exactly text and then, if after is not nil, that end.
func wantReceive(t *testing.T, s trigo.ReceiveStream, text string, after error) {
	t.Helper()
	got := make([]byte, len(text))
	for n := 0; n < len(got); {
		k, err := s.ReceiveSome(context.Background(), got[n:])
		if err != nil {
			t.Fatalf("received %d bytes, %.40q, and then %v; want %d, %.40q", n, got[:n], err, len(text), text)
		}
		n += k
	}
	if string(got) != text {
		t.Fatalf("received %.40q, want %.40q, or what comes after that", got, text)
	}
	if after == nil {
		return
	}
	n, err := s.ReceiveSome(context.Background(), make([]byte, 100))
	if n != 0 || !errors.Is(err, after) || (after == io.EOF && err != io.EOF) {
		t.Fatalf("after %.20q came %d bytes and %v, want %v", text, n, err, after)
	}
}

// breakReceive makes a memory stream fail for whoever receives from it.
func breakReceive(s *trigo.StapledStream, cause error) {
	s.Receive.(*trigotest.MemoryReceiveStream).PutError(cause)
}

// breakSend makes a memory stream fail for whoever sends to it.
func breakSend(s *trigo.StapledStream, err error) {
	s.Send.(*trigotest.MemorySendStream).SendAllHook = func(context.Context) error { return err }
}

var errCable = errors.New("the cable was cut")
