package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"trigo"
	"trigo/netstream"
	"trigo/proxy"
	"trigo/relay"
)

// socksServer is the least of a SOCKS5 server: no password, names are reported.
func socksServer(asked chan<- string, reply byte) func(ctx context.Context, s trigo.Stream) error {
	return func(ctx context.Context, s trigo.Stream) error {
		r := trigo.NewBufferedReceiver(s)
		greeting, err := r.ReceiveExactly(ctx, 2)
		if err != nil {
			return err
		}
		if _, err := r.ReceiveExactly(ctx, int(greeting[1])); err != nil {
			return err
		}
		if err := s.SendAll(ctx, []byte{5, 0}); err != nil {
			return err
		}
		head, err := r.ReceiveExactly(ctx, 5)
		if err != nil {
			return err
		}
		kind, length := head[3], int(head[4])
		host := ""
		if kind == 1 {
			rest, err := r.ReceiveExactly(ctx, 3)
			if err != nil {
				return err
			}
			host = net.IPv4(byte(length), rest[0], rest[1], rest[2]).String()
		} else {
			rest, err := r.ReceiveExactly(ctx, length)
			if err != nil {
				return err
			}
			host = string(rest)
		}
		port, err := r.ReceiveExactly(ctx, 2)
		if err != nil {
			return err
		}
		asked <- host
		address := fmt.Sprintf("127.0.0.1:%d", int(port[0])<<8|int(port[1]))
		if err := s.SendAll(ctx, []byte{5, reply, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil || reply != 0 {
			return err
		}
		target, err := netstream.DialTCP(ctx, address, nil)
		if err != nil {
			return err
		}
		_, err = relay.Run(ctx, s, target, nil)
		return err
	}
}

func TestSOCKS5LooksNamesUpHereOrThere(t *testing.T) {
	site := serve(t, "tcp-listen:127.0.0.1:0", nil, echoing)
	asked := make(chan string, 1)
	socks := serve(t, "tcp-listen:127.0.0.1:0", nil, socksServer(asked, 0))
	roundTrip(t, dial(t, nil, "socks5:site.test:%s+tcp:127.0.0.1:%s", site.port, socks.port), longText)
	if host := <-asked; host != "site.test" {
		t.Errorf("the proxy was asked for %s", host)
	}
	roundTrip(t, dial(t, &Options{Family: 4}, "socks5:localhost:%s,dns=local+tcp:127.0.0.1:%s", site.port, socks.port), "x")
	if host := <-asked; host != "127.0.0.1" {
		t.Errorf("the proxy was asked for %s", host)
	}

	refusing := serve(t, "tcp-listen:127.0.0.1:0", nil, socksServer(asked, 5))
	_, err := parsed(t, "socks5:site.test:1+tcp:127.0.0.1:%s", refusing.port).Dial(limited(t), nil)
	wantError(t, err, PhaseProxy, "proxy connection to site.test:1 over tcp 127.0.0.1:"+refusing.port+": ", "")
	if !errors.Is(err, proxy.ErrRefused) || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}

func TestTheClientIsToldOfThroughProxies(t *testing.T) {
	for _, version := range []string{"1", "2"} {
		addresses := make(chan string, 1)
		back := serve(t, "proxy-accept,from=127.0.0.0/8,from=::1+tcp-listen:127.0.0.1:0", nil, func(ctx context.Context, s trigo.Stream) error {
			a, _ := trigo.As[interface{ RemoteAddr() net.Addr }](s)
			addresses <- fmt.Sprint(a.RemoteAddr(), " ", s)
			return echoing(ctx, s)
		})
		target, err := parsed(t, "proxy-send,v=%s+tcp:127.0.0.1:%s", version, back.port).Prepare(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		front := serve(t, "tcp-listen:127.0.0.1:0", nil, func(ctx context.Context, s trigo.Stream) error {
			b, err := target.Dial(WithClient(ctx, s))
			if err != nil {
				return err
			}
			_, err = relay.Run(ctx, s, b, nil)
			return err
		})
		client := dial(t, nil, "tcp:127.0.0.1:%s", front.port)
		local := client.(*netstream.Stream).LocalAddr().String()
		roundTrip(t, client, longText)
		if got, want := <-addresses, local+" tcp "+local; got != want {
			t.Errorf("version %s: the server sees %s, want %s", version, got, want)
		}
	}
}

func TestAProxyFromElsewhereIsNotBelieved(t *testing.T) {
	sv := serve(t, "proxy-accept,from=192.0.2.0/24+tcp-listen:127.0.0.1:0", nil, echoing)
	s := dial(t, nil, "proxy-send+tcp:127.0.0.1:%s", sv.port)
	err := <-sv.failed
	wantError(t, err, PhaseProxy, "a proxy at 127.0.0.1 is not allowed", "")
	if !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
	trigo.CloseForcefully(s)
}
