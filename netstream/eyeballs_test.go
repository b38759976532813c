package netstream

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/nursery"
)

func TestInterleave(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"4a", "4a"},
		{"6a", "6a"},
		{"4a 4b 4c", "4a 4b 4c"},
		{"6a 6b", "6a 6b"},
		{"4a 6a 4b 6b", "4a 6a 4b 6b"},
		{"6a 6b 4a", "6a 4a 6b"},
		// Trio, which follows the older RFC 6555 here, moves only the first
		// address of the other family: 4a 6a 4b 4c 6b.
		{"4a 4b 4c 6a 6b", "4a 6a 4b 6b 4c"},
	} {
		if got := names(interleave(addrs(c.in))); got != c.want {
			t.Errorf("interleave(%s) = %s, want %s", c.in, got, c.want)
		}
	}
}

// addrs makes addresses of names such as 4a, 6b.
func addrs(list string) (as []netip.Addr) {
	for _, name := range strings.Fields(list) {
		if name[0] == '4' {
			as = append(as, netip.AddrFrom4([4]byte{192, 0, 2, name[1]}))
		} else {
			as = append(as, netip.AddrFrom16([16]byte{0x20, 1, 15: name[1]}))
		}
	}
	return as
}

func names(as []netip.Addr) string {
	var list []string
	for _, a := range as {
		b := a.AsSlice()
		family := "4"
		if a.Is6() {
			family = "6"
		}
		list = append(list, family+string(b[len(b)-1]))
	}
	return strings.Join(list, " ")
}

// The scenarios are those of Trio's tests of open_tcp_stream.
func TestDialScenarios(t *testing.T) {
	const normal = 250 * time.Millisecond
	noFamily := errors.New("address family not supported")
	for _, c := range []struct {
		name   string
		delay  time.Duration
		hosts  []host
		end    time.Duration
		winner string // of several, any; empty: an error
		starts []time.Duration
	}{
		{"one host, quick success", normal, []host{answers("1.2.3.4", ms(123))}, ms(123), "1.2.3.4", []time.Duration{0}},
		{"one host, slow success", normal, []host{answers("1.2.3.4", 100*secs)}, 100 * secs, "1.2.3.4", []time.Duration{0}},
		{"one host, quick fail", normal, []host{fails("1.2.3.4", ms(123))}, ms(123), "", []time.Duration{0}},
		{"one host, slow fail", normal, []host{fails("1.2.3.4", 100*secs)}, 100 * secs, "", []time.Duration{0}},
		{
			"basic fallthrough", normal,
			[]host{answers("1.1.1.1", secs), answers("2.2.2.2", secs), answers("3.3.3.3", ms(200))},
			ms(700), "3.3.3.3", []time.Duration{0, ms(250), ms(500)},
		},
		{
			"early success", normal,
			[]host{answers("1.1.1.1", secs), answers("2.2.2.2", ms(100)), answers("3.3.3.3", ms(200))},
			ms(350), "2.2.2.2", []time.Duration{0, ms(250)},
		},
		{
			"custom delay", ms(450),
			[]host{answers("1.1.1.1", secs), answers("2.2.2.2", secs), answers("3.3.3.3", ms(200))},
			secs, "1.1.1.1", []time.Duration{0, ms(450), ms(900)},
		},
		{
			"errors expedite", normal,
			[]host{fails("1.1.1.1", ms(100)), fails("2.2.2.2", ms(200)), answers("3.3.3.3", 10*secs), answers("4.4.4.4", ms(250))},
			ms(800), "4.4.4.4", []time.Duration{0, ms(100), ms(300), ms(550)},
		},
		{
			"the error of an older attempt does not", normal,
			[]host{fails("1.1.1.1", ms(300)), answers("2.2.2.2", 10*secs), answers("3.3.3.3", secs)},
			ms(1500), "3.3.3.3", []time.Duration{0, ms(250), ms(500)},
		},
		{
			"all fail", normal,
			[]host{fails("1.1.1.1", ms(100)), fails("2.2.2.2", ms(200)), fails("3.3.3.3", 10*secs), fails("4.4.4.4", ms(250))},
			ms(10300), "", []time.Duration{0, ms(100), ms(300), ms(550)},
		},
		{
			"multi success", secs,
			[]host{fails("1.1.1.1", ms(500)), answers("2.2.2.2", 10*secs), answers("3.3.3.3", 9*secs), answers("4.4.4.4", 8*secs), fails("5.5.5.5", ms(500))},
			ms(10500), "2.2.2.2 3.3.3.3 4.4.4.4", []time.Duration{0, ms(500), ms(1500), ms(2500), ms(3500)},
		},
		{
			"does reorder", secs,
			[]host{fails("1.1.1.1", 10*secs), answers("2.2.2.2", secs), answers("::3", ms(500))},
			ms(1500), "::3", []time.Duration{0, secs},
		},
		{
			"handles no IPv4", secs,
			[]host{answers("::1", 10*secs), {"2.2.2.2", 0, noFamily}, answers("::3", ms(100)), {"4.4.4.4", 0, noFamily}},
			ms(1100), "::3", []time.Duration{0, secs, secs},
		},
		{
			"handles no IPv6", secs,
			[]host{{"::1", 0, noFamily}, answers("2.2.2.2", 10*secs), {"::3", 0, noFamily}, answers("4.4.4.4", ms(100))},
			ms(1100), "4.4.4.4", []time.Duration{0, 0, secs, secs},
		},
		{
			"one after the other", -1,
			[]host{fails("1.1.1.1", 60*secs), answers("2.2.2.2", 30*secs), answers("3.3.3.3", 0)},
			90 * secs, "2.2.2.2", []time.Duration{0, 60 * secs},
		},
	} {
		for _, deaf := range []bool{false, true} {
			if deaf && c.name != "multi success" {
				continue // the losers would only make it longer
			}
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &fakeNet{hosts: c.hosts, deaf: deaf}
					winner, report, err := f.dial(t, t.Context(), c.delay)
					if took := time.Since(f.began); took != c.end {
						t.Errorf("took %v, want %v", took, c.end)
					}
					if !slices.Equal(f.starts, c.starts) {
						t.Errorf("attempts started at %v, want %v", f.starts, c.starts)
					}
					if deaf && len(f.conns) != 3 {
						t.Errorf("%d connections were made at the same time, want 3", len(f.conns))
					}
					if c.winner == "" {
						checkAllFailed(t, err, c.hosts)
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Contains(strings.Fields(c.winner), winner.ip) {
						t.Errorf("the winner is %s, want one of %s", winner.ip, c.winner)
					}
					checkReport(t, report, c.starts, winner.ip)
				})
			})
		}
	}
}

