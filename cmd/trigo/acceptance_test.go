//go:build unix

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What other tools of the kind lose or hide; halfclose.txtar is the first of them.

func TestAHalfOpenSilentPeerIsReapedAndReported(t *testing.T) {
	over := make(chan struct{})
	mute := peerServer(t, func(c net.Conn) {
		io.Copy(io.Discard, c) // to the end, and then it says nothing
		<-over
	})
	p := start(t, "trigo", "-v", "--linger", "100ms", "-", "tcp:"+mute)
	p.ends(exitTimeout, "trigo: b: no bytes since the other direction ended", "hint: --linger", "b=reaped")
	close(over)
}

func TestATLSCutIsTruncationAndResetsThePlainSide(t *testing.T) {
	dir := certificates(t, "127.0.0.1")
	cert, err := tls.LoadX509KeyPair(dir+"/cert.pem", dir+"/key.pem")
	if err != nil {
		t.Fatal(err)
	}
	cut := peerServer(t, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		s.Write(make([]byte, 1000))
		s.Read(make([]byte, 1)) // it has them
	}) // and the TCP connection ends without close_notify
	p := listen(t, "--once", "-v", "tcp-listen:127.0.0.1:0", "tls,name=127.0.0.1,ca="+dir+"/ca.pem+tcp:"+cut)
	c := dial(t, p.addr)
	if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("x"))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the plain side sees %d, %v, want a reset", n, err)
	}
	p.ends(exitTruncated, "trigo: b: ", "truncated")

	// A peer like that can be put up with.
	p = listen(t, "--once", "tcp-listen:127.0.0.1:0", "tls,ragged=ok,name=127.0.0.1,ca="+dir+"/ca.pem+tcp:"+cut)
	c = dial(t, p.addr)
	c.Write([]byte("x"))
	if got := receiveAll(t, c); len(got) != 1000 {
		t.Errorf("%d bytes", len(got))
	}
	c.CloseWrite()
	p.ends(exitOK)
}

func TestKilledOpenSSLIsTruncation(t *testing.T) {
	need(t, "openssl")
	dir := certificates(t, "localhost")
	port := freePort(t)
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	s := exec.Command("openssl", "s_server", "-quiet", "-port", port, "-cert", dir+"/cert.pem", "-key", dir+"/key.pem")
	s.Stdin = in
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Wait()
	defer s.Process.Kill()
	in.Close()
	out.WriteString(strings.Repeat("y", 999) + "\n")

	stdin, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	p := &tool{t: t, cmd: exec.Command("trigo", "--retry", "50", "--backoff", "20ms..100ms", "-", "tls:localhost:"+port+",ca="+dir+"/ca.pem")}
	var got lockedBuffer
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, &got, &p.stderr
	p.run()
	stdin.Close()
	eventually(t, "1000 bytes", func() bool { return len(got.String()) == 1000 })
	s.Process.Kill()
	p.ends(exitTruncated, "truncated")
}

func TestAResetIsAResetOnTheOtherSide(t *testing.T) {
	reset := peerServer(t, func(c net.Conn) {
		c.Write(make([]byte, 1000))
		c.Read(make([]byte, 1))
		c.(*net.TCPConn).SetLinger(0)
	})
	p := listen(t, "--once", "tcp-listen:127.0.0.1:0", "tcp:"+reset)
	c := dial(t, p.addr)
	if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("x"))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the other side sees %d, %v, want a reset", n, err)
	}
	p.ends(exitBroken, "trigo: b: ", "connection reset by peer")
}

// A killed process has its sockets reset by the kernel if it left bytes unread.
func TestKillingEitherPeerIsExitCode7(t *testing.T) {
	for _, side := range []string{"a", "b"} {
		victim := start(t, "peer", "unread", t.TempDir()+"/addr")
		var addr string
		eventually(t, "the peer listens", func() bool {
			text, _ := os.ReadFile(victim.cmd.Args[2])
			addr = strings.TrimSpace(string(text))
			return strings.HasSuffix(string(text), "\n")
		})
		args := []string{"tcp:" + addr, "zero"}
		if side == "b" {
			args = []string{"zero", "tcp:" + addr}
		}
		p := start(t, "trigo", append([]string{"-v"}, args...)...)
		eventually(t, "bytes pass", func() bool { return strings.Contains(victim.stderr.String(), "full") })
		victim.cmd.Process.Kill()
		p.ends(exitBroken, "trigo: "+side+": ", side+"=reset after")
	}
}

