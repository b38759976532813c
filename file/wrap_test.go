package file

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"trigo"
)

func mustWrap(t *testing.T, x any) *Wrapped {
	t.Helper()
	w, err := Wrap(x)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWrappedGivesWhatIsThere(t *testing.T) {
	ctx := t.Context()
	r := strings.NewReader("0123456789")
	w := mustWrap(t, r)
	if w.Wrapped() != r || w.Underlying() != r {
		t.Error("what was wrapped is something else")
	}
	p := make([]byte, 4)
	if n, err := w.ReceiveSome(ctx, p); string(p[:n]) != "0123" || err != nil {
		t.Errorf("received %q, %v", p[:n], err)
	}
	if at, err := w.Tell(ctx); at != 4 || err != nil {
		t.Errorf("tell: %d, %v", at, err)
	}
	if n, err := w.ReadAt(ctx, p, 8); string(p[:n]) != "89" || err != io.EOF {
		t.Errorf("read at: %q, %v", p[:n], err)
	}
	if got, err := receiveAll(ctx, w); got != "456789" || err != nil {
		t.Errorf("received %q, %v", got, err)
	}
	if _, err := w.ReceiveSome(ctx, p); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if at, err := w.Seek(ctx, -1, io.SeekEnd); at != 9 || err != nil {
		t.Errorf("seek: %d, %v", at, err)
	}
	if got, err := receiveAll(ctx, w); got != "9" || err != nil {
		t.Errorf("after the seek: %q, %v", got, err)
	}
	for name, call := range map[string]func() error{
		"send":     func() error { return w.SendAll(ctx, []byte("x")) },
		"wait":     func() error { return w.WaitSendAllMightNotBlock(ctx) },
		"write at": func() error { _, err := w.WriteAt(ctx, p, 0); return err },
		"truncate": func() error { return w.Truncate(ctx, 0) },
		"flush":    func() error { return w.Flush(ctx) },
		"sync":     func() error { return w.Sync(ctx) },
		"peek":     func() error { _, err := w.Peek(ctx, 1); return err },
	} {
		if err := call(); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}

	var buf bytes.Buffer
	out := mustWrap(t, bufio.NewWriter(&buf))
	if err := out.SendAll(ctx, []byte("text")); err != nil || buf.Len() != 0 {
		t.Errorf("send: %v", err)
	}
	if err := out.Flush(ctx); err != nil || buf.String() != "text" {
		t.Errorf("flush: %v, %q", err, buf.String())
	}
	if _, err := out.ReceiveSome(ctx, p); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("receive: %v", err)
	}
	in := mustWrap(t, bufio.NewReader(&buf))
	if b, err := in.Peek(ctx, 2); string(b) != "te" || err != nil {
		t.Errorf("peek: %q, %v", b, err)
	}
	if b, err := in.Peek(ctx, 20); string(b) != "text" || err != nil {
		t.Errorf("peek: %q, %v", b, err)
	}
}

func TestWhatNeitherReadsNorWritesIsNotWrapped(t *testing.T) {
	for _, x := range []any{nil, 7, io.NopCloser(nil).Close, struct{ io.Closer }{}} {
		if w, err := Wrap(x); w != nil || !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%T: %v", x, err)
		}
	}
}

// closer counts.
type closer struct {
	io.Reader
	closed int
	err    error
}

func (c *closer) Close() error { c.closed++; return c.err }

func TestWrappedIsClosedOnceWithADeadCtx(t *testing.T) {
	why := errors.New("why")
	c := &closer{Reader: strings.NewReader("x"), err: why}
	w := mustWrap(t, c)
	if err := w.Close(deadCtxOf(t)); !errors.Is(err, why) {
		t.Errorf("close: %v", err)
	}
	if err := w.Close(t.Context()); err != nil || c.closed != 1 {
		t.Errorf("again: %v, closed %d times", err, c.closed)
	}
	if _, err := w.ReceiveSome(t.Context(), make([]byte, 1)); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("receive: %v", err)
	}
	if err := mustWrap(t, &bytes.Buffer{}).Close(t.Context()); err != nil {
		t.Errorf("without a Close: %v", err)
	}
}

func TestErrorsOfWhatIsWrappedStay(t *testing.T) {
	ctx := t.Context()
	why := errors.New("why")
	w := mustWrap(t, iotest.DataErrReader(io.MultiReader(strings.NewReader("some"), iotest.ErrReader(why))))
	if got, err := receiveAll(ctx, w); got != "some" || !errors.Is(err, why) || !errors.Is(err, trigo.ErrBroken) {
		t.Errorf("received %q, %v", got, err)
	}
	if _, err := w.ReceiveSome(ctx, make([]byte, 1)); !errors.Is(err, why) {
		t.Errorf("again: %v", err)
	}
	out := mustWrap(t, shortWriter{})
	var op *trigo.OpError
	for range 2 {
		if err := out.SendAll(ctx, []byte("text")); !errors.Is(err, io.ErrShortWrite) || !errors.As(err, &op) {
			t.Errorf("send: %v", err)
		}
	}
	lazy := mustWrap(t, lazyReader{})
	if _, err := lazy.ReceiveSome(ctx, make([]byte, 1)); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that returns nothing: %v", err)
	}
}

type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return 1, nil }

type lazyReader struct{}

func (lazyReader) Read([]byte) (int, error) { return 0, nil }