// checkAllFailed checks the error of a dial in which every host failed.
func checkAllFailed(t *testing.T, err error, hosts []host) {
	t.Helper()
	failed, ok := errors.AsType[*DialError](err)
	if !ok {
		t.Fatalf("got %v, want a *DialError", err)
	}
	if len(failed.Report.Attempts) != len(hosts) {
		t.Errorf("the report has %d attempts, want %d", len(failed.Report.Attempts), len(hosts))
	}
	for _, h := range hosts {
		if !errors.Is(err, h.err) {
			t.Errorf("the error is not that of %s", h.ip)
		}
		if want := fmt.Sprintf("%s:80: %v", h.ip, h.err); !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not contain %q", err, want)
		}
	}
}

// checkReport checks the report of a dial that succeeded.
func checkReport(t *testing.T, r *DialReport, starts []time.Duration, winner string) {
	t.Helper()
	if r.Address != "example.test:80" {
		t.Errorf("the report is about %q", r.Address)
	}
	for i, a := range r.Attempts {
		won := a.Address.Addr().String() == winner
		if a.Start != starts[i] || a.Won != won || won != (a.Err == nil) || a.Address != r.Addresses[i] {
			t.Errorf("attempt %d is reported as %v", i, a)
		}
	}
}

func TestDialWithoutAddresses(t *testing.T) {
	_, _, err := new(fakeNet).dial(t, t.Context(), 0)
	if err == nil || !strings.Contains(err.Error(), "no results found") {
		t.Errorf("got %v, want: no results found", err)
	}
}

func TestDialErrorMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeNet{hosts: []host{fails("1.1.1.1", ms(12)), fails("::2", secs)}}
		_, _, err := f.dial(t, t.Context(), secs)
		want := "all 2 attempts failed: 1.1.1.1:80: failure of 1.1.1.1 (12ms); [::2]:80: failure of ::2 (1s)"
		if err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

