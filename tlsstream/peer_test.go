package tlsstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trigo"
	"trigo/tlsstream/devcert"
)

// program is another implementation of TLS, as a process.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader // standard output and standard error
	said strings.Builder
}

// start runs a program, which must end by itself before the test does. It skips
// the test where there is no such program.
func start(t *testing.T, name string, args ...string) *program {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	p := &program{t: t, cmd: exec.CommandContext(ctx, path, args...)}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.in.Close()
		io.Copy(io.Discard, p.out)
		p.cmd.Wait()
		cancel()
		if t.Failed() {
			t.Logf("%s said: %s", name, p.said.String())
		}
	})
	return p
}

// types sends text to the standard input of the program.
func (p *program) types(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, text); err != nil {
		p.t.Fatal(err)
	}
}

// line returns the next line of output that matches.
func (p *program) line(pattern string) []string {
	p.t.Helper()
	for re := regexp.MustCompile(pattern); ; {
		line, err := p.out.ReadString('\n')
		p.said.WriteString(line[:min(len(line), 200)])
		if m := re.FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil {
			return m
		}
		if err != nil {
			p.t.Fatalf("no output matches %q: %v", pattern, err)
		}
	}
}

// files writes the authority and the leaf where other programs can read them.
func files(t *testing.T) (ca, cert, key string) {
	t.Helper()
	dir := t.TempDir()
	certPEM, keyPEM, err := devcert.PEM(identity().leaf)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("ca.pem", identity().ca.PEM()), write("cert.pem", certPEM), write("key.pem", keyPEM)
}

// listen returns a listener on a free port.
func listen(t *testing.T, config *tls.Config) (l *Listener, addr string) {
	t.Helper()
	ls, err := ListenTCP(t.Context(), "127.0.0.1:0", config, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trigo.CloseForcefully(ls[0]) })
	return ls[0], address(t, ls[0])
}

func accept(t *testing.T, l *Listener) *Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Abort() })
	return s
}

func dialPeer(t *testing.T, addr string, config *tls.Config) *Stream {
	t.Helper()
	s, err := DialTCP(t.Context(), addr, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Abort() })
	return s
}

func openSSLClient(t *testing.T, addr string, args ...string) *program {
	t.Helper()
	ca, cert, key := files(t)
	all := []string{"s_client", "-connect", addr, "-CAfile", ca, "-cert", cert, "-key", key, "-verify_return_error", "-servername", testName}
	return start(t, "openssl", append(all, args...)...)
}

func TestOpenSSLAsClient(t *testing.T) {
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run(version[1:], func(t *testing.T) {
			config := serverConfig()
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, identity().ca.Pool()
			l, addr := listen(t, config)
			p := openSSLClient(t, addr, version, "-quiet", "-no_ign_eof")
			s := accept(t, l)
			p.types("hello\n")
			receiveString(t, s, "hello\n")
			sendString(t, s, "reply\n")
			p.line("^reply$")
			p.in.Close() // it says close_notify then
			if err := receiveError(t.Context(), s); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
			if state, _ := s.ConnectionState(); len(state.PeerCertificates) == 0 {
				t.Error("no certificate of the client")
			}
			mustClose(t, s)
		})
	}
}

func openSSLServer(t *testing.T, args ...string) (p *program, addr string) {
	t.Helper()
	ca, cert, key := files(t)
	all := []string{"s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert", cert, "-key", key, "-CAfile", ca}
	p = start(t, "openssl", append(all, args...)...)
	return p, p.line(`^ACCEPT (\S+)$`)[1]
}

func TestOpenSSLAsServer(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		_, addr := openSSLServer(t, "-rev", "-Verify", "1", "-verify_return_error")
		config.Certificates = []tls.Certificate{identity().leaf}
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		s := dialPeer(t, addr, config)
		sendString(t, s, "hello\n")
		receiveString(t, s, "olleh\n")
		if err := s.SendEOF(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := receiveError(t.Context(), s); err != io.EOF {
			t.Errorf("at the end: %v", err)
		}
		mustClose(t, s)
	})
}

