//go:build unix

package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/trigotest"
)

// fifo returns the path of a new FIFO.
func fifo(t testing.TB) Path {
	t.Helper()
	path := Path(filepath.Join(t.TempDir(), "fifo"))
	if err := MakeFIFO(t.Context(), path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fifoPair opens both ends of a new FIFO.
func fifoPair(t testing.TB) (w, r *File) {
	t.Helper()
	path := fifo(t)
	r = mustOpen(t, path, "r")
	return mustOpen(t, path, "w"), r
}

func TestFIFOsConform(t *testing.T) {
	dir, count := t.TempDir(), atomic.Int64{}
	open := func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		path := Path(filepath.Join(dir, fmt.Sprint(count.Add(1))))
		if err := MakeFIFO(ctx, path, 0o600); err != nil {
			return nil, nil, err
		}
		r, err := Open(ctx, path, "r")
		if err != nil {
			return nil, nil, err
		}
		w, err := Open(ctx, path, "w")
		return w, r, err
	}
	clogged := func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		s, r, err := open(ctx)
		return s, r, errors.Join(err, trigotest.Clog(ctx, s))
	}
	trigotest.CheckOneWayStream(t, open, clogged, &trigotest.CheckOptions{AbortIsEOF: true})
}

func TestPipeEndsFromTheSystemConform(t *testing.T) {
	open := func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, nil, err
		}
		send, sendErr := FromOS(ctx, w)
		receive, receiveErr := FromOS(ctx, r)
		return send, receive, errors.Join(sendErr, receiveErr)
	}
	clogged := func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		s, r, err := open(ctx)
		return s, r, errors.Join(err, trigotest.Clog(ctx, s))
	}
	trigotest.CheckOneWayStream(t, open, clogged, &trigotest.CheckOptions{AbortIsEOF: true})
}

func TestOpeningAFIFOWithoutAReaderEndsWithItsCtx(t *testing.T) {
	path := fifo(t)
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := Open(ctx, path, "w")
		result <- err
	}()
	select {
	case err := <-result:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(5 * time.Millisecond): // long enough for it to have tried
	}
	start := time.Now()
	cancel(why)
	if err := <-result; !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	t.Logf("returned %v after the cancel", time.Since(start))
}

func TestOpeningAFIFOWaitsForItsReader(t *testing.T) {
	path := fifo(t)
	result := make(chan error, 1)
	go func() {
		w, err := Open(t.Context(), path, "w")
		if err == nil {
			err = errors.Join(w.SendAll(t.Context(), []byte("hello")), w.Close(t.Context()))
		}
		result <- err
	}()
	// A reader as others are: in an open(2) that blocks.
	b, err := os.ReadFile(string(path))
	if string(b) != "hello" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
}

