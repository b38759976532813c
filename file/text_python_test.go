package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"trigo"
)

// The answers of CPython to what this package does to text: encodings, kinds of
// error handling and newline rules, over texts that are whole, cut and damaged.
const pythonText = `
import base64, io, json, random, sys
b64 = lambda data: base64.b64encode(data).decode()
random.seed(7)
sample = 'plain\nA\u00e9\u00ff\r\n\u20ac\u03b1\r\r\n\u3042\u6f22\u5b57\n\n\U0001f600end\r'
wide = ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'utf-32-le', 'utf-32-be']
narrow = ['ascii', 'latin-1', 'cp1252', 'cp1251', 'cp1255', 'iso-8859-2', 'iso-8859-15', 'iso8859_7', 'latin5',
          'koi8-r', 'koi8_u', 'mac_roman', 'cp437', 'cp037', 'cp874', 'iso8859-1', 'L1', 'U8', 'UTF_16LE']
east = ['cp932', 'euc_jp', 'euc-kr', 'gbk', 'gb18030', 'big5', 'iso-2022-jp', 'hz']
newlines = [None, '', '\n', '\r', '\r\n']
modes = ['strict', 'replace', 'ignore', 'backslashreplace']

def raw(enc):
    if enc in east:
        # Of the tables of these, CPython and the web have ideas of their own, so
        # this is what they agree on.
        text = 'plain\nA\r\n\u65e5\u672c\r\r\nx\u4e2d\u6587y\n\nend\r'
        yield text.encode(enc)
        yield text.encode(enc)[:-9] # perhaps in the middle of a character
        if enc in ('iso-2022-jp', 'hz'):
            return
        d = bytearray(text.encode(enc)); d[12] = 0x20
        yield bytes(d)
        yield text.encode(enc) + b'\x81'
        return
    good = sample.encode(enc, 'ignore')
    yield good
    yield b''
    yield b'\r'
    for n in (1, 2, 3, 5):
        yield good[:-n]
    for _ in range(8):
        d = bytearray(good)
        for _ in range(random.randint(1, 4)):
            d[random.randrange(len(d))] = random.choice([0x80, 0xff, 0xc3, 0xed, 0xa0, 0xf4, 0x90, 0xd8, 0xdc, 0x0a, 0x0d, random.randrange(256)])
        yield bytes(d)
    yield bytes(random.randrange(256) for _ in range(40))
    yield b'\xef\xbb\xbf\xef\xbb\xbfx'
    yield b'\xff\xfea\x00\xfe\xff'
    yield b'\xfe\xff\x00a\xff\xfe'

cases = []
for enc in wide + narrow + east:
    for data in raw(enc):
        for mode in modes:
            for newline in newlines:
                c = dict(encoding=enc, errors=mode, newline=newlines.index(newline), data=b64(data), offset=-1)
                try:
                    c['text'] = io.TextIOWrapper(io.BytesIO(data), enc, mode, newline).read()
                    c['lines'] = list(io.TextIOWrapper(io.BytesIO(data), enc, mode, newline))
                except UnicodeDecodeError as e:
                    # utf-8-sig counts from behind the mark
                    c['offset'], c['bad'] = len(data) - len(e.object) + e.start, b64(e.object[e.start:e.end])
                except UnicodeError: # utf-16 and utf-32 without a byte order mark, which trigo takes for the machine's
                    continue
                cases.append(c)
writes = []
for enc in wide + narrow + east:
    for text in ['', 'a\nb\r\nc', '\u65e5\u672c\nx', '\U0001f600'] + ([] if enc in east else [sample, '\u00e9\n']):
        for mode in modes:
            for newline in newlines:
                c = dict(encoding=enc, errors=mode, newline=newlines.index(newline), text=text, offset=-1)
                b = io.BytesIO()
                w = io.TextIOWrapper(b, enc, mode, newline)
                try:
                    w.write(text)
                    if enc in ('iso-2022-jp', 'hz'): # CPython leaves the escape sequence open
                        if newline == '\r': text = text.replace('\n', '\r')
                        if newline == '\r\n': text = text.replace('\n', '\r\n')
                        c['data'] = b64(text.encode(enc, mode))
                    else:
                        w.flush(); c['data'] = b64(b.getvalue())
                except UnicodeEncodeError as e:
                    before = e.object[:e.start] # in which each newline is longer already
                    c['offset'] = len(before.encode()) - (before.count('\n') if newline == '\r\n' else 0)
                    w.detach()
                writes.append(c)
json.dump(dict(reads=cases, writes=writes), sys.stdout)
`

type pythonCase struct {
	Encoding, Errors string
	Newline          Newline
	Data             []byte
	Text             string
	Lines            []string
	Offset           int64
	Bad              []byte
}

