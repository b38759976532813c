package netstream

import (
	"context"
	"fmt"
	"io"
	"testing"

	"trigo"
	"trigo/trigotest"
)

// sweepPair makes a pair whose making is no part of the sweep.
func sweepPair(s *trigotest.Sweep, maker trigotest.StreamMaker[*Stream]) (a, b *Stream, err error) {
	if a, b, err = maker(context.Background()); err == nil {
		s.Close(a)
		s.Close(b)
	}
	return a, b, err
}

func receiveExactly(ctx context.Context, r trigo.ReceiveStream, n int) error {
	return receiveFull(ctx, r, make([]byte, n))
}

func eachKind(t *testing.T, test func(t *testing.T, maker trigotest.StreamMaker[*Stream])) {
	t.Run("tcp", func(t *testing.T) { test(t, tcpStreams) })
	t.Run("unix", func(t *testing.T) { test(t, unixStreams(socketDir(t))) })
}

func TestCancelSweepOfAConversation(t *testing.T) {
	eachKind(t, func(t *testing.T, maker trigotest.StreamMaker[*Stream]) {
		trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
			x, y, err := sweepPair(s, maker)
			if err != nil {
				return err
			}
			a, b := s.Usable(s.Wrap(x), s.Wrap(y))
			s.Peer(func(ctx context.Context) error {
				if err := receiveExactly(ctx, b, 100); err != nil {
					return err
				}
				if err := b.SendAll(ctx, make([]byte, 50)); err != nil {
					return err
				}
				return b.SendEOF(ctx)
			})
			if err := a.SendAll(ctx, make([]byte, 100)); err != nil {
				return err
			}
			if err := a.WaitSendAllMightNotBlock(ctx); err != nil {
				return err
			}
			if err := a.SendEOF(ctx); err != nil {
				return err
			}
			if err := receiveExactly(ctx, a, 50); err != nil {
				return err
			}
			if _, err := a.ReceiveSome(ctx, make([]byte, 1)); err != io.EOF {
				return err
			}
			return nil
		}, nil)
	})
}

// The kernel takes a part of a send at a time, and the cancel comes between two.
func TestCancelSweepOfASendIntoAFullKernel(t *testing.T) {
	eachKind(t, func(t *testing.T, maker trigotest.StreamMaker[*Stream]) {
		trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
			x, y, err := sweepPair(s, maker)
			if err != nil {
				return err
			}
			a, b := s.Usable(x, y)
			if err := trigotest.Clog(context.Background(), a); err != nil {
				return err
			}
			s.Peer(func(ctx context.Context) error {
				for {
					if _, err := b.ReceiveSome(ctx, make([]byte, 10_000)); err != nil {
						return err
					}
				}
			})
			return s.Call("SendAll", func() error { return a.SendAll(ctx, make([]byte, 1<<20)) })
		}, nil)
	})
}

// sweptListener opens a listener and says how to dial it.
type sweptListener func(ctx context.Context) (l *Listener, dial func(context.Context) (*Stream, error), err error)

func sweptListeners(dir string) map[string]sweptListener {
	return map[string]sweptListener{
		"tcp": func(ctx context.Context) (*Listener, func(context.Context) (*Stream, error), error) {
			ls, err := ListenTCP(ctx, "127.0.0.1:0", nil)
			if err != nil {
				return nil, nil, err
			}
			return ls[0], func(ctx context.Context) (*Stream, error) { return DialTCP(ctx, ls[0].Addr().String(), nil) }, nil
		},
		"unix": func(ctx context.Context) (*Listener, func(context.Context) (*Stream, error), error) {
			path := fmt.Sprintf("%s/%d", dir, abstractNames.Add(1))
			l, err := ListenUnix(ctx, path, nil)
			return l, func(ctx context.Context) (*Stream, error) { return DialUnix(ctx, path) }, err
		},
	}
}

func TestCancelSweepOfListenAndDial(t *testing.T) {
	for name, open := range sweptListeners(socketDir(t)) {
		t.Run(name, func(t *testing.T) {
			trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
				l, dial, err := open(ctx)
				if err != nil {
					return err
				}
				s.Close(l)
				a, err := dial(ctx)
				if err != nil {
					return err
				}
				b, err := l.Accept(context.Background())
				if err != nil {
					return err
				}
				s.Usable(a, b)
				return nil
			}, nil)
		})
	}
}

// A cancelled Accept loses no connection.
func TestCancelSweepOfAccept(t *testing.T) {
	for name, open := range sweptListeners(socketDir(t)) {
		t.Run(name, func(t *testing.T) {
			trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
				l, dial, err := open(context.Background())
				if err != nil {
					return err
				}
				s.Close(l)
				var a, b *Stream
				s.Peer(func(ctx context.Context) (err error) {
					if a, err = dial(ctx); err == nil {
						s.Close(a)
					}
					return err
				})
				s.Check(func(ctx context.Context) (err error) {
					if a != nil && b == nil {
						b, err = l.Accept(ctx)
					}
					if a == nil || err != nil {
						return err
					}
					s.Close(b)
					if err := a.SendAll(ctx, []byte("x")); err != nil {
						return err
					}
					return receiveExactly(ctx, b, 1)
				})
				return s.Call("Accept", func() (err error) {
					if b, err = l.Accept(ctx); err == nil {
						s.Close(b)
					}
					return err
				})
			}, nil)
		})
	}
}

func TestListenersConform(t *testing.T) {
	for name, open := range sweptListeners(socketDir(t)) {
		t.Run(name, func(t *testing.T) {
			trigotest.CheckListener(t, func(ctx context.Context) (*Listener, func(context.Context) (trigo.Stream, error), error) {
				l, dial, err := open(ctx)
				return l, func(ctx context.Context) (trigo.Stream, error) {
					s, err := dial(ctx)
					if err != nil {
						return nil, err
					}
					return s, nil
				}, err
			}, nil)
		})
	}
}
