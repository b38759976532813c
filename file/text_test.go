package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/trigotest"
)

func mustOpenText(t testing.TB, path Path, mode string, opts *TextOptions) *TextFile {
	t.Helper()
	f, err := OpenText(t.Context(), path, mode, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close(context.Background()) })
	return f
}

func TestBadTextOptionIsNamedBeforeAnyIO(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), "file"))
	for want, opts := range map[string]*TextOptions{
		`encoding "klingon"`: {Encoding: "klingon"},
		`encoding "utf-9"`:   {Encoding: "utf-9"},
		`errors "lenient"`:   {Errors: "lenient"},
		`newline 7`:          {Newline: 7},
		`MaxLine of -1`:      {MaxLine: -1},
	} {
		_, err := OpenText(t.Context(), path, "w", opts)
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", *opts, err)
		}
	}
	if _, err := os.Stat(string(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file: %v", err)
	}
}

func TestNamesOfEncodings(t *testing.T) {
	for name, want := range map[string]string{ // what e4 is in them
		"": "", "UTF8": "", "latin-1": "ä", "ISO-8859-1": "ä", "Latin 1": "ä", "l1": "ä", "cp1252": "ä", "windows-1252": "ä",
		"ascii": "", "us-ascii": "", "iso8859_5": "ф", "ISO_8859-5": "ф", "latin2": "ä", "latin9": "ä", "latin-10": "ä",
		"koi8-r": "Д", "cp1251": "д", "1251": "д", "windows-1253": "δ", "ibm866": "ф", "cp866": "ф", "mac_roman": "‰", "macintosh": "‰",
		"cp437": "Σ", "cp850": "õ", "cp858": "õ", "tis-620": "ไ", "cp874": "ไ", "x-mac-cyrillic": "д",
	} {
		c, err := lookup(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		text, _, _, _ := c.decoder().decode(nil, []byte{0xe4}, false)
		if string(text) != want {
			t.Errorf("%q: e4 is %q, want %q", name, text, want)
		}
	}
	for name, want := range map[string]string{ // how 日 is written in them
		"shift_jis": "\x93\xfa", "SJIS": "\x93\xfa", "cp932": "\x93\xfa", "windows-31j": "\x93\xfa", "euc_jp": "\xc6\xfc", "ujis": "\xc6\xfc",
		"gbk": "\xc8\xd5", "gb2312": "\xc8\xd5", "cp936": "\xc8\xd5", "gb18030": "\xc8\xd5", "big5": "\xa4\xe9", "cp950": "\xa4\xe9",
		"euc_kr": "\xec\xed", "cp949": "\xec\xed", "iso2022_jp": "\x1b$BF|\x1b(B", "hz": "~{HU~}",
		"utf-16-be": "\x65\xe5", "utf_16_le": "\xe5\x65", "UTF-16LE": "\xe5\x65", "utf-32-be": "\x00\x00\x65\xe5",
	} {
		c, err := lookup(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if out, n := c.encoder().encode(nil, "日"); string(out) != want || n != 3 {
			t.Errorf("%q: %q, want %q", name, out, want)
		}
	}
}

func TestStrictErrorTellsOffsetAndBytesAndLeavesTheTextBefore(t *testing.T) {
	ctx := t.Context()
	f := mustOpenText(t, scratch(t, "one\ntwo\nthr\xe2\x82ee\n"), "r", nil)
	for _, want := range []string{"one\n", "two\n"} {
		if line, err := f.ReadLine(ctx); line != want || err != nil {
			t.Fatalf("line %q, %v", line, err)
		}
	}
	for range 2 {
		_, err := f.ReadLine(ctx)
		var bad *DecodeError
		if !errors.As(err, &bad) || bad.Offset != 11 || string(bad.Bytes) != "\xe2\x82" || bad.Encoding != "utf-8" {
			t.Fatalf("err = %v", err)
		}
		if _, err := f.ReadAll(ctx); !errors.As(err, &bad) {
			t.Fatalf("all: %v", err)
		}
	}
	if text, err := f.Read(ctx, 100); text != "thr" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
	var bad *DecodeError
	if text, err := f.Read(ctx, 100); text != "" || !errors.As(err, &bad) {
		t.Errorf("read %q, %v", text, err)
	}
	if err := f.Seek(ctx, TextPosition{}); err != nil {
		t.Fatal(err)
	}
	if line, err := f.ReadLine(ctx); line != "one\n" || err != nil {
		t.Errorf("after a seek: %q, %v", line, err)
	}
}

func TestStrictEncodeErrorTakesNothing(t *testing.T) {
	path := scratch(t, "")
	f := mustOpenText(t, path, "w", &TextOptions{Encoding: "ascii", Newline: NewlineCRLF})
	err := f.WriteString(t.Context(), "a\nb\n\u20ac")
	var bad *EncodeError
	if !errors.As(err, &bad) || bad.Offset != 4 || bad.Text != "\u20ac" {
		t.Errorf("err = %v", err)
	}
	if err := f.WriteString(t.Context(), "ok\n"); err != nil {
		t.Error(err)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := contentOf(t, path); got != "ok\r\n" {
		t.Errorf("the file has %q", got)
	}
	utf := mustOpenText(t, path, "w", nil)
	if err := utf.WriteString(t.Context(), "ab\xffc"); !errors.As(err, &bad) || bad.Offset != 2 || bad.Text != "\xff" {
		t.Errorf("not UTF-8: %v", err)
	}
}

func TestByteOrderMarkOnlyAtTheStartOfAFile(t *testing.T) {
	ctx := t.Context()
	path := scratch(t, "")
	for range 2 {
		f := mustOpenText(t, path, "a", &TextOptions{Encoding: "utf-8-sig"})
		if err := errors.Join(f.WriteString(ctx, "x"), f.WriteString(ctx, "y"), f.Close(ctx)); err != nil {
			t.Fatal(err)
		}
	}
	if got := contentOf(t, path); got != "\ufeffxyxy" {
		t.Errorf("the file has %q", got)
	}
}

// CPython 3.13 puts a second mark where reading gave way to writing.
func TestByteOrderMarkIsNotWrittenAfterReading(t *testing.T) {
	ctx := t.Context()
	type steps = func(f *TextFile) error
	readAll := func(f *TextFile) error { _, err := f.ReadAll(ctx); return err }
	readOne := func(f *TextFile) error { _, err := f.Read(ctx, 1); return err }
	rewind := func(f *TextFile) error { return f.Seek(ctx, TextPosition{}) }
	cases := []struct {
		name, mode string
		before     steps
		want       string
		blind      bool // has not seen the mark, and so not the order
	}{
		{"at once", "r+", func(*TextFile) error { return nil }, "\ufeffXb", true},
		{"after all", "r+", readAll, "\ufeffabX", false},
		{"after one", "r+", readOne, "\ufeffaX", false},
		{"at the end", "r+", func(f *TextFile) error { return f.SeekEnd(ctx) }, "\ufeffabX", true},
		{"at the start again", "r+", func(f *TextFile) error { return errors.Join(readAll(f), rewind(f)) }, "\ufeffXb", true},
		{"appended after one", "a+", func(f *TextFile) error { return errors.Join(rewind(f), readOne(f)) }, "\ufeffabX", false},
		{"appended at the start", "a+", rewind, "\ufeffabX", true},
	}
	for _, enc := range []string{"utf-8-sig", "utf-16", "utf-32"} {
		c, _ := lookup(enc)
		encoded := func(order byteOrder, s string) string {
			e := c.encoder()
			if w, ok := e.(*wideEncoder); ok {
				w.now = order
			}
			p, _ := e.encode(nil, s)
			return string(p)
		}
		for _, order := range []byteOrder{asMarked, littleEndian, bigEndian} {
			for _, c := range cases {
				if order != asMarked && c.blind {
					continue
				}
				path := scratch(t, encoded(order, "\ufeffab"))
				f := mustOpenText(t, path, c.mode, &TextOptions{Encoding: enc})
				if err := errors.Join(c.before(f), f.WriteString(ctx, "X"), f.Close(ctx)); err != nil {
					t.Fatal(err)
				}
				if got, want := contentOf(t, path), encoded(order, c.want); got != want {
					t.Errorf("%s, %v, %s: the file has %q, want %q", enc, order, c.name, got, want)
				}
			}
		}
	}
}

func TestLineBufferedTextGoesOutWithEachLine(t *testing.T) {
	ctx := t.Context()
	for _, lines := range []bool{true, false} {
		path := scratch(t, "")
		f := mustOpenText(t, path, "w", &TextOptions{LineBuffered: lines})
		if err := errors.Join(f.WriteString(ctx, "line\n"), f.WriteString(ctx, "half")); err != nil {
			t.Fatal(err)
		}
		if got, want := contentOf(t, path), map[bool]string{true: "line\n", false: ""}[lines]; got != want {
			t.Errorf("line buffered %v: the file has %q, want %q", lines, got, want)
		}
		if err := f.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if got := contentOf(t, path); got != "line\nhalf" {
			t.Errorf("after Flush the file has %q", got)
		}
		if err := f.WriteString(ctx, strings.Repeat("x", textChunk)); err != nil {
			t.Fatal(err)
		}
		if got := len(contentOf(t, path)); got != textChunk+9 {
			t.Errorf("after a lot of text the file has %d bytes", got)
		}
	}
}

func TestLineLongerThanAllowedIsKept(t *testing.T) {
	f := textOver(t, &TextOptions{MaxLine: 5}, []byte("1234\n12345\nx"))
	if line, err := f.ReadLine(t.Context()); line != "1234\n" || err != nil {
		t.Errorf("line %q, %v", line, err)
	}
	if _, err := f.ReadLine(t.Context()); !errors.Is(err, trigo.ErrTooLong) {
		t.Errorf("a long line: %v", err)
	}
	if rest, err := f.ReadAll(t.Context()); rest != "12345\nx" || err != nil {
		t.Errorf("the rest is %q, %v", rest, err)
	}
	endless := textOver(t, &TextOptions{MaxLine: 5}, []byte("12"), []byte("345"), []byte("678"))
	if _, err := endless.ReadLine(t.Context()); !errors.Is(err, trigo.ErrTooLong) {
		t.Errorf("a line without an end: %v", err)
	}
}

func TestCancelledTextCallsLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := trigotest.NewLockstepPair()
		f, err := NewTextFile(t.Context(), b, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { _, err := f.ReadLine(ctx); result <- err }()
		if err := a.SendAll(t.Context(), []byte("ha\xc3")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := f.Read(t.Context(), 1); !errors.Is(err, trigo.ErrBusy) {
			t.Errorf("a second reader: %v", err)
		}
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		line := make(chan string, 1)
		go func() { s, _ := f.ReadLine(t.Context()); line <- s }()
		if err := a.SendAll(t.Context(), []byte("\xa4lf\n")); err != nil {
			t.Fatal(err)
		}
		if got := <-line; got != "haälf\n" {
			t.Errorf("the line is %q", got)
		}

		// And writing, beside a reader, because a stream like this has no positions.
		go func() { _, err := f.ReadLine(t.Context()); result <- err }()
		synctest.Wait()
		if err := f.WriteString(t.Context(), "out"); err != nil {
			t.Error(err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		flushed := make(chan error, 1)
		go func() { flushed <- f.Flush(ctx) }()
		p := make([]byte, 10)
		if n, err := a.ReceiveSome(t.Context(), p[:1]); n != 1 || err != nil {
			t.Errorf("received %q, %v", p[:n], err)
		}
		synctest.Wait()
		cancel()
		var op *trigo.OpError
		if err := <-flushed; !errors.As(err, &op) || op.N != 1 {
			t.Errorf("cancelled: %v", err)
		}
		go func() { flushed <- f.Flush(t.Context()) }()
		if n, err := a.ReceiveSome(t.Context(), p); string(p[:n]) != "ut" || err != nil {
			t.Errorf("received %q, %v", p[:n], err)
		}
		if err := <-flushed; err != nil {
			t.Error(err)
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-result; !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("the reader: %v", err)
		}
		a.Close(t.Context())
	})
}

func TestCloseOfTextFlushesAndAlwaysCloses(t *testing.T) {
	path := scratch(t, "")
	f := mustOpenText(t, path, "w", nil)
	f.WriteString(t.Context(), "kept")
	if err := f.Close(t.Context()); err != nil || contentOf(t, path) != "kept" {
		t.Errorf("close: %v; the file has %q", err, contentOf(t, path))
	}
	f = mustOpenText(t, path, "w", nil)
	f.WriteString(t.Context(), "lost")
	if err := f.Close(deadCtxOf(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("close with a dead ctx: %v", err)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if !f.bytes.(*File).closed.Load() {
		t.Error("the file is open")
	}
	if err := f.WriteString(t.Context(), "x"); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("write: %v", err)
	}
}

func TestTextDoesOnlyWhatTheFileWasOpenedFor(t *testing.T) {
	path := scratch(t, "x")
	if err := mustOpenText(t, path, "r", nil).WriteString(t.Context(), "y"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("write: %v", err)
	}
	if _, err := mustOpenText(t, path, "a", nil).ReadLine(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("read: %v", err)
	}
	for _, r := range []trigo.Resource{mustOpen(t, path, "r"), mustWrap(t, strings.NewReader("x"))} {
		f, err := NewTextFile(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.WriteString(t.Context(), "y"); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("write over %v: %v", r, err)
		}
		if text, err := f.ReadAll(t.Context()); text != "x" || err != nil {
			t.Errorf("read over %v: %q, %v", r, text, err)
		}
	}
	one := textOver(t, nil, []byte("x"))
	if _, err := one.Tell(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("tell: %v", err)
	}
	if err := one.Seek(t.Context(), TextPosition{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("seek: %v", err)
	}
}