func (c *pythonCase) options() *TextOptions {
	return &TextOptions{Encoding: c.Encoding, Errors: c.Errors, Newline: c.Newline}
}

// pythonAnswers asks once for all tests.
var pythonAnswers = sync.OnceValues(func() (all struct{ Reads, Writes []pythonCase }, err error) {
	cmd := exec.Command("python3", "-c", pythonText)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return all, fmt.Errorf("%w\n%s", err, complaints.String())
	}
	return all, json.Unmarshal(out, &all)
})

func askPythonText(t *testing.T) (reads, writes []pythonCase) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 to compare with")
	}
	all, err := pythonAnswers()
	if err != nil {
		t.Fatal(err)
	}
	return all.Reads, all.Writes
}

// pieces is a stream that gives out what it has in the given pieces.
type pieces [][]byte

func (p *pieces) ReceiveSome(ctx context.Context, b []byte) (int, error) {
	if ctx.Err() != nil {
		return 0, trigo.CancelError(ctx)
	}
	for len(*p) > 0 && len((*p)[0]) == 0 {
		*p = (*p)[1:]
	}
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	(*p)[0] = (*p)[0][n:]
	return n, nil
}

func (p *pieces) Close(context.Context) error { return nil }

func textOver(t *testing.T, opts *TextOptions, p ...[]byte) *TextFile {
	t.Helper()
	all := pieces(slices.Clone(p))
	text, err := NewTextFile(t.Context(), &all, opts)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTextIsReadAsPythonReadsIt(t *testing.T) {
	cases, _ := askPythonText(t)
	for n, c := range cases {
		data := c.Data
		check := func(how string, p ...[]byte) {
			got, err := textOver(t, c.options(), p...).ReadAll(t.Context())
			if c.Offset < 0 {
				if got != c.Text || err != nil {
					t.Errorf("%+v %q %s:\n got %q, %v\nwant %q", *c.options(), data, how, got, err, c.Text)
				}
				return
			}
			var bad *DecodeError
			if !errors.As(err, &bad) {
				t.Errorf("%+v %q %s:\n got %q, %v\nwant an error at %d", *c.options(), data, how, got, err, c.Offset)
			} else if bad.Offset != c.Offset || !bytes.Equal(bad.Bytes, c.Bad) {
				t.Errorf("%+v %q %s:\n got %v\nwant offset %d, bytes % x", *c.options(), data, how, err, c.Offset, c.Bad)
			}
		}
		check("in one piece", data)
		for i := range data {
			if n%50 != 0 && os.Getenv("TRIGO_SOAK") == "" {
				break // byte by byte has all these cuts at once
			}
			check("cut in two", slices.Clone(data[:i]), slices.Clone(data[i:]))
		}
		var single [][]byte
		for i := range data {
			single = append(single, []byte{data[i]})
		}
		check("byte by byte", single...)
		if t.Failed() {
			break
		}
		if c.Offset >= 0 {
			continue
		}
		var lines []string
		for line, err := range textOver(t, c.options(), single...).Lines(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
		}
		if !slices.Equal(lines, c.Lines) {
			t.Errorf("%+v %q:\n got lines %q\nwant %q", *c.options(), data, lines, c.Lines)
		}
	}
	t.Logf("%d cases", len(cases))
}

// collected is a stream that keeps what is sent.
type collected struct{ bytes.Buffer }

func (c *collected) SendAll(_ context.Context, p []byte) error {
	c.Write(p)
	return nil
}
func (c *collected) WaitSendAllMightNotBlock(context.Context) error { return nil }
func (c *collected) Close(context.Context) error                    { return nil }

func TestTextIsWrittenAsPythonWritesIt(t *testing.T) {
	_, cases := askPythonText(t)
	for _, c := range cases {
		var out collected
		text, err := NewTextFile(t.Context(), &out, c.options())
		if err != nil {
			t.Fatal(err)
		}
		err = text.WriteString(t.Context(), c.Text)
		if c.Offset >= 0 {
			var bad *EncodeError
			if !errors.As(err, &bad) || int64(bad.Offset) != c.Offset {
				t.Errorf("%+v %q: got %v, want an error at %d", *c.options(), c.Text, err, c.Offset)
			}
		} else if err != nil {
			t.Errorf("%+v %q: %v", *c.options(), c.Text, err)
		}
		if err := text.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := c.Data; !bytes.Equal(out.Bytes(), want) {
			t.Errorf("%+v %q: wrote %q, want %q", *c.options(), c.Text, out.Bytes(), want)
		}
	}
	t.Logf("%d cases", len(cases))
}
