package netstream_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
)

// upper sends back in upper case what it receives, and ends when its peer does.
func upper(ctx context.Context, s *netstream.Stream) error {
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return err
		}
		for i, c := range chunk {
			if 'a' <= c && c <= 'z' {
				chunk[i] = c - 'a' + 'A'
			}
		}
		if err := s.SendAll(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// ask sends a question, ends its half of the stream, and prints the answer.
func ask(ctx context.Context, s *netstream.Stream, question string) error {
	defer s.Close(ctx)
	if err := s.SendAll(ctx, []byte(question)); err != nil {
		return err
	}
	if err := s.SendEOF(ctx); err != nil {
		return err
	}
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return err
		}
		fmt.Printf("%s", chunk)
	}
	fmt.Println()
	return nil
}

// A server in a nursery: Start returns when it listens, and the nursery ends it.
func ExampleServeTCP() {
	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		listeners, err := nursery.Start(ctx, n, func(ctx context.Context, started func([]*netstream.Listener)) error {
			return netstream.ServeTCP(ctx, "127.0.0.1:0", upper, &netstream.ServeTCPOptions{Ready: started})
		})
		if err != nil {
			return err
		}
		s, err := netstream.DialTCP(ctx, listeners[0].Addr().String(), nil)
		if err != nil {
			return err
		}
		defer n.Cancel(nil)
		return ask(ctx, s, "hello")
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: HELLO
}

// The error of a dial tells of every address that was tried.
func ExampleDialTCP() {
	ctx := context.Background()
	listeners, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	address := listeners[0].Addr().String()

	s, err := netstream.DialTCP(ctx, address, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(s.DialReport().Attempts), "attempt, won:", s.DialReport().Attempts[0].Won)
	s.Close(ctx)
	listeners[0].Close(ctx)

	if _, err := netstream.DialTCP(ctx, address, nil); err != nil {
		fmt.Println("now nobody listens")
	}
	_, err = netstream.DialTCP(ctx, "example.com", nil)
	fmt.Println(err)
	// Output:
	// 1 attempt, won: true
	// now nobody listens
	// dial tcp example.com: missing port, want host:port
}

// A restart without a gap: the new server takes the place of the old one while
// that still runs.
func ExampleListenUnix() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "socket")

	first, err := netstream.ListenUnix(ctx, path, &netstream.UnixListenOptions{Mode: 0o600})
	if err != nil {
		log.Fatal(err)
	}
	second, err := netstream.ListenUnix(ctx, path, &netstream.UnixListenOptions{Mode: 0o600})
	if err != nil {
		log.Fatal(err)
	}
	first.Close(ctx)

	_, err = os.Stat(path)
	fmt.Println("still there:", err == nil)
	second.Close(ctx)
	_, err = os.Stat(path)
	fmt.Println("gone with its owner:", os.IsNotExist(err))
	// Output:
	// still there: true
	// gone with its owner: true
}
