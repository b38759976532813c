package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func admissionOf(t *testing.T, args ...string) *admission {
	t.Helper()
	o, err := parseOptions("relay", args)
	if err != nil {
		t.Fatal(err)
	}
	return o.admission()
}

func tcpAddr(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }

func TestListsSayWhoIsServed(t *testing.T) {
	ad := admissionOf(t, "--allow", "192.0.2.0/24,2001:db8::/32", "--allow", "127.0.0.1", "--deny", "192.0.2.7")
	for ip, want := range map[string]string{
		"192.0.2.1":        "",
		"::ffff:192.0.2.1": "",
		"2001:db8::5":      "",
		"127.0.0.1":        "",
		"192.0.2.7":        "denied by --deny",
		"::ffff:192.0.2.7": "denied by --deny",
		"127.0.0.2":        "not in --allow",
		"2001:db9::5":      "not in --allow",
	} {
		if why, _ := ad.admit(tcpAddr(ip)); why != want {
			t.Errorf("%s: %q, want %q", ip, why, want)
		}
	}
	if why, leave := ad.admit(&net.UnixAddr{}); why != "" || leave == nil {
		t.Errorf("who has no address is not served: %s", why)
	}
}

func TestWhoLeavesMakesRoom(t *testing.T) {
	for _, c := range []struct{ flags, why string }{
		{"--max-per-ip 2", "more than --max-per-ip"},
		{"--max-conns 2 --overload reject", "more than --max-conns"},
	} {
		ad := admissionOf(t, strings.Fields(c.flags)...)
		peer := tcpAddr("192.0.2.1")
		_, leave := ad.admit(peer)
		ad.admit(peer)
		if why, _ := ad.admit(peer); why != c.why {
			t.Errorf("%s: %q", c.flags, why)
		}
		leave()
		if why, _ := ad.admit(peer); why != "" {
			t.Errorf("%s: %q, although one has left", c.flags, why)
		}
	}
	ad := admissionOf(t, "--max-per-ip", "1")
	ad.admit(tcpAddr("192.0.2.1"))
	if why, _ := ad.admit(tcpAddr("192.0.2.2")); why != "" {
		t.Errorf("another address: %s", why)
	}
}

func TestConnectionsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ad := admissionOf(t, "--accept-rate", "10")
		began := time.Now()
		for range 11 {
			ad.pace(t.Context())
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("11 at a rate of 10 in a second took %v", took)
		}
		time.Sleep(time.Minute) // what was not used is not saved up
		began = time.Now()
		for range 3 {
			ad.pace(t.Context())
		}
		if took := time.Since(began); took != 200*time.Millisecond {
			t.Errorf("3 took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began = time.Now()
		ad.pace(ctx)
		if took := time.Since(began); took != 0 {
			t.Errorf("a dead ctx waited %v", took)
		}
	})
}

func TestListsFromFilesAreReadAgain(t *testing.T) {
	file := t.TempDir() + "/list"
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# friends\n192.0.2.0/24\n\n2001:db8::1 # one\n")
	var n networks
	if err := n.Set("@" + file); err != nil {
		t.Fatal(err)
	}
	has := func(ip string) bool { a, _ := addressOf(tcpAddr(ip)); return n.has(a) }
	if !has("192.0.2.9") || !has("2001:db8::1") || has("198.51.100.1") {
		t.Error("the list was not understood")
	}
	write("198.51.100.0/24\nnonsense\n")
	if err := n.load(); err == nil || !strings.Contains(err.Error(), "nonsense") || !has("192.0.2.9") {
		t.Errorf("%v, or a list with a mistake was taken", err)
	}
	write("198.51.100.0/24\n")
	if err := n.load(); err != nil || has("192.0.2.9") || !has("198.51.100.1") {
		t.Errorf("%v, or the new list was not taken", err)
	}
}

func TestALackIsToldOfEveryTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		log := slog.New(&scarcity{Handler: slog.DiscardHandler, out: newConsole(&said)})
		for range 300 { // half a minute
			log.Error("accept failed", "error", syscall.EMFILE, "delay", time.Second)
			time.Sleep(100 * time.Millisecond)
		}
		want := "trigo: accept failed: too many open files\n  hint: more may be open at a time: ulimit -n, or LimitNOFILE= of a unit\n"
		if got := said.String(); got != strings.Repeat(want, 3) {
			t.Errorf("it said\n%s", got)
		}
	})
}
