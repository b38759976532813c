//go:build unix

package docs

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// standIns are what the recipes talk to.
type standIns struct {
	pki                          string // certificates
	echo, tls, proxy, socks, udp string
	unix                         string
}

func newStandIns(t *testing.T, tool string) *standIns {
	s := &standIns{pki: t.TempDir() + "/pki", unix: t.TempDir() + "/echo"}
	runTool(t, tool, ".", "", "cert", s.pki, "site.example", "localhost")
	echo := func(c net.Conn) { io.Copy(c, c) }
	s.echo = serveAll(t, "tcp", "127.0.0.1:0", echo)
	serveAll(t, "unix", s.unix, echo)
	cert := must(tls.LoadX509KeyPair(s.pki+"/cert.pem", s.pki+"/key.pem"))
	s.tls = serveAll(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		io.Copy(c, c)
		c.Close()
	})
	// Proxies that take whatever they are asked, and are the target as well.
	s.proxy = serveAll(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		readUntil(c, "\r\n\r\n")
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		io.Copy(c, c)
	})
	s.socks = serveAll(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		io.ReadFull(c, make([]byte, 3))
		c.Write([]byte{5, 0})
		io.ReadFull(c, make([]byte, 5+len("git.example")+2))
		c.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 22})
		io.Copy(c, c)
	})
	p := must(net.ListenPacket("udp", "127.0.0.1:0"))
	t.Cleanup(func() { p.Close() })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := p.ReadFrom(buf)
			if err != nil {
				return
			}
			p.WriteTo(buf[:n], from)
		}
	}()
	s.udp = p.LocalAddr().String()
	return s
}

// serveAll serves every connection until the test ends, and closes its half when
// serve returns.
func serveAll(t *testing.T, network, address string, serve func(c net.Conn)) string {
	l := must(net.Listen(network, address))
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer c.Close(); serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String()
}

func readUntil(r io.Reader, end string) {
	var got []byte
	for b := make([]byte, 1); !bytes.HasSuffix(got, []byte(end)); got = append(got, b...) {
		if _, err := r.Read(b); err != nil {
			return
		}
	}
}

// kitchen is where one recipe is tried.
type kitchen struct {
	*testing.T
	tool, dir string
	commands  []string
	stand     *standIns

	cmd            *exec.Cmd // the listener
	end            func()
	stdout, stderr speech
}

// speech is what a process has said so far.
type speech struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *speech) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *speech) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var listensOn = regexp.MustCompile(`(tcp|udp)-listen:(\[::1\]:|127\.0\.0\.1:)?\d+`)

// command is a command of the recipe as the shell is to run it: with a stand-in for
// each host.
func (k *kitchen) command(i int, flags string) *exec.Cmd {
	text := strings.NewReplacer(
		"db.internal:5432", k.stand.echo, "tcp:127.0.0.1:8000", "tcp:"+k.stand.echo,
		"tls:site.example:443", "tls:localhost:"+port(k.stand.tls),
		"proxy.internal:3128", k.stand.proxy, "socks.internal:1080", k.stand.socks,
		"dns.internal:53", k.stand.udp,
		"/var/run/docker.sock", k.stand.unix, "/run/qemu.mon", k.stand.unix,
	).Replace(k.commands[i])
	text = listensOn.ReplaceAllStringFunc(text, func(s string) string {
		m := listensOn.FindStringSubmatch(s)
		return m[1] + "-listen:" + cmp.Or(m[2], "127.0.0.1:") + "0"
	})
	text = strings.Replace(text, "trigo ", "exec "+k.tool+" "+flags, 1)
	cmd := exec.Command("sh", "-c", text)
	cmd.Dir = k.dir
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+k.stand.pki+"/ca.pem", "LISTEN_FDNAMES=web", "LISTEN_FDS=1") // as systemd does
	return cmd
}

// replace puts another address into the commands to come.
func (k *kitchen) replace(host, addr string) {
	for i := range k.commands {
		k.commands[i] = strings.ReplaceAll(k.commands[i], host, addr)
	}
}

// listen runs a command that listens, and returns where.
func (k *kitchen) listen(i int) string {
	k.Helper()
	r, w := pipe()
	defer r.Close()
	k.cmd = k.command(i, "--ready 3 ")
	k.cmd.ExtraFiles = []*os.File{w}
	k.start()
	w.Close()
	var ready struct{ Listening []string }
	if err := json.NewDecoder(r).Decode(&ready); err != nil {
		k.end()
		k.Fatalf("it does not listen: %v\n%s", err, &k.stderr)
	}
	return ready.Listening[0]
}

func (k *kitchen) start() {
	cmd := k.cmd
	cmd.Stdout, cmd.Stderr = &k.stdout, &k.stderr
	if err := cmd.Start(); err != nil {
		k.Fatal(err)
	}
	end := sync.OnceFunc(func() { cmd.Wait() })
	k.end = end
	k.Cleanup(func() {
		cmd.Process.Kill()
		end()
		if k.Failed() {
			k.Logf("%v said\n%s", cmd.Args, &k.stderr)
		}
	})
}

func pipe() (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	return r, w
}

// systemd runs a command that is given its listener.
func (k *kitchen) systemd(i int) {
	k.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0")).(*net.TCPListener)
	defer l.Close()
	f := must(l.File())
	k.cmd = k.command(i, "")
	k.cmd.Args[2] = "export LISTEN_PID=$$; " + k.cmd.Args[2]
	k.cmd.ExtraFiles = []*os.File{f}
	k.start()
	f.Close()
	k.echoes(l.Addr().String())
}

// run runs a command to its end and returns what it printed.
func (k *kitchen) run(i int, input string) string {
	k.Helper()
	cmd := k.command(i, "")
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), &stderr
	timeout := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer timeout.Stop()
	out, err := cmd.Output()
	if err != nil {
		k.Errorf("%v: %v\n%s", cmd.Args, err, &stderr)
	}
	return string(out)
}

func (k *kitchen) echoes(addr string) {
	k.Helper()
	k.exchange(must(net.Dial("tcp", addr)))
}

// tls connects to a server whose certificate is somebody else's business.
func (k *kitchen) tls(addr string) net.Conn {
	k.Helper()
	return must(tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}))
}

// exchange sends something, wants it back, and the end after the end.
func (k *kitchen) exchange(c net.Conn) {
	k.Helper()
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, "hello\n")
	c.(interface{ CloseWrite() error }).CloseWrite()
	got, err := io.ReadAll(c)
	if string(got) != "hello\n" || err != nil {
		k.Errorf("%q came back, %v", got, err)
	}
}

func (k *kitchen) same(want, got string) {
	k.Helper()
	if got != want {
		k.Errorf("got %.100q, want %.100q", got, want)
	}
}

func (k *kitchen) has(word, text string) {
	k.Helper()
	if !strings.Contains(text, word) {
		k.Errorf("no %q in\n%s", word, text)
	}
}

func (k *kitchen) await(holds func() bool) {
	k.Helper()
	tick, limit := time.NewTicker(2*time.Millisecond), time.NewTimer(20*time.Second)
	defer tick.Stop()
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			k.Fatalf("waited in vain; it said\n%s%s", &k.stdout, &k.stderr)
		}
	}
}

func (k *kitchen) write(name, text string) {
	k.Helper()
	if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
		k.Fatal(err)
	}
}

func (k *kitchen) read(name string) string { return read(k.T, filepath.Join(k.dir, name)) }

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func port(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		panic(err)
	}
	return port
}
