package socket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trigo"
)

// # Trains of datagrams
//
// Where both ends are Linux and the datagrams of one sender have one size, a whole
// train of them is one message for the kernel: the control data of SendMsg says
// where to cut (UDP_SEGMENT), that of RecvMsg where it was cut (UDP_GRO). This
// costs a fraction of what a batch does, in which each datagram is handled by
// itself. It needs nothing of this package but its options and control data, and
// these tests show how.

// cutHere is the control data of a train whose datagrams have that size.
func cutHere(size int) []byte {
	control := make([]byte, unix.CmsgSpace(2))
	binary.NativeEndian.PutUint64(control, uint64(unix.CmsgLen(2)))
	binary.NativeEndian.PutUint32(control[8:], unix.IPPROTO_UDP)
	binary.NativeEndian.PutUint32(control[12:], unix.UDP_SEGMENT)
	binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], uint16(size))
	return control
}

// sizeOf returns the size of the datagrams of a train that was received, or 0 if
// it is a single one.
func sizeOf(t testing.TB, m *Message) int {
	t.Helper()
	found, err := unix.ParseSocketControlMessage(m.Control[:m.ControlN])
	ok(t, err)
	for _, c := range found {
		if c.Header.Level == unix.IPPROTO_UDP && c.Header.Type == unix.UDP_GRO {
			return int(binary.NativeEndian.Uint32(c.Data))
		}
	}
	return 0
}

// trains returns two sockets that send and receive trains, and the address of the
// second.
func trains(t testing.TB) (a, b *Socket, to IPAddr) {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 || ^uint(0)>>32 == 0 {
		t.Skip("the layout of cutHere is that of 64 bits, little end first")
	}
	a, _ = bound(t, inet, dgram)
	b, to = bound(t, inet, dgram)
	if err := b.SetsockoptInt(unix.IPPROTO_UDP, unix.UDP_GRO, 1); errors.Is(err, syscall.ENOPROTOOPT) {
		t.Skip("this kernel knows no trains of datagrams")
	}
	return a, b, to
}

func TestTrainOfDatagramsIsSentAndReceivedAtOnce(t *testing.T) {
	a, b, to := trains(t)
	single, singleTo := bound(t, inet, dgram) // wants no trains
	const size, many = 100, 40
	data := bytes.Repeat([]byte("0123456789"), size/10*many)
	data = append(data, "the last is shorter"...)
	for _, to := range []IPAddr{to, singleTo} {
		m := Message{Buffers: [][]byte{data}, Control: cutHere(size), Addr: to}
		ok(t, a.SendMsg(bounded(t), &m, 0))
		if m.N != len(data) {
			t.Errorf("%d bytes sent", m.N)
		}
	}
	in := Message{Buffers: [][]byte{make([]byte, 64<<10)}, Control: make([]byte, unix.CmsgSpace(4))}
	ok(t, b.RecvMsg(bounded(t), &in, 0))
	if got := sizeOf(t, &in); got != size || !bytes.Equal(in.Buffers[0][:in.N], data) {
		t.Errorf("received %d bytes, cut at %d", in.N, got)
	}
	var got []byte
	ms := make([]Message, many+1)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, 2*size)}
	}
	for left := ms; len(left) > 0; {
		n, err := single.RecvBatch(bounded(t), left, 0)
		ok(t, err)
		left = left[n:]
	}
	for i, m := range ms {
		if m.N != size && i < many {
			t.Errorf("datagram %d has %d bytes", i, m.N)
		}
		got = append(got, m.Buffers[0][:m.N]...)
	}
	if !bytes.Equal(got, data) {
		t.Errorf("received %d bytes one by one", len(got))
	}
	_, err := single.RecvBatch(bounded(t), ms, msgDontWait)
	wantIs(t, "after the last", err, trigo.ErrWouldBlock)
}

// 64 datagrams that are there, one by one and as a train. What is timed is
// receiving only; the single ones come as a train too, that the kernel cuts when
// it delivers them.
func BenchmarkRatioReceiveSinglesOverTrain(b *testing.B) {
	const many = 64
	ctx := b.Context()
	client, server, to := trains(b)
	single, singleTo := bound(b, inet, dgram)
	data := make([]byte, many*ping)
	out := Message{Buffers: [][]byte{data}, Control: cutHere(ping)}
	in := Message{Buffers: [][]byte{make([]byte, 64<<10)}, Control: make([]byte, unix.CmsgSpace(4))}
	timed := func(to IPAddr, receive func()) float64 {
		out.AddrPort = to.AddrPort
		if err := client.SendMsg(ctx, &out, 0); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		receive()
		return float64(time.Since(start)) / many
	}
	b.ReportAllocs()
	receiving(b, "train", func() float64 {
		return timed(singleTo, func() {
			for range many {
				if n, _, err := single.RecvFromAddrPort(ctx, data, 0); n != ping || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}, func() float64 {
		return timed(to, func() {
			if err := server.RecvMsg(ctx, &in, 0); err != nil || in.N != len(data) || sizeOf(b, &in) != ping {
				b.Fatal(in.N, err)
			}
		})
	})
}
