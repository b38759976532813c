package vnet_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/socket"
	"trigo/trigotest"
	"trigo/trigotest/vnet"
)

// onBothNetworks sweeps a scenario on a virtual network and on the kernel's
// loopback.
func onBothNetworks(t *testing.T, scenario func(ctx context.Context, s *trigotest.Sweep) error) {
	t.Run("virtual", func(t *testing.T) {
		trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
			return scenario(vnet.New(1).Host("host", "10.0.0.1").Context(ctx), s)
		}, &trigotest.SweepOptions{Bubble: true})
	})
	t.Run("kernel", func(t *testing.T) { trigotest.SweepCancel(t, scenario, nil) })
}

// opened opens a socket for the time of a run, on a free port if it is bound.
func opened(ctx context.Context, s *trigotest.Sweep, typ int, bind bool) (*socket.Socket, socket.Addr, error) {
	sock, err := socket.New(ctx, inet, typ, 0)
	if err != nil {
		return nil, nil, err
	}
	s.Close(sock)
	if !bind {
		return sock, nil, nil
	}
	if err := sock.Bind(ctx, socket.HostAddr{Host: "127.0.0.1"}); err != nil {
		return nil, nil, err
	}
	addr, err := sock.Getsockname()
	return sock, addr, err
}

func TestAStreamSocketCancelledAnywhereIsSound(t *testing.T) {
	onBothNetworks(t, func(ctx context.Context, s *trigotest.Sweep) error {
		l, at, err := opened(ctx, s, stream, true)
		if err == nil {
			err = l.Listen(1)
		}
		if err != nil {
			return err
		}
		a, _, err := opened(ctx, s, stream, false)
		if err != nil {
			return err
		}
		if err := s.Call("Connect", func() error { return a.Connect(ctx, at) }); err != nil {
			s.Check(func(context.Context) error {
				if !a.Closed() {
					return errors.New("a cancelled Connect left the socket open")
				}
				return nil
			})
			return err
		}
		var b *socket.Socket
		err = s.Call("Accept", func() (err error) {
			b, _, err = l.Accept(ctx)
			return err
		})
		if b == nil { // then it is there still
			s.Check(func(ctx context.Context) error {
				b, _, err := l.Accept(ctx)
				if err == nil {
					err = b.Close(ctx)
				}
				return err
			})
			return err
		}
		s.Close(b)
		sent, received := 0, 0
		s.Check(func(ctx context.Context) error {
			if err := a.Shutdown(syscall.SHUT_WR); err != nil {
				return err
			}
			p := make([]byte, 100)
			for {
				n, err := b.Recv(ctx, p, 0)
				received += n
				if err != nil {
					if received != sent {
						return fmt.Errorf("%d bytes were sent, %d received, and then %v", sent, received, err)
					}
					return nil
				}
			}
		})
		for range 3 {
			err := s.Call("Send", func() error {
				n, err := a.Send(ctx, []byte("hello"), 0)
				sent += n
				return err
			})
			if err != nil {
				return err
			}
			err = s.Call("Recv", func() error {
				n, err := b.Recv(ctx, make([]byte, 5), 0)
				received += n
				return err
			})
			if err != nil {
				return err
			}
		}
		s.Peer(func(ctx context.Context) error { // the last one waits
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
				return nil
			}
			_, err := b.Send(ctx, []byte("bye"), 0)
			return err
		})
		return s.Call("Recv", func() error { _, err := a.Recv(ctx, make([]byte, 5), 0); return err })
	})
}

func TestADatagramSocketCancelledAnywhereIsSound(t *testing.T) {
	onBothNetworks(t, func(ctx context.Context, s *trigotest.Sweep) error {
		a, _, err := opened(ctx, s, dgram, true)
		if err != nil {
			return err
		}
		b, to, err := opened(ctx, s, dgram, true)
		if err != nil {
			return err
		}
		sent, received := 0, 0
		s.Check(func(ctx context.Context) error {
			for {
				_, _, err := b.RecvFrom(ctx, make([]byte, 10), syscall.MSG_DONTWAIT)
				if errors.Is(err, trigo.ErrWouldBlock) {
					break
				}
				if err != nil {
					return err
				}
				received++
			}
			if sent != received {
				return fmt.Errorf("%d datagrams were sent, and %d received", sent, received)
			}
			return nil
		})
		for range 3 {
			err := s.Call("SendTo", func() error {
				_, err := a.SendTo(ctx, []byte("x"), 0, to)
				if err == nil {
					sent++
				}
				return err
			})
			if err != nil {
				return err
			}
			err = s.Call("RecvFrom", func() error {
				_, _, err := b.RecvFrom(ctx, make([]byte, 10), 0)
				if err == nil {
					received++
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
