//go:build unix

package endpoint

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trigo"
	"trigo/process"
)

func TestABarePathIsWhatIsThere(t *testing.T) {
	t.Chdir(t.TempDir())
	l, err := net.Listen("unix", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.WriteFile("f", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo("p", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("d", 0o700); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"./s": "unix:./s", "./f": "file:./f", "./p": "fifo:./p", "./d": "", "tap+./f": "tap+file:./f"} {
		e, err := Parse(text)
		if want == "" && err == nil || want != "" && (err != nil || e.String() != want) {
			t.Errorf("%q is %q, %v; want %q", text, e, err, want)
		}
	}
}

func TestAFIFOGoesOneWay(t *testing.T) {
	ctx := limited(t)
	path := filepath.Join(t.TempDir(), "p")
	in := dial(t, &Options{Direction: ReceiveOnly}, "fifo:%s,create", path)
	out := dial(t, &Options{Direction: SendOnly}, "fifo:%s", path)
	if err := out.SendAll(ctx, []byte("through")); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := receiveAll(ctx, in); string(got) != "through" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	_, err := parsed(t, "fifo:%s", path).Dial(ctx, nil)
	wantError(t, err, PhasePrepare, "both ways", "-u")
}

func TestADescriptorBecomesAStreamOfItsKind(t *testing.T) {
	ctx := limited(t)
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b := dial(t, nil, "fd:%d", fds[0]), dial(t, nil, "fd:%d", fds[1])
	go echoing(ctx, b)
	roundTrip(t, a, "hello")

	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	in, out := dial(t, nil, "fd:%d", pipe[0]), dial(t, nil, "fd:%d", pipe[1])
	if err := out.SendAll(ctx, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if got := exactly(t, in, 5); got != "hello" {
		t.Errorf("%q", got)
	}
	in.Close(ctx)
	out.Close(ctx)
	for _, fd := range pipe {
		syscall.Close(fd) // what stands in their place
	}
	_, err = parsed(t, "fd:9999").Dial(ctx, nil)
	wantError(t, err, PhaseOpen, "bad file descriptor", "")
}

func TestAChildIsAStreamAndEndsWithIt(t *testing.T) {
	ctx := limited(t)
	argv := []string{"sh", "-c", `cat; printf '%s' "$1$X"; exit 7`, "sh", `a,b: "c" + %41 'd'`}
	s := dial(t, &Options{Argv: argv}, "exec,env=X=1,cwd=/")
	if err := s.SendAll(ctx, []byte("in ")); err != nil {
		t.Fatal(err)
	}
	if err := s.(trigo.HalfCloseableStream).SendEOF(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := receiveAll(ctx, s); string(got) != `in a,b: "c" + %41 'd'1` || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	p, _ := trigo.As[*process.Process](s)
	if code, exited := p.ExitCode(); code != 7 || !exited {
		t.Errorf("status %d, %v", code, exited)
	}
}

func TestAChildThatDoesNotEndIsEnded(t *testing.T) {
	ctx := limited(t)
	// Whoever inherits the grandchild may be slow to take it away.
	alive := func(pid int) bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err == nil && !strings.Contains(string(stat), ") Z ") && !strings.Contains(string(stat), ") X ")
	}
	for name, end := range map[string]func(trigo.Stream) error{
		"graceful": func(s trigo.Stream) error { return s.Close(ctx) },
		"forced":   func(s trigo.Stream) error { return trigo.CloseForcefully(s) },
		"aborted":  func(s trigo.Stream) error { return trigo.Abort(s) },
	} {
		t.Run(name, func(t *testing.T) {
			quiet := slog.New(slog.DiscardHandler) // it may be slow to end
			s := dial(t, &Options{Argv: []string{"sh", "-c", "sleep 1000 & echo $!; wait"}, Logger: quiet}, "exec,grace=50ms,stderr=drop")
			line, err := trigo.NewBufferedReceiver(s).ReceiveLine(ctx, 0)
			if err != nil {
				t.Fatal(err)
			}
			pid := 0
			for _, c := range line {
				pid = pid*10 + int(c-'0')
			}
			if err := end(s); err != nil {
				t.Error(err)
			}
			<-s.(*child).done
			if alive(pid) {
				t.Error("the grandchild goes on")
			}
		})
	}
}

func TestAChildMayHaveATerminal(t *testing.T) {
	s := dial(t, &Options{Argv: []string{"sh", "-c", "test -t 0 && test -t 2 && echo terminal"}}, "exec,pty")
	got, err := receiveAll(limited(t), s)
	if strings.TrimSpace(string(got)) != "terminal" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhereStandardErrorGoes(t *testing.T) {
	s := dial(t, &Options{Argv: []string{"sh", "-c", "echo out; echo err >&2"}}, "exec,stderr=merge")
	if got, err := receiveAll(limited(t), s); string(got) != "out\nerr\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestACommandThatCannotRunSaysWhy(t *testing.T) {
	_, err := parsed(t, "exec").Dial(t.Context(), &Options{Argv: []string{"/no/such/program"}})
	wantError(t, err, PhaseOpen, "no such file", "")
	_, err = parsed(t, "exec").Dial(t.Context(), nil)
	wantError(t, err, PhasePrepare, "exec: there is no command", "after --")
	_, err = parsed(t, "echo").Dial(t.Context(), &Options{Argv: []string{"x"}})
	wantError(t, err, PhasePrepare, "nothing runs the command", "exec")
}

func TestErrorsOfTheSystemComeWithAHint(t *testing.T) {
	busy := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(busy, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][2]string{
		"unix:/no/such":             {"no such file", "does the server run?"},
		"file:/no/such":             {"no such file", "create makes a file"},
		"fd:9999":                   {"bad file descriptor", "nothing was open there"},
		"unix-listen:" + busy:       {"not a socket", "something else has that name"},
		"unix-listen:/no/such":      {"no such file", "the directory of the socket must be there"},
		"tcp-listen:192.0.2.1:0":    {"cannot assign requested address", "not an address of this machine"},
		"udp-listen:192.0.2.1:0":    {"cannot assign requested address", "not an address of this machine"},
		"tcp:127.0.0.1:1,if=nodev0": {"if: ", ""},
	} {
		e := parsed(t, "%s", text)
		phase, err := PhaseListen, error(nil)
		if e.Listens() {
			_, err = e.Listen(t.Context(), nil)
		} else {
			phase = PhaseOpen
			if e.bottom().kind == unixKind || e.bottom().kind == tcpKind {
				phase = PhaseConnect
			}
			_, err = e.Dial(limited(t), nil)
		}
		wantError(t, err, phase, want[0], want[1])
	}
}
