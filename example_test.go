package trigo_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"trigo"
	"trigo/nursery"
)

// A server that answers every line, and that its owner stops gently. The
// listener here is one in memory; with netstream.ListenTCP it would be TCP.
func ExampleServeListeners() {
	listener := newFakeListener()
	stop := make(chan struct{})

	shout := func(ctx context.Context, conn *fakeStream) error {
		for line, err := range trigo.NewBufferedReceiver(conn).Lines(ctx, 1024) {
			if err != nil {
				return err
			}
			if err := conn.SendAll(ctx, fmt.Appendf(nil, "%s!\n", line)); err != nil {
				return err
			}
		}
		return conn.Close(ctx) // gracefully; otherwise it is closed forcefully
	}

	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			return trigo.ServeListeners(ctx, shout, []*fakeListener{listener}, &trigo.ServeOptions{
				Stop:     stop,
				MaxConns: 100,
				HandlerError: func(err error) error {
					log.Print(err) // one bad connection is no reason to end
					return nil
				},
			})
		})

		client, _ := listener.connect()
		if err := client.SendAll(ctx, []byte("hello\nworld\n")); err != nil {
			return err
		}
		if err := client.SendEOF(ctx); err != nil {
			return err
		}
		for line, err := range trigo.NewBufferedReceiver(client).Lines(ctx, 1024) {
			if err != nil {
				return err
			}
			fmt.Println(string(line))
		}
		close(stop)
		return nil
	})
	fmt.Println(err)
	// Output:
	// hello!
	// world!
	// <nil>
}

// A header of lines, then a body of known length, out of a stream that cuts
// them anywhere.
func ExampleBufferedReceiver() {
	stream := &script{chunks: []string{"length: 5\r", "\nkind: greeting\r\n\r\nhel", "lo and more"}, end: io.EOF}

	ctx := context.Background()
	b := trigo.NewBufferedReceiver(stream)
	length := 0
	for line, err := range b.Lines(ctx, 1024) {
		if err != nil {
			log.Fatal(err)
		}
		if len(line) == 0 {
			break
		}
		fmt.Sscanf(string(line), "length: %d", &length)
	}
	body, err := b.ReceiveExactly(ctx, length)
	fmt.Printf("%s, %v\n", body, err)
	_, err = b.ReceiveExactly(ctx, 100)
	fmt.Println(err)
	fmt.Printf("still there: %q\n", b.Buffered())
	// Output:
	// hello, <nil>
	// receive exactly buffered(*trigo_test.script): unexpected EOF
	// still there: " and more"
}
