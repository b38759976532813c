package proxy

import (
	"bytes"
	"context"
	"io"

	"trigo"
)

// Exact receiving.
//
// Who receives as much as there is gets bytes that belong to the tunnel, and
// must keep them in a wrapper for whoever receives next. That wrapper then
// stands in the way of everything that wants the stream itself.
//
// None of the protocols needs it. SOCKS5 and version 2 of the PROXY protocol
// say beforehand how long each part is. A head of HTTP and a line of version 1
// end with a mark, and as long as k bytes of the mark are missing, at least k
// more bytes belong to the message: so many can be received at once. Near the
// end those are small steps, a dozen or so in a usual answer, for one
// handshake in the life of a stream.

// receiveFull fills p.
func receiveFull(ctx context.Context, r trigo.ReceiveStream, p []byte) error {
	for n := 0; n < len(p); {
		m, err := r.ReceiveSome(ctx, p[n:])
		if err != nil {
			return cut(err)
		}
		n += m
	}
	return nil
}

// cut is the error of a receive in the middle of a message.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A message of text ends with a mark.
type message struct {
	begin    string // what it must begin with: whatever does not is refused at once, and not waited for
	end      string // the mark; begins with CR LF
	shortest int    // no message is shorter
	longest  int    // none may be longer
}

// receive appends the rest of a message to what is there of it.
func (m *message) receive(ctx context.Context, r trigo.ReceiveStream, got []byte) ([]byte, error) {
	for {
		if err := m.check(got); err != nil {
			return got, err
		}
		missing := m.missing(got)
		if missing == 0 {
			return got, nil
		}
		if len(got)+missing > m.longest {
			return got, violation("longer than %d bytes", m.longest)
		}
		n := len(got)
		got = append(got, make([]byte, missing)...)
		k, err := r.ReceiveSome(ctx, got[n:])
		got = got[:n+k]
		if err != nil {
			return got, cut(err)
		}
	}
}

// missing returns how many bytes the message has yet to have at least.
func (m *message) missing(got []byte) int {
	n := len(m.end)
	for n > 0 && !bytes.HasSuffix(got, []byte(m.end[:n])) {
		n--
	}
	return max(len(m.end)-n, m.shortest-len(got))
}

// check refuses what can be no beginning of the message. A bare LF is such a
// thing: who ends lines with it waits for an answer that would never come.
func (m *message) check(got []byte) error {
	if n := min(len(got), len(m.begin)); string(got[:n]) != m.begin[:n] {
		return violation("begins with %q", clip(got))
	}
	for i, c := range got {
		if c == '\n' && (i == 0 || got[i-1] != '\r') {
			return violation("a line ends without CR")
		}
	}
	return nil
}

// clip makes the beginning of foreign bytes fit into an error.
func clip(p []byte) []byte { return p[:min(len(p), 32)] }