func TestRenegotiationIsRefused(t *testing.T) {
	t.Run("asked for by a client", func(t *testing.T) {
		l, addr := listen(t, serverConfig())
		p := openSSLClient(t, addr, "-tls1_2")
		s := accept(t, l)
		p.types("before\n")
		receiveString(t, s, "before\n")
		p.types("R\n")
		wantIs(t, "receive", receiveError(t.Context(), s), trigo.ErrBroken)
	})
	t.Run("asked for by a server", func(t *testing.T) {
		p, addr := openSSLServer(t)
		config := clientConfig12()
		config.Renegotiation = tls.RenegotiateFreelyAsClient // to no avail
		s := dialPeer(t, addr, config)
		if err := s.Handshake(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.line("^-----BEGIN SSL SESSION")
		p.types("R\n")
		err := receiveError(t.Context(), s)
		wantIs(t, "receive", err, trigo.ErrBroken)
		wantText(t, err, "no renegotiation")
	})
}

// A key update arrives while our own send is blocked: receiving goes on, and
// the answer comes in its place when sending goes on.
func TestKeyUpdateDuringABlockedSend(t *testing.T) {
	const size = 16 << 20
	l, addr := listen(t, serverConfig())
	middle, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer middle.Close()
	var stalled atomic.Bool
	release := make(chan struct{})
	done := make(chan struct{})
	go func() { // forwards, and stalls in the direction of the client
		defer close(done)
		client, err := middle.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		server, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer server.Close()
		forward := make(chan struct{})
		go func() {
			defer close(forward)
			// As reader and writer only: else package net keeps a pipe to splice with.
			io.Copy(struct{ io.Writer }{server}, struct{ io.Reader }{client})
			server.(*net.TCPConn).CloseWrite()
		}()
		for p := make([]byte, 64<<10); ; {
			n, err := server.Read(p)
			if stalled.Load() {
				<-release
			}
			if _, werr := client.Write(p[:n]); err != nil || werr != nil {
				break
			}
		}
		client.(*net.TCPConn).CloseWrite()
		<-forward
	}()
	p := openSSLClient(t, middle.Addr().String(), "-tls1_3")
	s := accept(t, l)
	sent := make(chan error, 1)
	if err := s.Handshake(t.Context()); err != nil {
		t.Fatal(err)
	}
	stalled.Store(true)
	go func() { sent <- s.SendAll(context.Background(), make([]byte, size)) }()
	for _, text := range []string{"one\n", "two\n"} {
		p.types("K\n")
		p.line("^KEYUPDATE$")
		p.types(text)
		receiveString(t, s, text)
	}
	select {
	case err := <-sent:
		t.Fatalf("the send was not blocked: %v", err)
	default:
	}
	close(release)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(io.Discard, p.out)
	}()
	if err := <-sent; err != nil {
		t.Error(err)
	}
	sendString(t, s, "after the answers\n")
	p.in.Close()
	if _, err := receiveAll(t.Context(), s); err != nil {
		t.Error(err)
	}
	s.Close(t.Context())
	<-done
	<-drained
}

func TestCurl(t *testing.T) {
	ca, _, _ := files(t)
	l, addr := listen(t, serverConfig())
	_, port, _ := net.SplitHostPort(addr)
	p := start(t, "curl", "-sS", "--http1.0", "--cacert", ca, "--resolve", testName+":"+port+":127.0.0.1",
		"--pinnedpubkey", devcert.Pin(identity().leaf.Leaf), fmt.Sprintf("https://%s:%s/", testName, port))
	s := accept(t, l)
	r := trigo.NewBufferedReceiver(s)
	for {
		line, err := r.ReceiveLine(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(strings.TrimSpace(string(line))) == 0 {
			break
		}
	}
	// The end of the body is the end of the stream.
	sendString(t, s, "HTTP/1.0 200 OK\r\n\r\nhello\n")
	mustClose(t, s)
	p.line("^hello$")
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("curl: %v", err)
	}
}

const trioHead = `
import sys, ssl, trio
ca, cert, key, name, port = sys.argv[1:6]
async def talk(s, first):
    if first:
        await s.send_all(b"hello from trio")
    assert (await s.receive_some(100)) == b"hello from trigo"
    if not first:
        await s.send_all(b"hello from trio")
    raw, trailing = await s.unwrap()
    await raw.send_all(b"raw from trio")
    while len(trailing) < 14:
        more = await raw.receive_some(100)
        assert more, trailing
        trailing += more
    assert trailing == b"raw from trigo", trailing
    await raw.aclose()
    print("done", flush=True)
`

const trioClient = trioHead + `
async def main():
    ctx = ssl.create_default_context(cafile=ca)
    s = await trio.open_ssl_over_tcp_stream("127.0.0.1", int(port), ssl_context=ctx)
    s = trio.SSLStream(s.transport_stream, ctx, server_hostname=name)
    await talk(s, True)
trio.run(main)
`

const trioServer = trioHead + `
async def main():
    ctx = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ctx.load_cert_chain(cert, key)
    [l] = await trio.open_ssl_over_tcp_listeners(0, ctx, host="127.0.0.1")
    print("port", l.transport_listener.socket.getsockname()[1], flush=True)
    await talk(await l.accept(), False)
trio.run(main)
`

// trioPeer runs a script with Trio, which is installed for the system's Python.
func trioPeer(t *testing.T, script, port string) *program {
	t.Helper()
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import trio").Run(); err != nil {
		t.Skip("python3-trio is not installed")
	}
	ca, cert, key := files(t)
	return start(t, python, "-c", script, ca, cert, key, testName, port)
}

// trigoTalks is our side of talk.
func trigoTalks(t *testing.T, s *Stream, first bool) {
	t.Helper()
	if first {
		sendString(t, s, "hello from trigo")
		receiveString(t, s, "hello from trio")
	} else {
		receiveString(t, s, "hello from trio")
		sendString(t, s, "hello from trigo")
	}
	raw, trailing, err := s.Unwrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer trigo.CloseForcefully(raw)
	receiveString(t, raw, "raw from trio"[len(trailing):])
	sendString(t, raw, "raw from trigo")
	if err := receiveError(t.Context(), raw); err != io.EOF {
		t.Errorf("the transport ended with %v", err)
	}
}

func TestTrioAsClient(t *testing.T) {
	l, addr := listen(t, serverConfig())
	_, port, _ := net.SplitHostPort(addr)
	p := trioPeer(t, trioClient, port)
	trigoTalks(t, accept(t, l), false)
	p.line("^done$")
}

func TestTrioAsServer(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		p := trioPeer(t, trioServer, "0")
		port := p.line(`^port (\d+)$`)[1]
		trigoTalks(t, dialPeer(t, "127.0.0.1:"+port, config), true)
		p.line("^done$")
	})
}