func TestABadCertificateIsExitCode5WithAPinThatHelps(t *testing.T) {
	dir := certificates(t, "localhost")
	for _, layers := range []string{"tls-server,self-signed", "tls-server,cert=" + dir + "/cert.pem,key=" + dir + "/key.pem"} {
		s := listen(t, "-q", layers+"+tcp-listen:127.0.0.1:0", "echo")
		p := start(t, "trigo", "-", "tls,name=localhost+tcp:"+s.addr)
		p.ends(exitHandshake, "trigo: b: tls handshake with localhost over tcp "+s.addr+": certificate", "hint: ")
		pin := regexp.MustCompile(`pin=sha256:[0-9a-f]{64}`).FindString(p.stderr.String())
		if pin == "" {
			t.Fatal("the hint has no pin")
		}
		if n := strings.Count(p.stderr.String(), "\n"); n != 2 {
			t.Errorf("%d lines, want the error and the hint", n)
		}
		start(t, "trigo", "-", "tls,name=localhost,"+pin+"+tcp:"+s.addr).ends(exitOK)
	}
}

func TestTheArgumentsOfAChildArriveAsTheyAre(t *testing.T) {
	args := []string{`a:b,c`, `x+y`, `100%`, `%41`, `"double"`, `it's`, ``, `--help`, `--`, `-v`, "new\nline", `$HOME`}
	argv := append([]string{"-U", "-", "exec", "--", "peer", "arguments"}, args...)
	p := start(t, "trigo", argv...)
	p.ends(exitOK)
	if want := strings.Join(args, "\x00") + "\x00"; p.stdout.String() != want {
		t.Errorf("got  %q\nwant %q", p.stdout.String(), want)
	}
}

func TestTheStatusOfTheChildIsOurs(t *testing.T) {
	for script, code := range map[string]int{
		"exit 7": 7, "exit 0": 0, "cat; exit 3": 3, "kill -TERM $$": 143, "kill -KILL $$": 137, "exec <&-; exit 5": 5,
	} {
		p := start(t, "trigo", "-", "exec", "--", "sh", "-c", script)
		p.ends(code)
	}
	s := listen(t, "--once", "--exit-from", "b", "tcp-listen:127.0.0.1:0", "exec", "--", "sh", "-c", "cat; exit 9")
	c := dial(t, s.addr)
	echoed(t, c, "hello")
	c.CloseWrite()
	receiveAll(t, c)
	s.ends(9, "b: the child exited with status 9")
}

func TestAChildHasTheTimeOfItsGrace(t *testing.T) {
	// Both directions have ended, and it has work to do for longer than a half of the time
	// that goodbyes usually have.
	p := start(t, "trigo", "literal:x", "exec,grace=30s", "--", "sh", "-c", "cat; exec >&-; sleep 3; exit 6")
	p.ends(6)
}

