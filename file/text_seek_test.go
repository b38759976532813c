package file

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"trigo"
)

func TestPositionsInTextLeadBackInEveryEncoding(t *testing.T) {
	ctx := t.Context()
	text := strings.Repeat("plain\r\nx日本y\n文\r\r\n\rend\n", 3)
	for _, enc := range []string{"utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "shift_jis", "euc-jp", "iso-2022-jp", "hz", "gb18030"} {
		for newline := NewlineUniversal; newline <= NewlineCRLF; newline++ {
			opts := &TextOptions{Encoding: enc, Newline: newline, Errors: "backslashreplace"}
			path := scratch(t, "")
			raw := mustOpenText(t, path, "w", &TextOptions{Encoding: enc, Newline: NewlineKeep})
			if err := errors.Join(raw.WriteString(ctx, text), raw.Close(ctx)); err != nil {
				t.Fatal(err)
			}
			whole, err := mustOpenText(t, path, "r", opts).ReadAll(ctx)
			if err != nil {
				t.Fatal(err)
			}
			f := mustOpenText(t, path, "r", opts)
			var at []TextPosition
			read := []string{""}
			for i := 0; ; i++ {
				p, err := f.Tell(ctx)
				if err != nil {
					t.Fatal(err)
				}
				at = append(at, p)
				var s string
				if i%3 == 0 {
					s, err = f.ReadLine(ctx)
				} else {
					s, err = f.Read(ctx, i%5)
				}
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				read = append(read, read[len(read)-1]+s)
			}
			for i := len(at) - 1; i >= 0; i-- {
				if err := f.Seek(ctx, at[i]); err != nil {
					t.Fatal(err)
				}
				rest, err := f.ReadAll(ctx)
				if read[i]+rest != whole || err != nil {
					t.Fatalf("%s, newline %d: after %q came %q, %v", enc, newline, read[i], rest, err)
				}
			}
		}
	}
}

func TestWritingGoesWhereReadingStands(t *testing.T) {
	ctx := t.Context()
	for _, enc := range []string{"utf-8", "utf-16-le", "shift_jis"} {
		opts := &TextOptions{Encoding: enc}
		keep := &TextOptions{Encoding: enc, Newline: NewlineKeep}
		for n := range 8 {
			path := scratch(t, "")
			const content = "a日\r\nb\rc日d"
			raw := mustOpenText(t, path, "w", keep)
			if err := errors.Join(raw.WriteString(ctx, content), raw.Close(ctx)); err != nil {
				t.Fatal(err)
			}
			f := mustOpenText(t, path, "r+", opts)
			if _, err := f.Read(ctx, n); err != nil {
				t.Fatal(err)
			}
			if err := f.WriteString(ctx, "X"); err != nil {
				t.Fatal(err)
			}
			at, err := f.Tell(ctx)
			if err != nil {
				t.Fatal(err)
			}
			rest, err := f.ReadAll(ctx)
			if err != nil && n != 1 && n != 6 { // there, half of a two-byte character may be left
				t.Fatal(err)
			}
			if err := f.Close(ctx); err != nil {
				t.Fatal(err)
			}
			before := []string{"", "a", "a日", "a日\r\n", "a日\r\nb", "a日\r\nb\r", "a日\r\nb\rc", "a日\r\nb\rc日"}[n]
			c, _ := lookup(enc)
			want, _ := c.encoder().encode(nil, before+"X")
			whole, _ := c.encoder().encode(nil, content)
			if len(want) < len(whole) {
				want = append(want, whole[len(want):]...)
			}
			if got := contentOf(t, path); got != string(want) {
				t.Errorf("%s, after %d characters: the file has %q, want %q (rest %q, at %v)", enc, n, got, want, rest, at)
			}
		}
	}
}