func TestReceiveOnAFIFOWaitsForItsFirstWriter(t *testing.T) {
	path := fifo(t)
	r := mustOpen(t, path, "r")
	result := make(chan string, 1)
	go func() {
		got, err := receiveAll(t.Context(), r)
		result <- fmt.Sprint(got, " ", err)
	}()
	awaitParked(t, "file.receiveAll")
	writers := []*File{mustOpen(t, path, "w"), mustOpen(t, path, "w")}
	for _, w := range writers {
		if err := w.SendAll(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	writers[0].Close(t.Context()) // the end comes with the last writer
	awaitParked(t, "file.receiveAll")
	select {
	case got := <-result:
		t.Fatalf("it ended with a writer left: %s", got)
	default:
	}
	writers[1].Close(t.Context())
	if got := <-result; got != "xx <nil>" {
		t.Errorf("received %s", got)
	}
}

func TestWriterThatComesAndGoesIsTheEnd(t *testing.T) {
	path := fifo(t)
	r := mustOpen(t, path, "r")
	mustOpen(t, path, "w").Close(t.Context())
	if n, err := r.ReceiveSome(t.Context(), make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("received %d, %v", n, err)
	}
}

func TestPeekOnAFIFOTakesNothing(t *testing.T) {
	w, r := fifoPair(t)
	if r.FD() == nil {
		t.Error("a FIFO cannot be polled")
	}
	if err := w.SendAll(t.Context(), []byte("hello")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if b, err := r.Peek(t.Context(), 2); string(b) != "he" || err != nil {
			t.Fatalf("peek: %q, %v", b, err)
		}
	}
	if r.FD() != nil {
		t.Error("FD, with something that was peeked at")
	}
	w.Close(t.Context())
	if got, err := receiveAll(t.Context(), r); got != "hello" || err != nil {
		t.Errorf("received %q, %v", got, err)
	}
	if b, err := r.Peek(t.Context(), 2); err != io.EOF {
		t.Errorf("peek at the end: %q, %v", b, err)
	}
}

func TestAFIFOHasNoPositions(t *testing.T) {
	w, r := fifoPair(t)
	for name, call := range map[string]func() error{
		"seek":     func() error { _, err := r.Seek(t.Context(), 0, io.SeekCurrent); return err },
		"tell":     func() error { _, err := r.Tell(t.Context()); return err },
		"read at":  func() error { _, err := r.ReadAt(t.Context(), make([]byte, 1), 0); return err },
		"write at": func() error { _, err := w.WriteAt(t.Context(), make([]byte, 1), 0); return err },
	} {
		if err := call(); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCancelEndsTheWaitForAFIFOUnderARoot(t *testing.T) {
	path := fifo(t)
	r, err := OpenRooted(t.Context(), path.Parent())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background())
	name := Path(path.Name())
	for what, call := range map[string]func(ctx context.Context) error{
		"read":  func(ctx context.Context) error { _, err := r.ReadBytes(ctx, name); return err },
		"write": func(ctx context.Context) error { return r.WriteBytes(ctx, name, []byte("x"), 0o600) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		cancel()
	}
	if _, err := OpenRooted(t.Context(), path); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("open: %v", err)
	}
}

func TestFIFOThatExistsIsTold(t *testing.T) {
	if err := MakeFIFO(t.Context(), scratch(t, ""), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("err = %v", err)
	}
	if err := WriteAtomic(t.Context(), fifo(t), nil, nil); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("atomic write: %v", err)
	}
}

func TestCancelWakesAReaderOfAFIFOWithinAMillisecond(t *testing.T) {
	_, r := fifoPair(t)
	const rounds = 300
	var took []time.Duration
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		returned := make(chan time.Time, 1)
		go func() {
			_, err := r.ReceiveSome(ctx, make([]byte, 1))
			at := time.Now()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			returned <- at
		}()
		awaitParked(t, "file.(*File).ReceiveSome")
		start := time.Now()
		cancel()
		took = append(took, (<-returned).Sub(start))
	}
	slices.Sort(took)
	p50, p99 := took[rounds/2], took[rounds*99/100]
	t.Logf("p50 %v, p99 %v, most %v", p50, p99, took[rounds-1])
	// The machine may be busy with something else; a lost wakeup is no matter of
	// milliseconds.
	if p50 > time.Millisecond || p99 > 100*time.Millisecond {
		t.Errorf("p50 %v, p99 %v", p50, p99)
	}
}

func TestCancelAtEveryPointOfATalkThroughAFIFO(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 10_000) // more than a FIFO holds
	path := fifo(t)
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		open := func(mode string) (f *File, err error) {
			err = s.Call("Open "+mode, func() error {
				f, err = Open(ctx, path, mode)
				return err
			})
			if f != nil {
				s.Close(f)
			}
			return f, err
		}
		r, err := open("r")
		if err != nil {
			return err
		}
		w, err := open("w")
		if err != nil {
			return err
		}
		receive := s.WrapReceive(r)
		s.Peer(func(ctx context.Context) error {
			err := w.SendAll(ctx, data)
			return errors.Join(err, w.Close(ctx))
		})
		got, err := receiveAll(ctx, receive)
		if err == nil && got != string(data) {
			return fmt.Errorf("received %d bytes", len(got))
		}
		return err
	}, nil)
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		r, err := Open(ctx, path, "r")
		if err != nil {
			return err
		}
		s.Close(r)
		w, err := Open(ctx, path, "w")
		if err != nil {
			return err
		}
		send := s.WrapSend(w)
		var got bytes.Buffer
		s.Peer(func(ctx context.Context) error {
			for chunk, err := range trigo.Chunks(ctx, r) {
				if err != nil {
					return err
				}
				got.Write(chunk)
			}
			return nil
		})
		s.Check(func(context.Context) error {
			if !bytes.HasPrefix(bytes.Repeat(data, 3), got.Bytes()) {
				return errors.New("what arrived is not what was sent")
			}
			return nil
		})
		for range 3 {
			if err := send.SendAll(ctx, data); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

func TestSlowCallsDoNotTakeAThreadEach(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the threads are counted in /proc")
	}
	old := SetLimit(8)
	defer SetLimit(old)
	held, err := os.Create(string(scratch(t, "")))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	lock := func(f *os.File, how int) error {
		raw, err := f.SyscallConn()
		if err != nil {
			return err
		}
		gone := raw.Control(func(fd uintptr) { err = syscall.Flock(int(fd), how) })
		return errors.Join(gone, err)
	}
	if err := lock(held, syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	threads := func() int {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		return len(tasks)
	}
	before := threads()
	const calls = 1000
	results := make(chan error, calls)
	ctx, cancel := context.WithCancel(t.Context())
	other, err := os.Open(held.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	f := mustOpen(t, Path(held.Name()), "r")
	for range calls {
		go func() { // a call that a file server keeps waiting
			results <- f.do(ctx, "lock", true, func() error { return lock(other, syscall.LOCK_SH) })
		}()
	}
	for waiting := 0; waiting < calls-8; runtime.Gosched() {
		places.mu.Lock()
		waiting = places.line.Len()
		places.mu.Unlock()
	}
	if n := threads() - before; n > 8+8 { // and a few of the runtime's own
		t.Errorf("%d more threads for %d calls", n, calls)
	}
	cancel()
	for range calls - 8 {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("in line: %v", err)
		}
	}
	if err := lock(held, syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		if err := <-results; err != nil {
			t.Errorf("under way: %v", err)
		}
	}
}
