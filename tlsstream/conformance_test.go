package tlsstream

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"

	"trigo"
	"trigo/trigotest"
)

// eachKind runs f for every version of TLS and every mode.
func eachKind(t *testing.T, f func(t *testing.T, config *tls.Config, opts *Options)) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		eachMode(t, func(t *testing.T, opts *Options) { f(t, config, opts) })
	})
}

// over makes pairs of streams over a transport, the handshake done.
func over(maker transportMaker, config *tls.Config, opts *Options) trigotest.StreamMaker[*Stream] {
	return func(ctx context.Context) (a, b *Stream, err error) {
		return shakenPair(ctx, maker, config, opts)
	}
}

func clogged(maker trigotest.StreamMaker[*Stream]) trigotest.StreamMaker[*Stream] {
	return func(ctx context.Context) (a, b *Stream, err error) {
		if a, b, err = maker(ctx); err != nil {
			return nil, nil, err
		}
		return a, b, errors.Join(trigotest.Clog(ctx, a), trigotest.Clog(ctx, b))
	}
}

func TestConformsOverMemory(t *testing.T) {
	eachKind(t, func(t *testing.T, config *tls.Config, opts *Options) {
		identity() // outside of the bubbles
		trigotest.CheckHalfCloseableStream(t, over(memoryTransport, config, opts), over(lockstepTransport, config, opts),
			&trigotest.CheckOptions{Bubble: true})
	})
}

func TestConformsOverTCP(t *testing.T) {
	eachKind(t, func(t *testing.T, config *tls.Config, opts *Options) {
		maker := over(tcpTransport, config, opts)
		trigotest.CheckHalfCloseableStream(t, maker, clogged(maker), nil)
	})
}

func TestConformsOverUnix(t *testing.T) {
	eachKind(t, func(t *testing.T, config *tls.Config, opts *Options) {
		maker := over(unixTransport(socketDir(t)), config, opts)
		trigotest.CheckHalfCloseableStream(t, maker, clogged(maker), &trigotest.CheckOptions{AbortIsEOF: opts != nil})
	})
}

// tlsTransport is TLS over a transport, as a transport for more TLS.
func tlsTransport(maker transportMaker, config *tls.Config) transportMaker {
	return func(ctx context.Context) (a, b trigo.Stream, err error) {
		return shakenPair(ctx, maker, config, nil)
	}
}

func TestConformsOverTLS(t *testing.T) {
	eachKind(t, func(t *testing.T, config *tls.Config, opts *Options) {
		identity()
		trigotest.CheckHalfCloseableStream(t,
			over(tlsTransport(memoryTransport, config), config, opts),
			over(tlsTransport(lockstepTransport, config), config, opts),
			&trigotest.CheckOptions{Bubble: true})
	})
}

// The halves of two connections, stapled, as a transport.
func TestConformsOverStapledSockets(t *testing.T) {
	stapled := func(ctx context.Context) (a, b trigo.Stream, err error) {
		a1, b1, err := tcpTransport(ctx)
		if err != nil {
			return nil, nil, err
		}
		a2, b2, err := tcpTransport(ctx)
		if err != nil {
			return nil, nil, err
		}
		return trigo.Staple(a1, a2), trigo.Staple(b2, b1), nil
	}
	eachKind(t, func(t *testing.T, config *tls.Config, opts *Options) {
		maker := over(stapled, config, opts)
		trigotest.CheckHalfCloseableStream(t, maker, clogged(maker), nil)
	})
}
