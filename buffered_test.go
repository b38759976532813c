package trigo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
)

func buffered(chunks ...string) *trigo.BufferedReceiver {
	return trigo.NewBufferedReceiver(&script{chunks: chunks, end: io.EOF})
}

// want checks what a call returned.
func want(t *testing.T, what string) func(got []byte, err error) func(want string, kind error) {
	return func(got []byte, err error) func(string, error) {
		return func(want string, kind error) {
			t.Helper()
			switch {
			case kind == io.EOF && err != io.EOF:
				t.Errorf("%s: got %v, want a bare io.EOF", what, err)
			case !errors.Is(err, kind) || kind == nil && err != nil:
				t.Errorf("%s: got error %v, want %v", what, err, kind)
			case string(got) != want:
				t.Errorf("%s: got %q, want %q", what, got, want)
			}
		}
	}
}

func receiveSome(b *trigo.BufferedReceiver, size int) ([]byte, error) {
	p := make([]byte, size)
	n, err := b.ReceiveSome(context.Background(), p)
	return p[:n], err
}

func TestBufferedReceiveSome(t *testing.T) {
	b := buffered("hello", "world")
	want(t, "a part")(receiveSome(b, 2))("he", nil)
	want(t, "what is buffered, no more")(receiveSome(b, 10000))("llo", nil)
	want(t, "the next")(receiveSome(b, 10000))("world", nil)
	want(t, "the end")(receiveSome(b, 1))("", io.EOF)
	want(t, "the end again")(receiveSome(b, 10000))("", io.EOF)
	want(t, "into nothing")(receiveSome(b, 0))("", io.ErrShortBuffer)
}

func TestBufferedReceiveSomeIntoALargeSliceSkipsTheBuffer(t *testing.T) {
	b := buffered(strings.Repeat("x", 10000))
	got, err := receiveSome(b, 10000)
	if len(got) != 10000 || err != nil || b.BufferSize() != 0 {
		t.Errorf("received %d, %v, through a buffer of %d", len(got), err, b.BufferSize())
	}
}

func TestBufferedReceiveExactly(t *testing.T) {
	ctx := t.Context()
	b := buffered("he", "l", "loworld!")
	want(t, "over several receives")(b.ReceiveExactly(ctx, 5))("hello", nil)
	want(t, "nothing")(b.ReceiveExactly(ctx, 0))("", nil)
	want(t, "of what is buffered")(b.ReceiveExactly(ctx, 5))("world", nil)
	want(t, "cut by EOF")(b.ReceiveExactly(ctx, 2))("", io.ErrUnexpectedEOF)
	want(t, "cut again")(b.ReceiveExactly(ctx, 2))("", io.ErrUnexpectedEOF)
	want(t, "nothing is lost")(b.ReceiveExactly(ctx, 1))("!", nil)
	want(t, "end")(b.ReceiveExactly(ctx, 1))("", io.EOF)
	if _, err := b.ReceiveExactly(ctx, -1); err == nil || !strings.Contains(err.Error(), "negative length") {
		t.Errorf("negative length: %v", err)
	}
}

func TestBufferedReceiveUntil(t *testing.T) {
	ctx := t.Context()
	delim := []byte("\r\n\r\n")
	b := buffered("GET / HTTP/1.1\r\nHost: x\r\n\r", "\nbody\r\n", "\r", "\n", "rest")
	want(t, "a delimiter cut in two")(b.ReceiveUntil(ctx, delim, 0))("GET / HTTP/1.1\r\nHost: x\r\n\r\n", nil)
	want(t, "a delimiter cut in three")(b.ReceiveUntil(ctx, delim, 0))("body\r\n\r\n", nil)
	want(t, "cut by EOF")(b.ReceiveUntil(ctx, delim, 0))("", io.ErrUnexpectedEOF)
	want(t, "nothing is lost")(b.ReceiveExactly(ctx, 4))("rest", nil)
	want(t, "end")(b.ReceiveUntil(ctx, delim, 0))("", io.EOF)
	if _, err := b.ReceiveUntil(ctx, nil, 0); err == nil || !strings.Contains(err.Error(), "empty delimiter") {
		t.Errorf("empty delimiter: %v", err)
	}
}