func TestSessionsOfUDPEndWellWhenTheyAreSilent(t *testing.T) {
	echo := listen(t, "udp-listen:127.0.0.1:0", "echo")
	s := listen(t, "--max-accepts", "2", "--strict", "udp-listen:127.0.0.1:0,idle=1s", "udp:"+echo.addr)
	for range 2 {
		c, err := net.Dial("udp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		echoed(t, c, "hello")
	}
	s.ends(exitOK)
	if said := s.stderr.String(); strings.Contains(said, "trigo: ") {
		t.Errorf("a silence is told as a failure: %s", said)
	}
}

func TestWhatGoesOneWayArrivesThoughThePeerAnswers(t *testing.T) {
	const sent = "zero:8M" // more than the kernel holds for both
	arrived := make(chan int64, 1)
	peer := peerServer(t, func(c net.Conn) {
		n, err := io.Copy(c, c)
		if err != nil {
			t.Errorf("the peer: %v", err)
		}
		arrived <- n
	})
	start(t, "trigo", "-u", sent, "tcp:"+peer).ends(exitOK)
	if n := <-arrived; n != 8<<20 {
		t.Errorf("%d bytes arrived", n)
	}
	start(t, "trigo", "-u", sent, "exec", "--", "cat").ends(exitOK)
}

func TestOneWayIsOverThoughThePeerStays(t *testing.T) {
	end := make(chan bool)
	peer := peerServer(t, func(c net.Conn) { io.Copy(io.Discard, c); <-end })
	defer close(end)
	start(t, "trigo", "-u", "literal:x", "tcp:"+peer).ends(exitOK)

	// Standard input is not for it.
	in := strings.NewReader("left alone")
	p := &tool{t: t, cmd: exec.Command("sh", "-c", "trigo -u literal:x%2C -; cat")}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = in, &p.stdout, &p.stderr
	p.run()
	p.ends(exitOK)
	if got := p.stdout.String(); got != "x,left alone" {
		t.Errorf("got %q", got)
	}
}

func TestTLSInTLSThroughARealProxy(t *testing.T) {
	need(t, "ncat", "openssl")
	dir := certificates(t, "site.example", "proxy.example")
	cert, ca := ",cert="+dir+"/cert.pem,key="+dir+"/key.pem", ",ca="+dir+"/ca.pem"

	site := listen(t, "-q", "tls-server"+cert+"+tcp-listen:127.0.0.1:0", "echo")
	port := freePort(t)
	start(t, "ncat", "-l", "127.0.0.1", port, "-k", "--proxy-type", "http", "--proxy-auth", "u:p,w")
	front := listen(t, "-q", "--retry", "50", "--backoff", "20ms..100ms", "tls-server"+cert+"+tcp-listen:127.0.0.1:0", "tcp:127.0.0.1:"+port)

	address := "tls,name=site.example" + ca + "+connect:" + site.addr + ",auth=u:p%2Cw+tls,name=proxy.example" + ca + "+tcp:" + front.addr
	p := &tool{t: t, cmd: exec.Command("trigo", "-v", "-", address)}
	sent := bytes.Repeat([]byte("0123456789abcdef"), 20000)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = bytes.NewReader(sent), &p.stdout, &p.stderr
	p.run()
	p.ends(exitOK)
	if !bytes.Equal(p.stdout.Bytes(), sent) {
		t.Errorf("%d bytes came back, of %d", p.stdout.Len(), len(sent))
	}

	p = start(t, "trigo", "-", strings.Replace(address, "u:p%2Cw", "u:wrong", 1))
	p.ends(exitProxy, "407", "hint: pass auth=USER:PASSWORD")
	if strings.Contains(p.stderr.String(), "wrong") {
		t.Error("it tells the password")
	}
}

func TestWhatExplainPrintsCanBeRunAgain(t *testing.T) {
	for _, args := range [][]string{
		{"-", "tls:www.example+connect:www.example:443+tls:proxy.corp,ca=corp.pem+tcp:proxy.corp:8443"},
		{"tcp-listen:2375", "unix:/var/run/docker.sock"},
		{"tcp-listen:5433,max=50", "fault,seed=7,delay=20ms,jitter=10ms,reset@1MB+tcp:db:5432"},
		{"tls-server,self-signed+tcp-listen:[::1]:4443", "echo"},
		{"udp-listen:53", "literal:a%2Cb%2B%25%0A"},
		{"unix-listen:/run/pg.sock,mode=0660", "rate=10MB/s+db:5432"},
		{"http-proxy://proxy:3128/host:22", "tap=hex+tcp:a:1"},
	} {
		explain := func(args ...string) (text, same string) {
			out, err := exec.Command("trigo", append([]string{"explain"}, args...)...).Output()
			if err != nil {
				t.Fatalf("%v: %v", args, err)
			}
			m := regexp.MustCompile(`(?m)^same as: trigo (.*)$`).FindSubmatch(out)
			return string(out), string(m[1])
		}
		text, same := explain(args...)
		again, _ := explain(strings.Fields(same)...)
		if text != again {
			t.Errorf("%v\n%s\nand then\n%s", args, text, again)
		}
	}
}

func TestExplainKnowsThatZeroConnectionsAreAnyNumber(t *testing.T) {
	for n, want := range map[string]string{"0": "any number of connections", "7": "up to 7 connections"} {
		out, err := exec.Command("trigo", "explain", "--max-conns", n, "tcp-listen:8080", "echo").Output()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("--max-conns %s: %v\n%s", n, err, out)
		}
	}
}

func TestHUPSwapsCertificatesInMidStream(t *testing.T) {
	dir := certificates(t, "localhost")
	s := listen(t, "tls-server,cert="+dir+"/cert.pem,key="+dir+"/key.pem+tcp-listen:127.0.0.1:0", "echo")
	connect := func() *tls.Conn {
		t.Helper()
		pem, err := os.ReadFile(dir + "/ca.pem")
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		c := tls.Client(dial(t, s.addr), &tls.Config{RootCAs: pool, ServerName: "localhost"})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	old := connect()
	echoed(t, old, "before")

	// A broken pair is not taken, and is told of.
	if err := os.WriteFile(dir+"/cert.pem", []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.signal(syscall.SIGHUP)
	eventually(t, "the failure is told", func() bool { return strings.Contains(s.stderr.String(), "trigo: reload: ") })
	echoed(t, connect(), "still the old one")

	fresh := certificates(t, "localhost")
	for _, name := range []string{"cert.pem", "key.pem", "ca.pem"} {
		if err := os.Rename(filepath.Join(fresh, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.signal(syscall.SIGHUP)
	eventually(t, "it has reloaded", func() bool { return strings.Contains(s.stderr.String(), "\nreloaded\n") })
	renewed := connect() // trusts the new authority only
	echoed(t, renewed, "after")
	echoed(t, old, "and the old one goes on")
	if old.ConnectionState().PeerCertificates[0].Equal(renewed.ConnectionState().PeerCertificates[0]) {
		t.Error("the certificate is the same")
	}
}
