package vnet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/trigotest/vnet"
)

// machine is what is at one address: a server, or nobody who listens, at such a
// distance that a dial takes this long to find out.
type machine struct {
	ip      string
	after   time.Duration
	listens bool
}

func answers(ip string, after time.Duration) machine { return machine{ip, after, true} }
func refuses(ip string, after time.Duration) machine { return machine{ip, after, false} }

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// The scenarios of Trio's tests of open_tcp_stream, end to end: names, hosts,
// latency, refusals, over DialTCP as programs call it.
func TestHappyEyeballsEndToEnd(t *testing.T) {
	const normal, sec = 250 * time.Millisecond, time.Second
	both, v4, v6 := []string{"10.0.0.1", "fd00::1"}, []string{"10.0.0.1"}, []string{"fd00::1"}
	for _, c := range []struct {
		name     string
		client   []string
		delay    time.Duration
		machines []machine
		end      time.Duration
		winner   string // of several, any; empty: an error
		starts   []time.Duration
	}{
		{"one host, quick success", both, normal, []machine{answers("1.2.3.4", ms(124))}, ms(124), "1.2.3.4", []time.Duration{0}},
		{"one host, slow success", both, normal, []machine{answers("1.2.3.4", 100*sec)}, 100 * sec, "1.2.3.4", []time.Duration{0}},
		{"one host, quick fail", both, normal, []machine{refuses("1.2.3.4", ms(124))}, ms(124), "", []time.Duration{0}},
		{"one host, slow fail", both, normal, []machine{refuses("1.2.3.4", 100*sec)}, 100 * sec, "", []time.Duration{0}},
		{
			"basic fallthrough", both, normal,
			[]machine{answers("1.1.1.1", sec), answers("2.2.2.2", sec), answers("3.3.3.3", ms(200))},
			ms(700), "3.3.3.3", []time.Duration{0, ms(250), ms(500)},
		},
		{
			"early success", both, normal,
			[]machine{answers("1.1.1.1", sec), answers("2.2.2.2", ms(100)), answers("3.3.3.3", ms(200))},
			ms(350), "2.2.2.2", []time.Duration{0, ms(250)},
		},
		{
			"custom delay", both, ms(450),
			[]machine{answers("1.1.1.1", sec), answers("2.2.2.2", sec), answers("3.3.3.3", ms(200))},
			sec, "1.1.1.1", []time.Duration{0, ms(450), ms(900)},
		},
		{
			"errors expedite", both, normal,
			[]machine{refuses("1.1.1.1", ms(100)), refuses("2.2.2.2", ms(200)), answers("3.3.3.3", 10*sec), answers("4.4.4.4", ms(250))},
			ms(800), "4.4.4.4", []time.Duration{0, ms(100), ms(300), ms(550)},
		},
		{
			"all fail", both, normal,
			[]machine{refuses("1.1.1.1", ms(100)), refuses("2.2.2.2", ms(200)), refuses("3.3.3.3", 10*sec), refuses("4.4.4.4", ms(250))},
			ms(10300), "", []time.Duration{0, ms(100), ms(300), ms(550)},
		},
		{
			"multi success", both, sec,
			[]machine{refuses("1.1.1.1", ms(500)), answers("2.2.2.2", 10*sec), answers("3.3.3.3", 9*sec), answers("4.4.4.4", 8*sec), refuses("5.5.5.5", ms(500))},
			ms(10500), "2.2.2.2 3.3.3.3 4.4.4.4", []time.Duration{0, ms(500), ms(1500), ms(2500), ms(3500)},
		},
		{
			"does reorder", both, sec,
			[]machine{refuses("1.1.1.1", 10*sec), answers("2.2.2.2", sec), answers("::3", ms(500))},
			ms(1500), "::3", []time.Duration{0, sec},
		},
		{
			"handles no IPv4", v6, sec,
			[]machine{answers("::1:1", 10*sec), answers("2.2.2.2", sec), answers("::3", ms(100)), answers("4.4.4.4", sec)},
			ms(1100), "::3", []time.Duration{0, sec, sec},
		},
		{
			"handles no IPv6", v4, sec,
			[]machine{answers("::1:1", sec), answers("2.2.2.2", 10*sec), answers("::3", sec), answers("4.4.4.4", ms(100))},
			ms(1100), "4.4.4.4", []time.Duration{0, 0, sec, sec},
		},
		{
			"one after the other", both, -1,
			[]machine{refuses("1.1.1.1", 60*sec), answers("2.2.2.2", 30*sec), answers("3.3.3.3", 0)},
			90 * sec, "2.2.2.2", []time.Duration{0, 60 * sec},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, listeners := internet(t, c.client, c.machines)
				began := time.Now()
				s, err := netstream.DialTCP(ctx, "example.test:80", &netstream.DialOptions{Delay: c.delay})
				took(t, "the dial", began, c.end)
				if c.winner == "" {
					wantErr(t, "dial", err, syscall.ECONNREFUSED)
					failed, ok := errors.AsType[*netstream.DialError](err)
					if !ok || len(failed.Report.Attempts) != len(c.machines) {
						t.Fatalf("the error is %v", err)
					}
					checkStarts(t, failed.Report, c.starts)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				winner := s.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String()
				if !slices.Contains(strings.Fields(c.winner), winner) {
					t.Errorf("the winner is %s, want one of %s", winner, c.winner)
				}
				checkStarts(t, s.DialReport(), c.starts)
				// The winner works; whoever else was reached, sees an end.
				wantErr(t, "send", s.SendAll(ctx, []byte("x")), nil)
				wantErr(t, "close", s.Close(ctx), nil)
				time.Sleep(200 * sec)
				checkServers(t, listeners, winner)
			})
		})
	}
}

