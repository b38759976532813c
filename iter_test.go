package trigo_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"trigo"
)

// script is a ReceiveStream that receives its chunks and then its end.
type script struct {
	chunks []string
	end    error
	closes int
}

func (s *script) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if err := trigo.CancelError(ctx); err != nil {
		return 0, err
	}
	if len(s.chunks) == 0 {
		return 0, s.end
	}
	n := copy(p, s.chunks[0])
	if s.chunks[0] = s.chunks[0][n:]; s.chunks[0] == "" {
		s.chunks = s.chunks[1:]
	}
	return n, nil
}

func (s *script) Close(context.Context) error { s.closes++; return nil }

func TestChunksEndsAtEOF(t *testing.T) {
	r := &script{chunks: []string{"one", "two"}, end: io.EOF}
	var got []string
	for chunk, err := range trigo.Chunks(t.Context(), r) {
		wantNil(t, "chunk", err)
		got = append(got, string(chunk))
	}
	if !slices.Equal(got, []string{"one", "two"}) || r.closes != 0 {
		t.Errorf("got %q, %d closes", got, r.closes)
	}
}

// Who waits for a few words holds little memory; who gets more than that receives much
// at once.
func TestChunksBeginWithASmallBuffer(t *testing.T) {
	r := &asked{left: 200 << 10}
	for chunk, err := range trigo.Chunks(t.Context(), r) {
		if err != nil || len(chunk) == 0 {
			t.Fatal(len(chunk), err)
		}
	}
	want := []int{4 << 10, 64 << 10, 64 << 10, 64 << 10, 64 << 10, 64 << 10}
	if !slices.Equal(r.sizes, want) {
		t.Errorf("receives into %d bytes, want %d", r.sizes, want)
	}
	r = &asked{left: 5, size: 1}
	for range trigo.Chunks(t.Context(), r) {
	}
	if most := slices.Max(r.sizes); most != 4<<10 {
		t.Errorf("few bytes are received into %d", most)
	}
}

// asked is a stream of left bytes, size at a time, that notes what it is asked for.
type asked struct {
	trigo.ReceiveStream
	left, size int
	sizes      []int
}

func (a *asked) ReceiveSome(_ context.Context, p []byte) (int, error) {
	a.sizes = append(a.sizes, len(p))
	if a.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), cmp.Or(a.size, len(p)), a.left)
	a.left -= n
	return n, nil
}

func TestChunksYieldsAnErrorOnce(t *testing.T) {
	wrappedEOF := &trigo.OpError{Op: "receive", Err: io.ErrUnexpectedEOF}
	r := &script{chunks: []string{"one"}, end: wrappedEOF}
	var errs []error
	for chunk, err := range trigo.Chunks(t.Context(), r) {
		if (chunk == nil) != (err != nil) {
			t.Errorf("%q came with %v", chunk, err)
		}
		errs = append(errs, err)
	}
	if !slices.Equal(errs, []error{nil, wrappedEOF}) {
		t.Errorf("got %v", errs)
	}
}

func TestChunksCanBeLeft(t *testing.T) {
	r := &script{chunks: []string{"one", "two"}, end: io.EOF}
	for range trigo.Chunks(t.Context(), r) {
		break
	}
	if len(r.chunks) != 1 {
		t.Errorf("%q are left", r.chunks)
	}
}

func TestChunksReportsACancel(t *testing.T) {
	for _, err := range trigo.Chunks(canceled(), &script{chunks: []string{"one"}}) {
		wantIs(t, "chunk", err, context.Canceled)
	}
}

// numbers is a ReceiveChannel.
type numbers struct {
	next, last int
	end        error
}

func (c *numbers) Receive(context.Context) (int, error) {
	if c.next == c.last {
		return 0, c.end
	}
	c.next++
	return c.next, nil
}

func (c *numbers) Close(context.Context) error { return nil }

func TestValues(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct{ end, want error }{
		{trigo.ErrEndOfChannel, nil},
		{&trigo.OpError{Op: "receive", Err: trigo.ErrEndOfChannel}, nil},
		{broken, broken},
	} {
		var got []int
		var last error
		for v, err := range trigo.Values(t.Context(), &numbers{last: 3, end: c.end}) {
			if last != nil {
				t.Fatal("went on after an error")
			}
			if last = err; err == nil {
				got = append(got, v)
			} else if v != 0 {
				t.Errorf("%d came with %v", v, err)
			}
		}
		if !slices.Equal(got, []int{1, 2, 3}) || last != c.want {
			t.Errorf("end %v: got %v, %v", c.end, got, last)
		}
	}
	source := &numbers{last: 3, end: trigo.ErrEndOfChannel}
	for range trigo.Values(t.Context(), source) {
		break
	}
	if source.next != 1 {
		t.Errorf("left after the first, %d were received", source.next)
	}
}
