//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mishap is a command line that goes wrong.
type mishap struct {
	args string // words, with blanks in between
	code int
	line string // in the error
	hint string // in the hint; "" if nobody can do anything about it
}

// ends runs the command line in this process and checks what it says: one line, and
// its hint.
func (m mishap) ends(t *testing.T) {
	t.Helper()
	var said bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run(strings.Fields(m.args), newConsole(&said)) }()
	var code int
	select {
	case code = <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("trigo %s: it does not end", m.args)
	}
	line, hint, _ := strings.Cut(said.String(), "\n")
	text, isHint := strings.CutPrefix(hint, "  hint: ")
	switch {
	case code != m.code,
		!strings.HasPrefix(line, "trigo: "), !strings.Contains(line, m.line),
		isHint != (m.hint != ""), !strings.Contains(text, m.hint),
		isHint && strings.Count(hint, "\n") != 1, !isHint && hint != "":
		t.Errorf("trigo %s: exit code %d, want %d\n%swant ... %s ...\n  hint: ... %s ...", m.args, code, m.code, &said, m.line, m.hint)
	}
	for _, r := range strings.ReplaceAll(said.String(), "\n", "") {
		if r < ' ' || r == 0x7f {
			t.Errorf("trigo %s: it says the control character %U", m.args, r)
		}
	}
}

func endAll(t *testing.T, all []mishap) {
	t.Helper()
	for _, m := range all {
		m.ends(t)
	}
}

