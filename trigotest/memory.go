package trigotest

import (
	"context"
	"errors"
	"io"
	"reflect"

	"trigo"
)

// Pump moves what was sent into send over to recv: up to max bytes, or all if
// max is not positive. When send is closed and empty, it moves the end of the
// stream; if send was aborted, the failure. It reports whether there was
// anything to move, and never waits.
//
// If recv cannot take the data, because it is closed or has ended, the data is lost
// and the error Is [trigo.ErrBroken]. If somebody is just getting data from
// send, and it was not aborted, it Is [trigo.ErrBusy]. Pumps of one send may run
// concurrently: each is one step, so nothing changes its place.
//
// Trio: trio.testing.memory_stream_pump.
func Pump(send *MemorySendStream, recv *MemoryReceiveStream, max int) (bool, error) {
	lost, err := send.queue.moveTo(recv.queue, orAll(max))
	switch {
	case err == io.EOF:
		recv.PutEOF()
		return true, nil
	case errors.Is(err, trigo.ErrWouldBlock):
		return false, nil
	case errors.Is(err, trigo.ErrBroken):
		recv.PutError(errAborted)
		return true, nil
	case err != nil:
		return false, memoryError("get data", 0, err)
	case lost != nil:
		return false, trigo.Broken(errPeerClosed)
	}
	return true, nil
}

// NewMemoryOneWayPair returns the two ends of a stream in memory. What is sent
// can be received at once, there is no limit to how much, and sending never
// waits.
//
// The ends are connected by hooks of the sending half, SendAllHook and
// CloseHook, which call [Pump]; the latter then puts the end, even if somebody
// gets the data that is before it. Replace SendAllHook to make the sender wait, to
// lose data, or to move it later.
//
// Trio: trio.testing.memory_stream_one_way_pair.
func NewMemoryOneWayPair() (*MemorySendStream, *MemoryReceiveStream) {
	send, recv := NewMemorySendStream(), NewMemoryReceiveStream()
	send.SendAllHook = func(context.Context) error {
		_, err := Pump(send, recv, 0)
		return err
	}
	send.pump, send.peer = reflect.ValueOf(send.SendAllHook), recv
	send.CloseHook = func() {
		// What may still be there, or the failure. Nobody is left to be told that
		// there is no receiver; and if somebody just gets data, it is his.
		Pump(send, recv, 0)
		recv.PutEOF() // after a failure that is no news
	}
	return send, recv
}

// NewMemoryPair returns two connected streams, made of two pairs of
// [NewMemoryOneWayPair]. The halves, and with them the hooks, are found in
// Send and Receive, or by [trigo.As].
//
// Trio: trio.testing.memory_stream_pair.
func NewMemoryPair() (a, b *trigo.StapledStream) {
	aSend, bReceive := NewMemoryOneWayPair()
	bSend, aReceive := NewMemoryOneWayPair()
	return trigo.Staple(aSend, aReceive), trigo.Staple(bSend, bReceive)
}
