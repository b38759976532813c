package trigotest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"trigo"
	"trigo/trigotest"
)

// shout is a program to be tested: it answers in capitals what it receives.
func shout(ctx context.Context, s trigo.HalfCloseableStream) error {
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, []byte(strings.ToUpper(string(chunk)))); err != nil {
			return err
		}
	}
	return s.SendEOF(ctx)
}

// A conversation over a stream in memory, instead of a socket.
func ExampleNewMemoryPair() {
	ctx := context.Background()
	client, server := trigotest.NewMemoryPair()
	client.SendAll(ctx, []byte("hello"))
	client.SendEOF(ctx)

	if err := shout(ctx, server); err != nil {
		fmt.Println(err)
	}
	for chunk := range trigo.Chunks(ctx, client) {
		fmt.Printf("%s\n", chunk)
	}
	// Output: HELLO
}

// What a program sends, and what it is to receive, without a peer.
func ExampleMemoryReceiveStream() {
	ctx := context.Background()
	in, out := trigotest.NewMemoryReceiveStream(), trigotest.NewMemorySendStream()
	in.PutData([]byte("cut"))
	in.ReceiveSomeHook = func(context.Context) error {
		// From the second time on there is no more.
		in.ReceiveSomeHook = func(context.Context) error {
			in.PutError(errors.New("the cable is out"))
			return nil
		}
		return nil
	}

	fmt.Println(shout(ctx, trigo.Staple(out, in)))
	sent, _ := out.GetDataNoWait(0)
	fmt.Printf("%s\n", sent)
	// Output:
	// receive memory: stream broken: the cable is out
	// CUT
}

// A peer that is gone from the second message on.
func ExampleMemorySendStream() {
	ctx := context.Background()
	send, receive := trigotest.NewMemoryOneWayPair()
	pump, messages := send.SendAllHook, 0
	send.SendAllHook = func(ctx context.Context) error {
		if messages++; messages > 1 {
			return trigo.Broken(errors.New("no route to host"))
		}
		return pump(ctx)
	}

	fmt.Println(send.SendAll(ctx, []byte("one")))
	fmt.Println(send.SendAll(ctx, []byte("two")))
	p := make([]byte, 100)
	n, _ := receive.ReceiveSome(ctx, p)
	fmt.Printf("%s\n", p[:n])
	// Output:
	// <nil>
	// send memory: stream broken: no route to host
	// one
}

// What deadlocks anywhere deadlocks over a lockstep pair: here, two programs
// that both send first.
func ExampleNewLockstepPair() {
	a, b := trigotest.NewLockstepPair()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	other := make(chan error)
	go func() { other <- b.SendAll(ctx, []byte("after you")) }()
	err := a.SendAll(ctx, []byte("after you"))
	<-other
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// The port is for the kernel to choose, and the listener knows it.
func ExampleOpenStreamToSocketListener() {
	ctx := context.Background()
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	conn, err := trigotest.OpenStreamToSocketListener(ctx, l, new(net.Dialer).DialContext)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Println(conn.RemoteAddr().(*net.TCPAddr).IP)
	// Output: 127.0.0.1
}
