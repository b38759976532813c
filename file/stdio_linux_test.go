package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trigo"
)

func init() {
	// reader waits for standard input, is cancelled, often, and then receives a line.
	roles["reader"] = func() {
		in, err := Stdin(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		var took []time.Duration
		for range 200 {
			ctx, cancel := context.WithCancel(context.Background())
			returned := make(chan error, 1)
			go func() {
				_, err := in.ReceiveSome(ctx, make([]byte, 1))
				returned <- err
			}()
			for !isParked("ReceiveSome") {
				runtime.Gosched()
			}
			start := time.Now()
			cancel()
			if err := <-returned; !errors.Is(err, context.Canceled) {
				fmt.Println(err)
				return
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		fmt.Println("cancelled", took[len(took)/2], took[len(took)*99/100])
		text, err := NewTextFile(context.Background(), in, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		line, err := text.ReadLine(context.Background())
		fmt.Printf("%q %v\n", line, err)
	}
	// writer writes to both outputs and closes them.
	roles["writer"] = func() {
		for name, open := range map[string]func(context.Context) (trigo.SendStream, error){"out": Stdout, "err": Stderr} {
			w, err := open(context.Background())
			if err == nil {
				err = errors.Join(w.SendAll(context.Background(), []byte(name)), w.Close(context.Background()))
			}
			if err != nil {
				os.Exit(9)
			}
		}
	}
}

// terminal returns the two ends of a terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	m, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	master = os.NewFile(uintptr(m), "master")
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(m, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(m, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	s, err := unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	slave = os.NewFile(uintptr(s), "slave")
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// flags returns the status flags of the description that f is open on.
func flags(t *testing.T, f *os.File) int {
	t.Helper()
	n, err := flagsOf(f)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestStandardInputIsCancelledAndTheParentsFlagsStay(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (ours, childs *os.File){
		"terminal": terminal,
		"pipe": func(t *testing.T) (ours, childs *os.File) {
			var p [2]int // blocking, as a shell makes it
			if err := unix.Pipe(p[:]); err != nil {
				t.Fatal(err)
			}
			r, w := os.NewFile(uintptr(p[0]), "r"), os.NewFile(uintptr(p[1]), "w")
			unix.CloseOnExec(p[0])
			unix.CloseOnExec(p[1])
			t.Cleanup(func() { r.Close(); w.Close() })
			return w, r
		},
	} {
		t.Run(name, func(t *testing.T) {
			ours, childs := open(t)
			before := flags(t, childs)
			if before&syscall.O_NONBLOCK != 0 {
				t.Fatal("it does not block to begin with")
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"=reader")
			cmd.Stdin, cmd.Stderr = childs, os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			said := bufio.NewScanner(out)
			said.Scan()
			var p50, p99 string
			if _, err := fmt.Sscanf(said.Text(), "cancelled %s %s", &p50, &p99); err != nil {
				t.Fatalf("the child said %q", said.Text())
			}
			t.Logf("the child was cancelled: p50 %s, p99 %s", p50, p99)
			if half, err := time.ParseDuration(p50); err != nil || half > time.Millisecond {
				t.Errorf("p50 is %s", p50)
			}
			if got := flags(t, childs); got != before {
				t.Errorf("while the child reads, the flags are %#x; before, %#x", got, before)
			}
			if _, err := ours.WriteString("line\n"); err != nil {
				t.Fatal(err)
			}
			said.Scan()
			if said.Text() != `"line\n" <nil>` {
				t.Errorf("the child said %s", said.Text())
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if got := flags(t, childs); got != before {
				t.Errorf("after the child, the flags are %#x; before, %#x", got, before)
			}
		})
	}
}

func TestStandardOutputsAreStreams(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=writer")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, io.Writer(&stderr)
	if err := cmd.Run(); err != nil || stdout.String() != "out" || stderr.String() != "err" {
		t.Errorf("%v; out %q, err %q", err, stdout.String(), stderr.String())
	}
}

func TestDeadCtxOpensNoStandardStream(t *testing.T) {
	dead := deadCtxOf(t)
	_, in := Stdin(dead)
	_, out := Stdout(dead)
	_, complain := Stderr(dead)
	for _, err := range []error{in, out, complain} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	}
}

func TestATerminalOpenedByPathIsCancelled(t *testing.T) {
	master, slave := terminal(t)
	raw := 0
	if err := func() error {
		conn, err := master.SyscallConn()
		if err != nil {
			return err
		}
		return conn.Control(func(fd uintptr) { raw, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN) })
	}(); err != nil {
		t.Fatal(err)
	}
	_ = slave // so that the terminal does not hang up
	f, err := OpenFile(t.Context(), Path(fmt.Sprintf("/dev/pts/%d", raw)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := f.ReceiveSome(ctx, make([]byte, 10))
		result <- err
	}()
	awaitParked(t, "file.(*File).ReceiveSome")
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := master.WriteString("typed\n"); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	if n, err := f.ReceiveSome(t.Context(), p); string(p[:n]) != "typed\n" || err != nil {
		t.Errorf("received %q, %v", p[:n], err)
	}
}
