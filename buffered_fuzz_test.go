package trigo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"trigo"
)

// FuzzBufferedReceiver runs a random program of calls on a BufferedReceiver and
// on a model of it, which is nothing but the text that is left. The stream
// beneath cuts the text anywhere and is now and then interrupted.
func FuzzBufferedReceiver(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\r\nthree"), []byte{3, 0, 3, 200, 2, 4, 1, 2, 5, 9, 0, 7}, uint64(1))
	f.Add(bytes.Repeat([]byte("0123456789abcde\n"), 1000), []byte{1, 255, 4, 255, 3, 0, 5, 255, 2, 2, 1, 255, 0, 255}, uint64(2))
	f.Add([]byte{}, []byte{0, 1, 1, 1, 3, 1, 5, 5, 3, 0, 3, 0}, uint64(3))
	f.Fuzz(func(t *testing.T, text, program []byte, seed uint64) {
		m := &model{
			t:    t,
			left: bytes.Clone(text),
			rand: rand.New(rand.NewPCG(seed, 0)),
		}
		m.b = trigo.NewBufferedReceiver(&choppy{text: text, rand: m.rand})
		most := len(text)
		for len(program) >= 2 {
			m.call(program[0]%6, int(program[1]))
			program = program[2:]
			most = max(most, len(m.left))
			if !bytes.HasPrefix(m.left, m.b.Buffered()) {
				t.Fatalf("%q is buffered, %q is left", m.b.Buffered(), m.left)
			}
			if m.b.BufferSize() > max(64<<10, 4*most) {
				t.Fatalf("a buffer of %d bytes for a text of %d", m.b.BufferSize(), most)
			}
		}
	})
}

var errInterrupted = errors.New("interrupted")

// choppy is a ReceiveStream that receives text in random pieces.
type choppy struct {
	text []byte
	rand *rand.Rand
}

func (s *choppy) ReceiveSome(_ context.Context, p []byte) (int, error) {
	switch {
	case len(p) == 0:
		return 0, io.ErrShortBuffer
	case s.rand.IntN(8) == 0:
		return 0, errInterrupted
	case len(s.text) == 0:
		return 0, io.EOF
	}
	most := 1 + s.rand.IntN(len(s.text))
	if s.rand.IntN(2) == 0 {
		most = min(most, 1+s.rand.IntN(4))
	}
	n := copy(p, s.text[:most])
	s.text = s.text[n:]
	return n, nil
}

func (s *choppy) Close(context.Context) error { return nil }

type model struct {
	t    *testing.T
	b    *trigo.BufferedReceiver
	left []byte // what can still be received
	last []byte // what the last call returned
	rand *rand.Rand
}

// call makes one call and compares it with the model.
func (m *model) call(op byte, arg int) {
	if arg > 200 {
		arg *= 50 // some that need a larger buffer
	}
	ctx := context.Background()
	delim := []byte("\r\n\r\n")[:1+arg%4]
	switch op {
	case 0:
		p := make([]byte, arg)
		n, err := m.retry(func() ([]byte, error) { n, err := m.b.ReceiveSome(ctx, p); return p[:n], err })
		switch {
		case arg == 0:
			m.check(n, err, nil, io.ErrShortBuffer)
		case len(m.left) == 0:
			m.check(n, err, nil, io.EOF)
		case len(n) == 0 || len(n) > arg:
			m.t.Fatalf("ReceiveSome into %d received %d, %v", arg, len(n), err)
		default:
			m.check(n, err, m.left[:min(len(n), len(m.left))], nil)
			m.left = m.left[len(n):]
		}
	case 1:
		got, err := m.retry(func() ([]byte, error) { return m.b.ReceiveExactly(ctx, arg) })
		m.message(got, err, arg, arg <= len(m.left), true)
	case 2:
		got, err := m.retry(func() ([]byte, error) { return m.b.ReceiveUntil(ctx, delim, arg) })
		m.delimited(got, err, delim, arg)
	case 3:
		got, err := m.retry(func() ([]byte, error) { return m.b.ReceiveLine(ctx, arg) })
		m.line(got, err, arg)
	case 4:
		got, err := m.retry(func() ([]byte, error) { return m.b.Peek(ctx, arg) })
		m.message(got, err, arg, arg <= len(m.left), false)
	case 5:
		p := []byte("some text that was never received\n")[:arg%34]
		if arg%2 == 0 {
			p = m.last[:min(arg, len(m.last))] // a part of the buffer, perhaps
		}
		m.left = append(bytes.Clone(p), m.left...)
		m.b.Unread(p)
		m.last = nil
	}
}

// retry repeats an interrupted call. If it lost anything, the model will see.
func (m *model) retry(call func() ([]byte, error)) ([]byte, error) {
	for {
		p, err := call()
		if !errors.Is(err, errInterrupted) {
			m.last = p
			return p, err
		}
	}
}

func (m *model) check(got []byte, err error, want []byte, kind error) {
	if !errors.Is(err, kind) || kind == nil && err != nil || kind == io.EOF && err != io.EOF {
		m.t.Fatalf("got %q, %v, want the error %v; left %q", got, err, kind, m.left)
	}
	if !bytes.Equal(got, want) {
		m.t.Fatalf("got %q, want %q", got, want)
	}
}

// message checks a message that is the next n bytes, if the text has it.
func (m *model) message(got []byte, err error, n int, has, consumed bool) {
	switch {
	case has:
		m.check(got, err, m.left[:n], nil)
		if consumed {
			m.left = m.left[n:]
		}
	case len(m.left) == 0:
		m.check(got, err, nil, io.EOF)
	default:
		m.check(got, err, nil, io.ErrUnexpectedEOF)
	}
}

func (m *model) delimited(got []byte, err error, delim []byte, limit int) {
	if limit == 0 {
		limit = 64 << 10
	}
	i := bytes.Index(m.left[:min(limit, len(m.left))], delim)
	if i < 0 && len(m.left) >= limit {
		m.check(got, err, nil, trigo.ErrTooLong)
		return
	}
	m.message(got, err, i+len(delim), i >= 0, true)
}

func (m *model) line(got []byte, err error, limit int) {
	if limit == 0 {
		limit = 64 << 10
	}
	i := bytes.IndexByte(m.left[:min(limit, len(m.left))], '\n')
	switch {
	case i >= 0:
		line := bytes.TrimSuffix(m.left[:i], []byte("\r"))
		m.check(got, err, line, nil)
		m.left = m.left[i+1:]
	case len(m.left) >= limit:
		m.check(got, err, nil, trigo.ErrTooLong)
	default: // the last one, if any
		m.message(got, err, len(m.left), len(m.left) > 0, true)
	}
}