// internet makes the machines, their names and their servers, and returns the
// ctx of a client among them.
func internet(t *testing.T, client []string, machines []machine) (context.Context, map[string]*netstream.Listener) {
	n := vnet.New(1)
	me := n.Host("client", client...)
	listeners := make(map[string]*netstream.Listener)
	var addrs []string
	for _, m := range machines {
		h := n.Host(m.ip, m.ip)
		n.Link(me, h, vnet.Link{Latency: m.after / 2})
		addrs = append(addrs, m.ip)
		if !m.listens {
			continue
		}
		ls, err := netstream.ListenTCP(h.Context(t.Context()), net.JoinHostPort(m.ip, "80"), nil)
		if err != nil {
			t.Fatal(err)
		}
		listeners[m.ip] = ls[0]
		t.Cleanup(func() { trigo.CloseForcefully(ls[0]) })
	}
	n.Name("example.test", addrs...)
	return me.Context(t.Context()), listeners
}

func checkStarts(t *testing.T, r *netstream.DialReport, want []time.Duration) {
	t.Helper()
	var starts []time.Duration
	for _, a := range r.Attempts {
		starts = append(starts, a.Start)
	}
	if !slices.Equal(starts, want) {
		t.Errorf("attempts started at %v, want %v", starts, want)
	}
}

// checkServers accepts whatever has come to the servers: the winner's got a
// byte, and every connection has ended.
func checkServers(t *testing.T, listeners map[string]*netstream.Listener, winner string) {
	t.Helper()
	for ip, l := range listeners {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		s, err := l.Accept(ctx)
		cancel()
		if err != nil {
			if ip == winner {
				t.Errorf("nobody came to %s: %v", ip, err)
			}
			continue
		}
		got := ""
		for chunk, err := range trigo.Chunks(t.Context(), s) {
			if err != nil && !errors.Is(err, trigo.ErrBroken) {
				t.Error(err)
			}
			got += string(chunk)
		}
		if want := map[bool]string{true: "x"}[ip == winner]; got != want {
			t.Errorf("%s received %q, want %q", ip, got, want)
		}
		s.Close(t.Context())
	}
}

func TestACancelledDialLeavesNothingOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sec := time.Second
		ctx, listeners := internet(t, []string{"10.0.0.1"}, []machine{
			answers("1.1.1.1", 9*sec), answers("2.2.2.2", 9*sec), answers("3.3.3.3", 9*sec), answers("4.4.4.4", 9*sec),
		})
		began := time.Now()
		ctx, cancel := context.WithTimeout(ctx, 5*sec)
		defer cancel()
		_, err := netstream.DialTCP(ctx, "example.test:80", nil)
		took(t, "the dial", began, 5*sec)
		if !nursery.IsCancellation(ctx, err) {
			t.Errorf("dial: %v", err)
		}
		time.Sleep(20 * sec)
		checkServers(t, listeners, "none")
	})
}

// A family that is dead on the way, behind a partition, costs one delay.
func TestADeadFamilyCostsOneDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := vnet.New(1)
		client := n.Host("client", "10.0.0.1", "fd00::1")
		v4, v6 := n.Host("v4", "10.0.0.2"), n.Host("v6", "fd00::2")
		n.Name("example.test", "fd00::2", "10.0.0.2")
		n.Link(client, v4, vnet.Link{Latency: ms(10)})
		n.Partition(client, v6)
		ls, err := netstream.ListenTCP(v4.Context(t.Context()), "10.0.0.2:80", nil)
		wantErr(t, "listen", err, nil)
		defer ls[0].Close(t.Context())
		began := time.Now()
		s, err := netstream.DialTCP(client.Context(t.Context()), "example.test:80", nil)
		wantErr(t, "dial", err, nil)
		defer s.Close(t.Context())
		took(t, "the dial", began, ms(270))
		want := fmt.Sprint(netip.MustParseAddrPort("[fd00::2]:80"))
		if first := s.DialReport().Attempts[0]; first.Address.String() != want || first.Won {
			t.Errorf("the first attempt: %v", first)
		}
		if c := n.Counts(); c.Parted != 1 {
			t.Errorf("counts: %+v", c)
		}
	})
}