func TestReadingAfterWritingContinuesBehindIt(t *testing.T) {
	ctx := t.Context()
	f := mustOpenText(t, scratch(t, "0123456789"), "r+", nil)
	if err := f.WriteString(ctx, "ab"); err != nil {
		t.Fatal(err)
	}
	at, err := f.Tell(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if s, err := f.Read(ctx, 3); s != "234" || err != nil {
			t.Errorf("read %q, %v", s, err)
		}
		if err := f.Seek(ctx, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SeekEnd(ctx); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Read(ctx, 1); err != io.EOF {
		t.Errorf("at the end: %q, %v", s, err)
	}
	if err := f.WriteString(ctx, "+"); err != nil {
		t.Fatal(err)
	}
	if err := f.Seek(ctx, TextPosition{}); err != nil {
		t.Fatal(err)
	}
	if s, err := f.ReadAll(ctx); s != "ab23456789+" || err != nil {
		t.Errorf("read %q, %v", s, err)
	}
}

func TestDetachLeavesTheFileWhereTheTextStands(t *testing.T) {
	ctx := t.Context()
	f := mustOpenText(t, scratch(t, "line\r\nrest"), "r", nil)
	if line, err := f.ReadLine(ctx); line != "line\n" || err != nil {
		t.Fatalf("line %q, %v", line, err)
	}
	r, err := f.Detach(ctx)
	if err != nil {
		t.Fatal(err)
	}
	raw := r.(*File)
	defer raw.Close(ctx)
	if got, err := receiveAll(ctx, raw); got != "rest" || err != nil {
		t.Errorf("the rest is %q, %v", got, err)
	}
	if _, err := f.ReadLine(ctx); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("after Detach: %v", err)
	}
	if err := f.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// cutShort is a File whose next calls that move go well up to the n-th, which finds
// its ctx cancelled.
type cutShort struct {
	*File
	left int // -1: all go well
}

func (c *cutShort) cut() bool {
	if c.left > 0 {
		c.left--
	}
	return c.left == 0
}

func (c *cutShort) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if c.cut() {
		return 0, context.Canceled
	}
	return c.File.ReceiveSome(ctx, p[:min(len(p), 5)])
}

func (c *cutShort) Seek(ctx context.Context, offset int64, whence int) (int64, error) {
	if c.cut() {
		return 0, context.Canceled
	}
	return c.File.Seek(ctx, offset, whence)
}

// Detach and a write go back to where the text was read to. Wherever that is
// cancelled, what is read afterwards goes on there.
func TestTextIsReadOnceAfterACancelledWayBack(t *testing.T) {
	ctx := t.Context()
	const content = "a日\r\nb\rc日d\nthe end"
	const want = "a日\nb\nc日d\nthe end"
	for name, back := range map[string]func(f *TextFile) error{
		"Detach":      func(f *TextFile) error { _, err := f.Detach(ctx); return err },
		"WriteString": func(f *TextFile) error { return f.WriteString(ctx, "X") },
	} {
		for _, enc := range []string{"utf-8", "utf-16", "iso-2022-jp"} {
			path := scratch(t, "")
			raw := mustOpenText(t, path, "w", &TextOptions{Encoding: enc, Newline: NewlineKeep})
			if err := errors.Join(raw.WriteString(ctx, content), raw.Close(ctx)); err != nil {
				t.Fatal(err)
			}
			stored := contentOf(t, path)
			cancelled := 0
			for n := range 9 {
				for point := 1; ; point++ {
					below := &cutShort{File: mustOpen(t, path, "r+"), left: -1}
					f, err := NewTextFile(ctx, below, &TextOptions{Encoding: enc})
					if err != nil {
						t.Fatal(err)
					}
					first, err := f.Read(ctx, n)
					if err != nil {
						t.Fatal(err)
					}
					below.left = point
					err = back(f)
					below.left = -1
					if err == nil {
						break
					}
					cancelled++
					next, err := f.Read(ctx, point%3)
					if err != nil {
						t.Fatal(err)
					}
					p, err := f.Tell(ctx)
					if err != nil {
						t.Fatal(err)
					}
					rest, err := f.ReadAll(ctx)
					if got := first + next + rest; got != want || err != nil {
						t.Fatalf("%s, %s: after %d characters and a cancel at %d: read %q, %v", name, enc, n, point, got, err)
					}
					if err := f.Seek(ctx, p); err != nil {
						t.Fatal(err)
					}
					if again, err := f.ReadAll(ctx); again != rest || err != nil {
						t.Fatalf("%s, %s: Tell leads to %q, %v; want %q", name, enc, again, err, rest)
					}
					if got := contentOf(t, path); got != stored {
						t.Fatalf("%s, %s: the file has %q", name, enc, got)
					}
				}
				if err := os.WriteFile(string(path), []byte(stored), 0o644); err != nil { // the last one wrote
					t.Fatal(err)
				}
			}
			if cancelled == 0 {
				t.Errorf("%s, %s: nothing was cancelled", name, enc)
			}
		}
	}
}

// The second try goes to the right place, also if all that was decoded was read in
// between.
func TestAWayBackCanBeTriedAgain(t *testing.T) {
	ctx := t.Context()
	for n := range 4 { // of the 5 bytes that come at a time
		for between := range 6 - n {
			path := scratch(t, "abcdefghij")
			below := &cutShort{File: mustOpen(t, path, "r+"), left: -1}
			f, err := NewTextFile(ctx, below, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Read(ctx, n+1); err != nil {
				t.Fatal(err)
			}
			below.left = 2 // it has gone to the mark
			if _, err := f.Detach(ctx); err == nil {
				t.Fatal("nothing was cancelled")
			}
			below.left = -1
			if _, err := f.Read(ctx, between); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(f.WriteString(ctx, "X"), f.Flush(ctx)); err != nil {
				t.Fatal(err)
			}
			at := n + 1 + between
			want := "abcdefghij"[:at] + "X" + "abcdefghij"[at+1:]
			if got := contentOf(t, path); got != want {
				t.Errorf("after %d and %d characters: the file has %q, want %q", n+1, between, got, want)
			}
		}
	}
}

// seekHook is a File that calls during within the next Seek.
type seekHook struct {
	*File
	during func()
}

func (s *seekHook) Seek(ctx context.Context, offset int64, whence int) (int64, error) {
	at, err := s.File.Seek(ctx, offset, whence)
	if s.during != nil {
		s.during()
	}
	return at, err
}

// Neither of two calls at the same time may think that the other takes care of it.
func TestCloseOfTextBesideACallThatKeepsSomethingIsToldByThatCall(t *testing.T) {
	ctx := t.Context()
	for name, call := range map[string]func(f *TextFile) error{
		"WriteString": func(f *TextFile) error { return f.WriteString(ctx, "X") },
		"Detach":      func(f *TextFile) error { _, err := f.Detach(ctx); return err },
	} {
		below := &seekHook{File: mustOpen(t, scratch(t, "line"), "r+")}
		f, err := NewTextFile(ctx, below, &TextOptions{MaxLine: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.ReadLine(ctx); !errors.Is(err, trigo.ErrTooLong) { // now there is a way back
			t.Fatal(err)
		}
		below.during = func() {
			if err := f.Close(ctx); err != nil {
				t.Errorf("Close beside %s: %v", name, err)
			}
		}
		if err := call(f); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("%s beside Close: %v", name, err)
		}
	}
}
