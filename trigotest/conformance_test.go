package trigotest

import (
	"context"
	"testing"

	"trigo"
)

func TestMain(m *testing.M) { Main(m) }

var bubble = &CheckOptions{Bubble: true}

func memoryOneWay(context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
	s, r := NewMemoryOneWayPair()
	return s, r, nil
}

func memoryPair(context.Context) (a, b *trigo.StapledStream, err error) {
	a, b = NewMemoryPair()
	return a, b, nil
}

func lockstepOneWay(context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
	s, r := NewLockstepOneWayPair()
	return s, r, nil
}

func lockstepPair(context.Context) (a, b *trigo.StapledStream, err error) {
	a, b = NewLockstepPair()
	return a, b, nil
}

func TestMemoryStreamsConform(t *testing.T) {
	t.Run("one way", func(t *testing.T) { CheckOneWayStream(t, memoryOneWay, nil, bubble) })
	t.Run("two ways", func(t *testing.T) { CheckHalfCloseableStream(t, memoryPair, nil, bubble) })
}

// A lockstep stream is clogged by nature.
func TestLockstepStreamsConform(t *testing.T) {
	t.Run("one way", func(t *testing.T) { CheckOneWayStream(t, lockstepOneWay, lockstepOneWay, bubble) })
	t.Run("two ways", func(t *testing.T) { CheckHalfCloseableStream(t, lockstepPair, lockstepPair, bubble) })
}

// The same checks without the help of a bubble.
func TestStreamsConformOutsideABubble(t *testing.T) {
	CheckHalfCloseableStream(t, lockstepPair, lockstepPair, nil)
}

// One direction of each kind.
func TestAStapleConforms(t *testing.T) {
	pair := func(context.Context) (a, b *trigo.StapledStream, err error) {
		s1, r1 := NewMemoryOneWayPair()
		s2, r2 := NewLockstepOneWayPair()
		return trigo.Staple(s1, r2), trigo.Staple(s2, r1), nil
	}
	CheckHalfCloseableStream(t, pair, nil, bubble)
}