// scene is a directory to go wrong in.
func scene(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = null // for what probe has to say
	t.Cleanup(func() { os.Stdout = stdout; null.Close() })
	for name, content := range map[string]string{"plain": "x", "script": "true\n", "list": "nonsense\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod("script", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("dir", 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestEveryMistakeOnTheCommandLineIsOneLineWithAHint(t *testing.T) {
	scene(t)
	endAll(t, []mishap{
		// words
		{"", 2, "no address", "trigo --help"},
		{"echo echo echo", 2, "3 addresses", "quotes of the shell"},
		{"- -", 2, "both sides are standard input", "such as tcp:HOST:PORT"},
		{"tcp-listen:0 unix-listen:s", 2, "both sides listen", "one side has to connect"},
		{"- echo -- true", 2, `no address takes the command "true"`, "is for an exec layer"},
		{"exec exec -- true", 2, "both sides are children", "a shell can run both"},
		{"man -- true", 2, "runs no command", "is for an exec layer"},
		{"man page", 2, "1 arguments are too many", "usage: trigo man"},
		{"probe", 2, "0 arguments are too few", "usage: trigo probe ADDR"},
		{"probe exec", 2, "probe starts no command", "such as tcp:HOST:PORT"},
		{"probe tcp-listen:1", 2, "listens itself", "what listens"},
		{"completion ksh", 2, `no completion for "ksh"`, "want bash, zsh, fish or pwsh"},
		{"--strict explain", 2, `unknown layer "explain"`, "a command stands first: trigo explain"},
		{"cert .", 2, "1 arguments", "usage: trigo cert DIR HOST..."},
		{"cert plain/x localhost", 1, "not a directory", "a part of the path is a file"},

		// flags
		{"--retyr 3 - echo", 2, "unknown flag --retyr", "did you mean --retry?"},
		{"-z", 2, "unknown flag -z", "lists the flags"},
		{"---", 2, "bad flag syntax", "--flag VALUE"},
		{"--linger", 2, "--linger needs a value", "durations need a unit"},
		{"--linger 5 - echo", 2, `invalid value "5" for flag --linger`, "durations need a unit"},
		{"--linger -5s - echo", 2, "--linger is negative", "0 stands for no limit"},
		{"--max-conns -1 - echo", 2, "--max-conns is negative", "0 stands for no limit"},
		{"--max-conns x - echo", 2, `invalid value "x" for flag --max-conns`, "want a number"},
		{"--max-conns 99999999999999999999 - echo", 2, "value out of range", "want a number"},
		{"--accept-rate x - echo", 2, `invalid value "x" for flag --accept-rate`, "want a number"},
		{`--max-conns ":x": - echo`, 2, `for flag --max-conns`, "want a number"},
		{"--retry x - echo", 2, `invalid value "x" for flag --retry`, "want --retry N|forever"},
		{"--backoff 3s..1s - echo", 2, `"3s..1s" for flag --backoff`, "such as 200ms..30s"},
		{"--buffer many - echo", 2, `"many" is not a size`, "want a size such as"},
		{"--buffer 0 - echo", 2, "--buffer is zero", "want a size"},
		{"--once=maybe - echo", 2, `invalid value "maybe" for flag --once`, "--once takes no value"},
		{"--copy fast - echo", 2, `--copy "fast" is unknown`, "want auto, splice or plain"},
		{"--allow 10.0.0.0/33 tcp-listen:0 echo", 2, "neither a network", "want networks such as"},
		{"--allow @nobody tcp-listen:0 echo", 2, "open nobody: no such file", "@FILE with one a line"},
		{"--allow @list tcp-listen:0 echo", 2, `list: "nonsense" is neither`, "@FILE with one a line"},
		{"-u -U - echo", 2, "-u and -U exclude each other", "leave one of them out"},
		{"-4 -6 - echo", 2, "-4 and -6 exclude each other", "leave one of them out"},
		{"-q -v - echo", 2, "-q and -v exclude each other", "leave one of them out"},
		{"--once --max-accepts 2 tcp-listen:0 echo", 2, "exclude each other", "leave one of them out"},
		{"cert --days 0 x localhost", 2, "--days is zero", "1 or more"},
		{"probe --idle 3s echo", 2, "--idle means nothing to trigo probe", "is for trigo relay, explain"},
		{"--max-per-ip 3 tcp:localhost:1 echo", 2, "no address listens", "such as tcp-listen:PORT"},
		{"--exit-from a - echo", 2, "that side is no child", "the side with an exec layer"},
		{"--exit-from b tcp-listen:0 exec -- true", 2, "there will be many children", "pass --once as well"},
		{"--ready soon tcp-listen:0 echo", 2, `--ready "soon"`, "want the number of a descriptor, or notify"},
		{"--log-file dir - echo", 2, "is a directory", "name a file"},
		{"--log-file no/x - echo", 2, "no such file", "is the path right?"},
		{"--pidfile no/x - echo", 2, "no such file", "is the path right?"},
		{"--status no/x echo discard", 2, "no such file", "is the path right?"},
		{"--status 192.0.2.1:1 echo discard", 2, "cannot assign", "not an address of this machine"},
		{"--status 1 echo discard", 2, "missing port", "want unix:PATH or HOST:PORT"},

		// addresses; endpoint has a table of them all
		{"tcq:localhost:80 echo", 2, `unknown layer "tcq"`, "did you mean tcp?"},
		{"ssh:localhost:80 echo", 2, `unknown layer "ssh"`, "the layers are stdio tcp"},
		{"tcp:localhost:80,nodlay echo", 2, `unknown option "nodlay"`, "did you mean nodelay?"},
		{"tcp:localhost:80,frobnicate echo", 2, `unknown option "frobnicate"`, "the options of tcp are"},
		{"tcp:localhost echo", 2, "missing port", "want tcp:HOST:PORT"},
		{"tcp:localhost:65536 echo", 2, "out of range", "want tcp:HOST:PORT"},
		{"echo:1 -", 2, "takes no argument", "want echo"},
		{"udp-listen:0,idle=5 echo", 2, "5 has no unit", "units required"},
		{"file:f,seek=x echo", 2, `"x" is not a size`, "want a size"},
		{"literal:%zz -", 2, `"%zz" is no escape`, "write %25 for a %"},
		{"echo+echo -", 2, "cannot stand on echo", "put it last"},
		{"connect:a:1 -", 2, "it needs a layer below it", "such as connect:a:1+tcp:PROXY:3128"},
		{"tls:a:1,key=x -", 2, "no effect without cert", "pass cert=FILE as well"},
		{"./dir -", 2, "it is a directory", "name a file or a socket in it"},
		{"unix:dir -", 2, "is a directory, not a socket", "name a socket in it"},
		{"unix:plain -", 2, "is a file, not a socket", "file:PATH is for files"},
		{"unix-listen:plain -", 2, "is a file, not a socket", "only sockets are replaced"},

		// what addresses refer to
		{"- exec", 2, "there is no command", "exec -- COMMAND"},
		{"exec,env=A - -- true", 2, "it has no value", "want env=NAME=VALUE"},
		{"fifo:p echo", 2, "both ways", "-u or -U"},
		{"-u file:plain,create -", 2, "it is only read", "leave them out"},
		{"tls:a:1,ca=nobody -", 2, "open nobody: no such file", "is the path right?"},
		{"tls:a:1,ca=plain -", 2, "there is no certificate in plain", "PEM"},
		{"tls:a:1,ca=dir -", 2, "is a directory", "name a file"},
		{"tls:a:1,cert=plain -", 2, "plain: ", "key=FILE"},
		{"tls:a:1,keylog=dir -", 2, "is a directory", "name a file"},
		{"tls:a:1,pin=@plain -", 2, `"x" is not a pin`, "want sha256:"},
		{"tls:a:1,pin=@nobody -", 2, "no such file", "is the path right?"},
		{"connect:a:1,auth=env:TRIGO_NOT_SET+a:1 -", 2, "there is no variable TRIGO_NOT_SET", "export"},
		{"connect:a:1,auth=x+a:1 -", 2, "it has no password", "want USER:PASSWORD"},
		{"connect:a:1,header=x+a:1 -", 2, "it has no colon", "want NAME: VALUE"},
	})
	// Others may have had a hand in a name: it cannot make a second line, or paint.
	for _, args := range [][]string{{"--log-file", "no\n/\x1b[31mx", "-", "echo"}, {"tcq\n:x", "-"}, {"file:a%0Ab%1B[31m", "discard"}} {
		var said bytes.Buffer
		run(args, newConsole(&said))
		if text := said.String(); strings.Count(text, "\n") != 2 || strings.Contains(text, "\x1b") {
			t.Errorf("%q: %q", args, text)
		}
	}
}

func TestEveryFailureToOpenIsOneLineWithAHint(t *testing.T) {
	scene(t)
	busy := peerServer(t, func(net.Conn) {})
	datagrams, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "datagrams", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer datagrams.Close()
	endAll(t, []mishap{
		{"tcp:127.0.0.1:1 echo", 3, "a: dial tcp 127.0.0.1:1: connection refused", "nobody listens there"},
		{"echo tcp:127.0.0.1:1", 4, "b: dial tcp 127.0.0.1:1: connection refused", "nobody listens there"},
		{"tcp:nobody.invalid:1,bind=127.0.0.1 echo --connect-timeout 3s", 3, "lookup nobody.invalid", "name"},
		{"-6 tcp:127.0.0.1:1 echo", 3, "other family", "leave out what asks for the other one"},
		{"tcp:127.0.0.1:1,bind=192.0.2.1 echo", 3, "cannot assign", "not an address of this machine"},
		{"tcp:255.255.255.255:1 echo", 3, "dial tcp 255.255.255.255:1: ", "from here"},
		{"unix:nobody echo", 3, "no such file", "does the server run?"},
		{"unix:datagrams echo", 3, "wrong type", "a socket of another kind"},
		{"unix:" + strings.Repeat("x", 200) + " echo", 3, "too long", "take a shorter one"},
		{"unix:plain/x echo", 3, "not a directory", "a part of the path is a file"},
		{"file:nobody echo", 3, "no such file", "create makes a file"},
		{"file:dir echo", 3, "is a directory", "name a file"},
		{"-u fifo:nobody discard", 3, "no such file", "create makes it"},
		{"fd:99 echo", 3, "bad file descriptor", "nothing was open there"},
		{"exec echo -- /no/such/program", 3, "no such file", "by a name in PATH"},
		{"exec echo -- ./plain", 3, "permission denied", "chmod +x"},
		{"exec echo -- ./script", 3, "exec format error", "#!"},
		{"exec,cwd=nobody echo -- true", 3, "no such file", "cwd"},
		{"tcp-listen:" + busy + " echo", 3, "address already in use", "something else listens there"},
		{"echo tcp-listen:" + busy, 4, "address already in use", "something else listens there"},
		{"tcp-listen:192.0.2.1:0 echo", 3, "cannot assign", "not an address of this machine"},
		{"udp-listen:192.0.2.1:0 echo", 3, "cannot assign", "not an address of this machine"},
		{"-6 tcp-listen:127.0.0.1:0 echo", 3, "no address of IPv6", "leave out what asks for the other one"},
		{"-4 udp-listen:[::1]:0 echo", 3, "no address of IPv4", "leave out what asks for the other one"},
		{"-6 udp:127.0.0.1:9 echo", 3, "no address of IPv6", "leave out what asks for the other one"},
		{"unix-listen:nobody/s echo", 3, "no such file", "the directory of the socket must be there"},
		{"systemd echo", 3, "no sockets were passed", ".socket unit"},
		{"ps unix:nobody", 3, "no such file", "is the path right?"},
		{"ps 127.0.0.1:1", 3, "connection refused", "nobody listens there"},
		{"ps 1", 3, "missing port", "want unix:PATH or HOST:PORT"},
		{"probe tcp:127.0.0.1:1", 3, "connection refused", "nobody listens there"},
	})
}

func TestEveryFailureOfAPeerIsOneLineWithAHintIfThereIsOne(t *testing.T) {
	scene(t)
	answers := func(text string) string {
		return peerServer(t, func(c net.Conn) {
			c.Read(make([]byte, 1000))
			io.WriteString(c, text)
			io.Copy(io.Discard, c) // unread bytes would make a reset of the end
		})
	}
	silent := peerServer(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	over := make(chan struct{})
	stays := peerServer(t, func(net.Conn) { <-over })
	t.Cleanup(func() { close(over) }) // before the server waits for that
	leaves := peerServer(t, func(net.Conn) {})
	resets := peerServer(t, func(c net.Conn) {
		c.Read(make([]byte, 1))
		c.(*net.TCPConn).SetLinger(0)
	})
	denies := answers("HTTP/1.1 403 No\r\n\r\n")
	paints := answers("HTTP/1.1 403 \x1b[31mNo\r\n\r\n")
	wantsAuth := answers("HTTP/1.1 407 Who?\r\n\r\n")
	socksWantsAuth := answers("\x05\xff")
	dir := certificates(t, "localhost")
	server := "tls-server,cert=" + dir + "/cert.pem,key=" + dir + "/key.pem"
	secure := listen(t, "-q", server+"+tcp-listen:127.0.0.1:0", "echo").addr
	wantsCert := listen(t, "-q", server+",ca="+dir+"/ca.pem,verify=require+tcp-listen:127.0.0.1:0", "echo").addr
	ca := ",ca=" + dir + "/ca.pem"
	otherPin := ",pin=sha256:" + strings.Repeat("0", 64)
	literal := "literal:x " // sends, and waits for the end
	endAll(t, []mishap{
		// TLS
		{"tls,name=localhost+tcp:" + secure + " echo", 5, "unknown authority", "pass ca=FILE or pin=sha256:"},
		{"tls,name=other.example" + ca + "+tcp:" + secure + " echo", 5, "other.example", "pass pin=sha256:"},
		{"tls" + otherPin + ",name=localhost+tcp:" + secure + " echo", 5, "another key than the pinned one", "pass pin=sha256:"},
		{"tls,name=localhost+tcp:" + answers("no TLS here\n") + " echo", 5, "a: tls handshake with localhost over tcp", "the peer does not speak TLS"},
		{"tls,name=localhost+tcp:" + leaves + " echo", 5, "tls handshake", "does it speak TLS at this port"},
		{"-u tls,name=localhost,min=1.3" + ca + "+tcp:" + wantsCert + " discard", 7, "certificate required", "pass cert=FILE"},

		// proxies
		{"connect:h:1+tcp:" + denies + " echo", 6, "a: proxy connection to h:1 over tcp", "is that the right target?"},
		{"connect:h:1+tcp:" + paints + " echo", 6, "protocol violated", "is that a proxy"},
		{"connect:h:1+tcp:" + wantsAuth + " echo", 6, "407", "auth=USER:PASSWORD"},
		{"socks5:h:1+tcp:" + socksWantsAuth + " echo", 6, "a: proxy connection to h:1", "auth=USER:PASSWORD"},
		{"connect:h:1+tcp:" + leaves + " echo", 6, "proxy connection to h:1", "is that a proxy"},
		{"echo socks5:h:1+tcp:" + leaves, 6, "b: proxy connection to h:1", "is that a proxy"},

		// time
		{"--handshake-timeout 30ms tls,name=h+tcp:" + silent + " echo", 9, "within 30ms", "does it speak TLS at this port?"},
		{"--handshake-timeout 30ms connect:h:1+tcp:" + silent + " echo", 9, "within 30ms", "is that a proxy?"},
		{"--handshake-timeout 30ms socks5:h:1+tcp:" + silent + " echo", 9, "within 30ms", "is that a proxy?"},
		{"--linger 30ms " + literal + "tcp:" + stays, 9, "no bytes since", "--linger says how long"},
		{"--idle 30ms echo tcp:" + silent, 9, "no bytes in either direction", "--idle says how long"},
		{"probe --wait 30ms tcp:127.0.0.1:1", 9, "connection refused", "nobody listens there"},

		// in the middle
		{literal + "tcp:" + resets, 7, "stream broken: ", "its log may say why"},
		{literal + "udp:127.0.0.1:1", 7, "connection refused", "nobody listens there"},
		{"-u zero:100k udp:127.0.0.1:1", 1, "does not fit into one datagram", "--buffer"},
		{"discard exec -- false", 1, "b: the child", "the verdict is its own"},
	})
	if _, err := os.Stat("/dev/full"); err == nil {
		mishap{"-u zero:1k file:/dev/full", 1, "no space left", "the disk is full"}.ends(t)
	}
}

func TestHintsOfTheEndAreThoseOfTheFlags(t *testing.T) {
	for _, c := range []struct {
		f    failure
		want string
	}{
		{failure{err: errDrain}, "--drain says how long to wait"},
		{failure{err: fmt.Errorf("--pidfile: %w", syscall.EROFS)}, "nothing can be written there: is the path right?"},
		{failure{err: fmt.Errorf("accept: %w", syscall.EMFILE), hint: "mine"}, "mine"},
		{failure{err: io.ErrUnexpectedEOF}, ""},
	} {
		if got := c.f.remedy(); got != c.want {
			t.Errorf("%v: %q, want %q", c.f.err, got, c.want)
		}
	}
}
