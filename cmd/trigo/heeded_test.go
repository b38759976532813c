//go:build unix

package main

import (
	"bytes"
	"io"
	"net"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Each flag is given where the outcome would be another one without it.

// logged runs a command line in this process to its end, with -v, and returns what it
// says as JSON.
func logged(t *testing.T, code int, args string) string {
	t.Helper()
	var said bytes.Buffer
	if got := run(strings.Fields("-v --log json "+args), newConsole(&said)); got != code {
		t.Errorf("trigo %s: exit code %d, want %d\n%s", args, got, code, &said)
	}
	return said.String()
}

func TestCopySaysHowBytesMove(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere all bytes are copied")
	}
	// Whoever connects gets so much, all of which is there at once.
	source := func(size int) string {
		return "tcp:" + peerServer(t, func(c net.Conn) { c.Write(make([]byte, size)) })
	}
	sink := "tcp:" + peerServer(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	few, much := source(100), source(8<<20)
	for args, want := range map[string]string{
		"--copy auto " + much:   "splice",
		"--copy plain " + much:  "copy",
		"--copy splice " + much: "splice",
		"--copy auto " + few:    "copy",
		"--copy splice " + few:  "splice",
	} {
		said := logged(t, 0, args+" "+sink)
		if m := regexp.MustCompile(`"a":\{[^}]*"copy":"(\w+)"`).FindStringSubmatch(said); m == nil || m[1] != want {
			t.Errorf("%s: want %s\n%s", args, want, said)
		}
	}
}

func TestFamiliesAreThoseOfTheFlags(t *testing.T) {
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6: %v", err)
	}
	defer six.Close()
	four := listen(t, "-4", "tcp-listen:0", "echo")
	_, port, _ := net.SplitHostPort(four.addr)
	echoed(t, dial(t, "127.0.0.1:"+port), "over IPv4")
	if c, err := net.DialTimeout("tcp", "[::1]:"+port, 5*time.Second); err == nil {
		c.Close()
		t.Error("-4 listens on IPv6")
	}
	both := listen(t, "tcp-listen:0", "echo")
	onlySix := listen(t, "-6", "tcp-listen:0", "echo")
	for _, s := range []*tool{both, onlySix} {
		_, port, _ := net.SplitHostPort(s.addr)
		echoed(t, dial(t, "[::1]:"+port), "over IPv6")
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, 5*time.Second)
		if (err == nil) != (s == both) {
			t.Errorf("%v: IPv4: %v", s.cmd.Args, err)
		}
		if err == nil {
			c.Close()
		}
	}
	logged(t, 3, "-4 tcp:"+six.Addr().String()+" literal:x")
	logged(t, 3, "-6 tcp:127.0.0.1:"+port+" literal:x")
	// To connect: a name with addresses of both families, on one of which somebody
	// listens.
	if addrs, _ := net.LookupHost("localhost"); len(addrs) < 2 {
		t.Logf("localhost is only %v", addrs)
		return
	}
	_, sixPort, _ := net.SplitHostPort(six.Addr().String())
	for args, code := range map[string]int{
		"-4 tcp:localhost:" + port: 0, "-6 tcp:localhost:" + port: 3,
		"-6 tcp:localhost:" + sixPort: 0, "-4 tcp:localhost:" + sixPort: 3,
		"tcp:localhost:" + port: 0, "tcp:localhost:" + sixPort: 0,
	} {
		if code == 3 {
			logged(t, 3, args+" literal:x")
			continue
		}
		scene(t)
		var said bytes.Buffer
		if got := run(append([]string{"probe"}, strings.Fields(args)...), newConsole(&said)); got != 0 {
			t.Errorf("probe %s: exit code %d\n%s", args, got, &said)
		}
	}
}

func TestTheHandshakeTimeoutIsThatOfTheFlag(t *testing.T) {
	silent := peerServer(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	for args, within := range map[string]string{
		"--handshake-timeout 30ms tls,name=h+tcp:" + silent:  "no end of the handshake within 30ms",
		"--handshake-timeout 30ms connect:h:1+tcp:" + silent: "no answer from the proxy within 30ms",
	} {
		began := time.Now()
		said := logged(t, 9, args+" echo")
		if took := time.Since(began); !strings.Contains(said, within) || took > 8*time.Second {
			t.Errorf("trigo %s: after %v\n%s", args, took, said)
		}
	}
}
