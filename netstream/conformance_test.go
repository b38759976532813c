package netstream

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"trigo"
	"trigo/trigotest"
)

// dialled makes a pair of streams through a listener and a dial, as users do.
func dialled(ctx context.Context, l *Listener, dial func() (*Stream, error)) (a, b *Stream, err error) {
	defer trigo.CloseForcefully(l)
	if a, err = dial(); err != nil {
		return nil, nil, err
	}
	b, err = l.Accept(ctx)
	return a, b, err
}

func tcpStreams(ctx context.Context) (a, b *Stream, err error) {
	ls, err := ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return nil, nil, err
	}
	return dialled(ctx, ls[0], func() (*Stream, error) { return DialTCP(ctx, ls[0].Addr().String(), nil) })
}

var abstractNames atomic.Int64

// unixStreams uses an abstract name where there are any: no file to clean up.
func unixStreams(dir string) func(ctx context.Context) (a, b *Stream, err error) {
	return func(ctx context.Context) (a, b *Stream, err error) {
		path := fmt.Sprintf("%s/%d", dir, abstractNames.Add(1))
		l, err := ListenUnix(ctx, path, nil)
		if err != nil {
			return nil, nil, err
		}
		return dialled(ctx, l, func() (*Stream, error) { return DialUnix(ctx, path) })
	}
}

// clogged fills both directions of what maker makes.
func clogged(maker trigotest.StreamMaker[*Stream]) trigotest.StreamMaker[*Stream] {
	return func(ctx context.Context) (a, b *Stream, err error) {
		if a, b, err = maker(ctx); err != nil {
			return nil, nil, err
		}
		return a, b, errors.Join(trigotest.Clog(ctx, a), trigotest.Clog(ctx, b))
	}
}

func TestTCPConforms(t *testing.T) {
	trigotest.CheckHalfCloseableStream(t, tcpStreams, clogged(tcpStreams), nil)
}

func TestUnixConforms(t *testing.T) {
	maker := unixStreams(socketDir(t))
	trigotest.CheckHalfCloseableStream(t, maker, clogged(maker), &trigotest.CheckOptions{AbortIsEOF: true})
}

// TestStapledSocketsConform: the halves of two connections, stapled.
func TestStapledSocketsConform(t *testing.T) {
	maker := func(ctx context.Context) (a, b *trigo.StapledStream, err error) {
		a1, b1, err := tcpStreams(ctx)
		if err != nil {
			return nil, nil, err
		}
		a2, b2, err := tcpStreams(ctx)
		if err != nil {
			return nil, nil, err
		}
		return trigo.Staple(a1, a2), trigo.Staple(b2, b1), nil
	}
	trigotest.CheckHalfCloseableStream(t, maker, nil, nil)
}