func TestBufferedLimits(t *testing.T) {
	ctx := t.Context()
	for cut := range 9 {
		text := "12345;678;"
		b := buffered(text[:cut+1], text[cut+1:])
		want(t, "delimiter beyond the limit")(b.ReceiveUntil(ctx, []byte(";"), 5))("", trigo.ErrTooLong)
		want(t, "again")(b.ReceiveUntil(ctx, []byte(";"), 5))("", trigo.ErrTooLong)
		want(t, "at the limit")(b.ReceiveUntil(ctx, []byte(";"), 6))("12345;", nil)
		want(t, "limit shorter than the delimiter")(b.ReceiveUntil(ctx, []byte("67"), 1))("", trigo.ErrTooLong)
		want(t, "line")(b.ReceiveLine(ctx, 3))("", trigo.ErrTooLong)
		want(t, "nothing is lost")(b.ReceiveExactly(ctx, 4))("678;", nil)
	}
	b := buffered(strings.Repeat("x", 64<<10-1) + "\n" + strings.Repeat("y", 64<<10))
	if line, err := b.ReceiveLine(ctx, 0); len(line) != 64<<10-1 || err != nil {
		t.Errorf("a line of 64 KiB: %d bytes, %v", len(line), err)
	}
	want(t, "a longer one, without a limit")(b.ReceiveLine(ctx, 0))("", trigo.ErrTooLong)
}

func TestBufferedReceivesNoMoreThanTheLimitNeeds(t *testing.T) {
	source := &script{chunks: []string{"12", "34", "56"}, end: io.EOF}
	b := trigo.NewBufferedReceiver(source)
	want(t, "too long")(b.ReceiveUntil(t.Context(), []byte(";"), 3))("", trigo.ErrTooLong)
	if len(source.chunks) != 1 {
		t.Errorf("%q are left", source.chunks)
	}
}

func TestBufferedReceiveLine(t *testing.T) {
	ctx := t.Context()
	b := buffered("LF\nCRLF\r\n\n\r\nlone\rCR\nCRCR\r\r\ncut", "\r", "\nlast\r")
	for _, line := range []string{"LF", "CRLF", "", "", "lone\rCR", "CRCR\r", "cut", "last\r"} {
		want(t, "line")(b.ReceiveLine(ctx, 0))(line, nil)
	}
	want(t, "end")(b.ReceiveLine(ctx, 0))("", io.EOF)
}

func TestBufferedReceiveLineDoesNotTakeATruncatedLineForTheLast(t *testing.T) {
	broken := &trigo.OpError{Op: "receive", Err: trigo.ErrTruncated}
	b := trigo.NewBufferedReceiver(&script{chunks: []string{"half a li"}, end: broken})
	for range 2 {
		if line, err := b.ReceiveLine(t.Context(), 0); line != nil || err != broken {
			t.Errorf("got %q, %v", line, err)
		}
	}
	if got := string(b.Buffered()); got != "half a li" {
		t.Errorf("%q is buffered", got)
	}
	want(t, "what is buffered comes first")(receiveSome(b, 99))("half a li", nil)
	want(t, "then the error")(receiveSome(b, 99))("", trigo.ErrTruncated)
}

func TestBufferedLines(t *testing.T) {
	var got []string
	for line, err := range buffered("a\nb\r\n", "\nc").Lines(t.Context(), 0) {
		wantNil(t, "line", err)
		got = append(got, string(line))
	}
	if !slices.Equal(got, []string{"a", "b", "", "c"}) {
		t.Errorf("got %q", got)
	}

	b := buffered("a\ntoo long\n")
	got = nil
	for line, err := range b.Lines(t.Context(), 4) {
		got = append(got, fmt.Sprintf("%s %v", line, errors.Is(err, trigo.ErrTooLong)))
	}
	if !slices.Equal(got, []string{"a false", " true"}) {
		t.Errorf("got %q", got)
	}

	b = buffered("a\nb\n")
	for range b.Lines(t.Context(), 0) {
		break
	}
	want(t, "after leaving the loop")(b.ReceiveLine(t.Context(), 0))("b", nil)
}

func TestBufferedPeek(t *testing.T) {
	ctx := t.Context()
	b := buffered("he", "llo")
	want(t, "peek")(b.Peek(ctx, 3))("hel", nil)
	want(t, "peek again")(b.Peek(ctx, 5))("hello", nil)
	want(t, "too much")(b.Peek(ctx, 6))("", io.ErrUnexpectedEOF)
	want(t, "all is still there")(b.ReceiveExactly(ctx, 5))("hello", nil)
	want(t, "end")(b.Peek(ctx, 1))("", io.EOF)
	if _, err := b.Peek(ctx, -1); err == nil {
		t.Error("negative length: no error")
	}
}

