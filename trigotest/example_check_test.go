package trigotest_test

import (
	"bytes"
	"context"
	"testing"

	"trigo"
	"trigo/trigotest"
)

// rot13 is a stream of one's own over any other. As it waits for nothing but
// the stream below, everything there is to know about cancelling and closing
// comes from there.
type rot13 struct{ trigo.HalfCloseableStream }

func (r rot13) SendAll(ctx context.Context, p []byte) error {
	return r.HalfCloseableStream.SendAll(ctx, rotate(bytes.Clone(p)))
}

func (r rot13) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	n, err := r.HalfCloseableStream.ReceiveSome(ctx, p)
	rotate(p[:n])
	return n, err
}

func (r rot13) Underlying() any { return r.HalfCloseableStream }

func rotate(p []byte) []byte {
	for i, c := range p {
		switch {
		case 'a' <= c && c <= 'z':
			p[i] = 'a' + (c-'a'+13)%26
		case 'A' <= c && c <= 'Z':
			p[i] = 'A' + (c-'A'+13)%26
		}
	}
	return p
}

func newRot13Pair(context.Context) (a, b rot13, err error) {
	x, y := trigotest.NewLockstepPair()
	return rot13{x}, rot13{y}, nil
}

// A test that a stream of one's own keeps the contracts. Over a lockstep pair
// it is clogged from the start.
func ExampleCheckHalfCloseableStream() {
	var t *testing.T // the argument of the test

	trigotest.CheckHalfCloseableStream(t, newRot13Pair, newRot13Pair, &trigotest.CheckOptions{Bubble: true})
}

func TestRot13Conforms(t *testing.T) {
	trigotest.CheckHalfCloseableStream(t, newRot13Pair, newRot13Pair, &trigotest.CheckOptions{Bubble: true})
}
