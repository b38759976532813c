package endpoint_test

import (
	"context"
	"fmt"
	"log"

	"trigo"
	"trigo/endpoint"
	"trigo/nursery"
)

// A server with TLS and a client, each told by one line where to listen and where to
// connect to.
func Example() {
	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		front, err := endpoint.Parse("tls-server,self-signed+tcp-listen:127.0.0.1:0")
		if err != nil {
			return err
		}
		listeners, err := front.Listen(ctx, nil)
		if err != nil {
			return err
		}
		n.Go(func(ctx context.Context) error {
			return trigo.ServeListeners(ctx, func(ctx context.Context, in *endpoint.Incoming) error {
				s, err := in.Open(ctx) // the handshake
				if err != nil {
					return nil // of one client; the others are served
				}
				if err := s.SendAll(ctx, []byte("hello over tls")); err != nil {
					return err
				}
				return s.Close(ctx)
			}, listeners, nil)
		})
		defer n.Cancel(nil)

		pin := listeners[0].Recipe().Pins()[0]
		back, err := endpoint.Parse(fmt.Sprintf("tls,pin=%s+tcp:%s", pin, listeners[0].Addr()))
		if err != nil {
			return err
		}
		s, err := back.Dial(ctx, nil)
		if err != nil {
			return err
		}
		for chunk, err := range trigo.Chunks(ctx, s) {
			if err != nil {
				return err
			}
			fmt.Printf("%s\n", chunk)
		}
		return s.Close(ctx)
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: hello over tls
}

// What an address means can be told before it is opened.
func ExampleEndpoint_Explain() {
	e, err := endpoint.Parse("tls:proxy.corp:8443,verify=off")
	if err != nil {
		log.Fatal(err)
	}
	x := e.Explain()
	fmt.Println(x.Canonical)
	fmt.Println(x.Text)
	fmt.Println(x.Warnings[0].Text)
	// Output:
	// tls:proxy.corp,verify=off+tcp:proxy.corp:8443
	// tls(client name=proxy.corp verify=off min=1.2) > tcp(proxy.corp:8443 rfc8305)
	// does not verify its peer
}

// A mistake is one line, with a hint.
func ExampleParse() {
	_, err := endpoint.Parse("tcp:db:5432,nodely")
	mistake := err.(*endpoint.Error)
	fmt.Println(mistake)
	fmt.Println(mistake.Hint)
	// Output:
	// address "tcp:db:5432,nodely": tcp: unknown option "nodely"
	// did you mean nodelay?
}
