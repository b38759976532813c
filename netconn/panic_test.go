package netconn

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/trigotest"
)

// panics is a stream whose calls panic, as those of TLS do when a callback of the
// configuration does.
type panics struct{ trigo.HalfCloseableStream }

func (panics) ReceiveSome(context.Context, []byte) (int, error) { panic("a callback") }
func (panics) SendAll(context.Context, []byte) error            { panic("a callback") }
func (panics) SendEOF(context.Context) error                    { panic("a callback") }

var errPanicked = errors.New("panicked")

// A call that panics gives its turn back: package net/http goes on after it, and
// others may wait.
func TestAfterAPanicOthersHaveTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := trigotest.NewMemoryPair()
		defer trigo.Abort(b)
		c := Conn(panics{a}, nil)
		defer c.Close()
		recovered := func(f func()) (err error) {
			defer func() {
				if recover() != nil {
					err = errPanicked
				}
			}()
			f()
			return nil
		}
		for range 2 {
			wantIs(t, recovered(func() { c.Read(make([]byte, 1)) }), errPanicked)
			wantIs(t, recovered(func() { c.Write([]byte("x")) }), errPanicked)
			wantIs(t, recovered(func() { c.(*halfConn).CloseWrite() }), errPanicked)
		}
	})
}