func TestBufferedUnread(t *testing.T) {
	ctx := t.Context()
	b := buffered("hello world")
	got, _ := b.ReceiveExactly(ctx, 5)
	b.Unread(got[1:]) // a part of the buffer itself
	want(t, "own slice")(b.ReceiveExactly(ctx, 6))("ello w", nil)
	b.Unread([]byte("a foreign slice, longer than what was consumed: "))
	want(t, "foreign slice")(b.ReceiveUntil(ctx, []byte(": "), 0))("a foreign slice, longer than what was consumed: ", nil)
	want(t, "what followed")(b.ReceiveExactly(ctx, 4))("orld", nil)
	want(t, "end")(receiveSome(b, 9))("", io.EOF)
	b.Unread([]byte("x"))
	want(t, "after the end")(receiveSome(b, 9))("x", nil)
	want(t, "end again")(receiveSome(b, 9))("", io.EOF)

	fresh := buffered("b")
	fresh.Unread([]byte("a"))
	want(t, "before anything")(fresh.ReceiveExactly(ctx, 2))("ab", nil)
}

func TestBufferedSlicesCannotGrowIntoTheBuffer(t *testing.T) {
	ctx := t.Context()
	b := buffered("aabb\ncc;dd")
	for _, call := range []func() ([]byte, error){
		func() ([]byte, error) { return b.Peek(ctx, 2) },
		func() ([]byte, error) { return b.ReceiveExactly(ctx, 2) },
		func() ([]byte, error) { return b.ReceiveLine(ctx, 0) },
		func() ([]byte, error) { return b.ReceiveUntil(ctx, []byte(";"), 0) },
		func() ([]byte, error) { return b.Buffered(), nil },
	} {
		p, err := call()
		wantNil(t, "call", err)
		left := string(b.Buffered())
		_ = append(p, "XXX"...)
		if string(b.Buffered()) != left {
			t.Errorf("appending to %q made %q of %q", p, b.Buffered(), left)
		}
	}
}

func TestBufferedCancelLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, s := newPair()
		b := trigo.NewBufferedReceiver(s)
		for name, call := range map[string]func(context.Context) ([]byte, error){
			"exactly": func(ctx context.Context) ([]byte, error) { return b.ReceiveExactly(ctx, 10) },
			"peek":    func(ctx context.Context) ([]byte, error) { return b.Peek(ctx, 10) },
			"until":   func(ctx context.Context) ([]byte, error) { return b.ReceiveUntil(ctx, []byte("\n"), 0) },
			"line":    func(ctx context.Context) ([]byte, error) { return b.ReceiveLine(ctx, 0) },
		} {
			wantNil(t, "send", peer.SendAll(t.Context(), []byte("half ")))
			ctx, cancel := context.WithCancel(t.Context())
			done := async(func() error { _, err := call(ctx); return err })
			pending(t, name, done)
			cancel()
			wantIs(t, name, over(t, name, done), context.Canceled)

			wantNil(t, "send", peer.SendAll(t.Context(), []byte("done\n")))
			_, err := call(t.Context())
			wantNil(t, name, err)
			if name == "peek" {
				want(t, name)(b.ReceiveExactly(t.Context(), 10))("half done\n", nil)
			}
		}
	})
}

func TestBufferedDeadCtxReturnsNothing(t *testing.T) {
	b := buffered("hello")
	want(t, "fill")(b.Peek(t.Context(), 1))("h", nil)
	want(t, "exactly")(b.ReceiveExactly(canceled(), 1))("", context.Canceled)
	want(t, "line")(b.ReceiveLine(canceled(), 1))("", context.Canceled)
	n, err := b.ReceiveSome(canceled(), make([]byte, 1))
	wantIs(t, "some", err, context.Canceled)
	if n != 0 || string(b.Buffered()) != "hello" {
		t.Errorf("received %d, %q is left", n, b.Buffered())
	}
}

func TestBufferedServesOneReceiverAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, s := newPair()
		b := trigo.NewBufferedReceiver(s)
		done := async(func() error { _, err := b.ReceiveLine(t.Context(), 0); return err })
		pending(t, "first", done)
		want(t, "second")(b.ReceiveExactly(t.Context(), 1))("", trigo.ErrBusy)
		want(t, "second")(b.Peek(t.Context(), 1))("", trigo.ErrBusy)
		want(t, "second")(b.ReceiveUntil(t.Context(), []byte("x"), 1))("", trigo.ErrBusy)
		want(t, "second")(b.ReceiveLine(t.Context(), 1))("", trigo.ErrBusy)
		want(t, "second")(receiveSome(b, 1))("", trigo.ErrBusy)
		wantNil(t, "send", peer.SendAll(t.Context(), []byte("\n")))
		wantNil(t, "first", over(t, "first", done))
	})
}

func TestBufferedCloseWakesTheReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, s := newPair()
		b := trigo.NewBufferedReceiver(s)
		wantNil(t, "send", peer.SendAll(t.Context(), []byte("half a li")))
		done := async(func() error { _, err := b.ReceiveLine(t.Context(), 0); return err })
		pending(t, "receive", done)
		wantNil(t, "close", b.Close(t.Context()))
		wantIs(t, "receive", over(t, "receive", done), trigo.ErrClosed)
		want(t, "buffered bytes of a closed stream")(receiveSome(b, 1))("", trigo.ErrClosed)
		want(t, "line")(b.ReceiveLine(t.Context(), 0))("", trigo.ErrClosed)
		wantNil(t, "close again", b.Close(t.Context()))
		if !isClosed(s.closed) {
			t.Error("the stream beneath is open")
		}
	})
}

// endless is a ReceiveStream that receives size bytes at a time, without end.
type endless struct {
	text []byte
	size int
	at   int // the next byte of text
	room int // that the last call had
}

func (s *endless) ReceiveSome(_ context.Context, p []byte) (int, error) {
	s.room = len(p)
	p = p[:min(s.size, len(p))]
	for i := 0; i < len(p); {
		n := copy(p[i:], s.text[s.at:])
		i, s.at = i+n, (s.at+n)%len(s.text)
	}
	return len(p), nil
}

func (s *endless) Close(context.Context) error { return nil }

func TestBufferedMemoryGrowsWithWhatIsReceivedAndShrinks(t *testing.T) {
	ctx := t.Context()
	b := buffered("xx")
	want(t, "a length that never comes")(b.ReceiveExactly(ctx, math.MaxInt))("", io.ErrUnexpectedEOF)
	if b.BufferSize() > 4<<10 {
		t.Errorf("%d bytes for what was only announced", b.BufferSize())
	}

	b = trigo.NewBufferedReceiver(&endless{text: []byte("0123456789"), size: 1000})
	const big = 1 << 20
	got, err := b.ReceiveExactly(ctx, big)
	wantNil(t, "big message", err)
	if !bytes.Equal(got, bytes.Repeat([]byte("0123456789"), big/10+1)[:big]) {
		t.Error("the big message is wrong")
	}
	if b.BufferSize() > 4*big {
		t.Errorf("%d bytes for %d", b.BufferSize(), big)
	}
	for range 5 {
		_, _ = b.ReceiveExactly(ctx, 1000)
	}
	if b.BufferSize() > 64<<10 {
		t.Errorf("%d bytes after the big message was consumed", b.BufferSize())
	}
}

func TestBufferedReadyLineAllocatesNothing(t *testing.T) {
	ctx := t.Context()
	b := trigo.NewBufferedReceiver(&endless{text: []byte("a line of text\r\n"), size: 777})
	if n := testing.AllocsPerRun(1000, func() {
		line, err := b.ReceiveLine(ctx, 100)
		if string(line) != "a line of text" || err != nil {
			t.Fatalf("got %q, %v", line, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
}

func TestBufferedEmptyBufferIsFilledFromItsBeginning(t *testing.T) {
	source := &endless{text: []byte("x"), size: 1000}
	b := trigo.NewBufferedReceiver(source)
	for range 10 {
		_, err := b.ReceiveExactly(t.Context(), 1000)
		wantNil(t, "receive", err)
		if source.room != b.BufferSize() {
			t.Errorf("room for %d bytes in a buffer of %d", source.room, b.BufferSize())
		}
	}
}

func TestBufferedLongMessageInSmallPiecesTakesLinearTime(t *testing.T) {
	// Searched from its start after every byte, this would be 1e11 steps of a
	// slow search.
	const size = 512 << 10
	delim := []byte("xxxxxxxxxxxxxxxy")
	text := append(bytes.Repeat([]byte("x"), size-1), 'y')
	b := trigo.NewBufferedReceiver(&endless{text: text, size: 1})
	began := time.Now()
	message, err := b.ReceiveUntil(t.Context(), delim, size)
	if len(message) != size || err != nil {
		t.Errorf("%d bytes, %v", len(message), err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}
