//go:build linux || darwin || freebsd

package socket_test

import (
	"context"
	"fmt"
	"log"
	"syscall"

	"trigo/socket"
)

// Two UDP sockets, and a datagram that is looked at before it is taken.
func Example() {
	ctx := context.Background()
	open := func() *socket.Socket {
		s, err := socket.New(ctx, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
		if err != nil {
			log.Fatal(err)
		}
		if err := s.Bind(ctx, socket.HostAddr{Host: "127.0.0.1"}); err != nil {
			log.Fatal(err)
		}
		return s
	}
	alice, bob := open(), open()
	defer alice.Close(ctx)
	defer bob.Close(ctx)

	to, err := bob.Getsockname()
	if err != nil {
		log.Fatal(err)
	}
	if _, err := alice.SendTo(ctx, []byte("hello"), 0, to); err != nil {
		log.Fatal(err)
	}
	buf := make([]byte, 1500)
	for _, flags := range []int{syscall.MSG_PEEK, 0} {
		n, _, err := bob.RecvFrom(ctx, buf, flags)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", buf[:n])
	}
	// Output:
	// hello
	// hello
}
