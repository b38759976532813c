package netconn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"trigo/trigotest"
)

func TestReaderPassesTheTestsOfPackageIotest(t *testing.T) {
	content := []byte(strings.Repeat("what is sent is received. ", 1000))
	send, receive := trigotest.NewMemoryOneWayPair()
	check(t, send.SendAll(t.Context(), content))
	check(t, send.Close(t.Context()))
	check(t, iotest.TestReader(Reader(t.Context(), receive), content))
}

func TestAConnPassesThemToo(t *testing.T) {
	content := []byte(strings.Repeat("what is sent is received. ", 1000))
	a, b := pair(t, memoryPair)
	_, err := a.Write(content)
	check(t, err)
	check(t, a.(halfCloser).CloseWrite())
	check(t, iotest.TestReader(b, content))
}

func TestReadWriterCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := trigotest.NewLockstepPair()
		defer x.Close(t.Context())
		defer y.Close(t.Context())
		go func() {
			rw := ReadWriter(t.Context(), y)
			io.Copy(rw, rw)
			y.SendEOF(t.Context())
		}()
		go func() {
			io.WriteString(Writer(t.Context(), x), "hello")
			x.SendEOF(t.Context())
		}()
		var got bytes.Buffer
		_, err := io.Copy(&got, Reader(t.Context(), x))
		if got.String() != "hello" || err != nil {
			t.Errorf("got %q, %v", got.String(), err)
		}
	})
}

func TestTheContextOfAReaderOrWriterCancelsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := trigotest.NewLockstepPair()
		defer x.Close(t.Context())
		defer y.Close(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go y.ReceiveSome(t.Context(), make([]byte, 3))
		n, err := io.WriteString(Writer(ctx, x), "hello")
		if n != 3 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wrote %d, %v", n, err)
		}
		if _, err := Reader(ctx, x).Read(make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
	})
}