func TestDialReportString(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeNet{hosts: []host{answers("1.1.1.1", secs), fails("::2", ms(5)), answers("3.3.3.3", ms(20)), answers("4.4.4.4", 0)}}
		_, report, err := f.dial(t, t.Context(), ms(250))
		if err != nil {
			t.Fatal(err)
		}
		want := `example.test:80: 3 of 4 addresses tried, lookup took 0s
	1.1.1.1:80: started at 0s, another address was first after 275ms
	[::2]:80: started at 250ms, failure of ::2 after 5ms
	3.3.3.3:80: started at 255ms, connected in 20ms`
		if got := report.String(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestCancelledDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("the user went home")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*secs, reason)
		defer cancel()
		f := &fakeNet{hosts: []host{answers("1.1.1.1", 10*secs), fails("2.2.2.2", 0), answers("3.3.3.3", 10*secs), answers("4.4.4.4", 10*secs)}}
		_, _, err := f.dial(t, ctx, ms(250))
		if took := time.Since(f.began); took != 5*secs {
			t.Errorf("took %v, want 5s", took)
		}
		if want := []time.Duration{0, ms(250), ms(250), ms(500)}; !slices.Equal(f.starts, want) {
			t.Errorf("attempts started at %v, want %v", f.starts, want)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, reason) {
			t.Errorf("the error %v does not tell of the ctx", err)
		}
		if !nursery.IsCancellation(ctx, err) {
			t.Errorf("%v is more than a cancellation", err)
		}
		want := "context deadline exceeded: the user went home, 4 of 4 addresses tried: " +
			"1.1.1.1:80: no answer (5s); 2.2.2.2:80: failure of 2.2.2.2 (0s); 3.3.3.3:80: no answer (4.75s); 4.4.4.4:80: no answer (4.5s)"
		if err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

// A cancel between two attempts keeps the next one from starting.
func TestCancelledDialStartsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), ms(600))
		defer cancel()
		f := &fakeNet{hosts: []host{answers("1.1.1.1", 10*secs), answers("2.2.2.2", 10*secs)}}
		_, _, err := f.dial(t, ctx, secs)
		if !errors.Is(err, context.DeadlineExceeded) || len(f.starts) != 1 {
			t.Errorf("got %v after %d attempts", err, len(f.starts))
		}
		if failed, ok := errors.AsType[*DialError](err); !ok || len(failed.Report.Attempts) != 1 || len(failed.Report.Addresses) != 2 {
			t.Errorf("the error %v has no report of one attempt", err)
		}
	})
}

// An attempt that ignores its cancel is waited for, and what it still brings
// is closed, or, if nothing came before it, is the connection.
func TestDialWaitsForDeafAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeNet{deaf: true, hosts: []host{answers("1.1.1.1", 10*secs), answers("2.2.2.2", 1*secs)}}
		winner, _, err := f.dial(t, t.Context(), secs)
		if err != nil || winner.ip != "2.2.2.2" {
			t.Errorf("got %v, %v", winner, err)
		}
		if took := time.Since(f.began); took != 10*secs || len(f.conns) != 2 {
			t.Errorf("took %v for %d connections", took, len(f.conns))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), secs)
		defer cancel()
		f := &fakeNet{deaf: true, hosts: []host{answers("1.1.1.1", 10*secs)}}
		if winner, _, err := f.dial(t, ctx, secs); err != nil || winner.ip != "1.1.1.1" {
			t.Errorf("success lost to a cancel: %v, %v", winner, err)
		}
	})
}

// A panic in one attempt ends the others and closes even the winner.
func TestPanicInADialLeavesNothingOpen(t *testing.T) {
	for _, order := range []string{"panic first", "panic first, and not in the last attempt", "success first"} {
		t.Run(order, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeNet{deaf: true, hosts: []host{answers("1.1.1.1", 10*secs), answers("2.2.2.2", ms(500))}}
				switch order {
				case "panic first, and not in the last attempt": // so that it is in a goroutine of its own
					f.hosts = []host{answers("2.2.2.2", ms(1500)), answers("1.1.1.1", 5*secs)}
				case "success first":
					f.hosts = []host{answers("1.1.1.1", ms(1500)), answers("2.2.2.2", 5*secs)}
				}
				f.began = time.Now()
				defer func() {
					p := recover()
					if e, ok := p.(*nursery.PanicError); ok {
						p = e.Value
					}
					if p != "in a hook" {
						t.Errorf("recovered %v", p)
					}
					if f.active != 0 {
						t.Errorf("%d attempts still run", f.active)
					}
					if len(f.conns) == 0 {
						t.Error("no connection was made")
					}
					for _, c := range f.conns {
						if c.closed != 1 {
							t.Errorf("the connection to %s was closed %d times", c.ip, c.closed)
						}
					}
				}()
				dialHost(WithResolver(t.Context(), f), "example.test:80", secs, func(ctx context.Context, addr netip.AddrPort) (*fakeConn, error) {
					conn, err := f.connect(ctx, addr)
					if conn != nil && conn.ip == "2.2.2.2" {
						f.discard(conn)
						panic("in a hook")
					}
					return conn, err
				}, f.discard)
			})
		})
	}
}

// slowResolver answers when its ctx ends.
type slowResolver struct{}

func (slowResolver) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, errors.New("interrupted")
}

func TestCancelledLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), secs)
		defer cancel()
		_, err := DialTCP(WithResolver(ctx, slowResolver{}), "example.test:80", nil)
		if !nursery.IsCancellation(ctx, err) || err.Error() != "dial tcp example.test:80: lookup example.test: context deadline exceeded" {
			t.Errorf("got %v", err)
		}
		if _, ok := errors.AsType[*trigo.OpError](err); !ok {
			t.Errorf("%T is no *trigo.OpError", err)
		}
	})
}
