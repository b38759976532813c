//go:build unix

package process_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/process"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
)

// A process used like a function: bytes in, bytes out.
func ExampleRun() {
	done, err := process.Run(context.Background(), &process.Command{
		Args:   []string{"sort"},
		Stdin:  process.Bytes("pear\napple\n"),
		Stdout: process.Capture,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", done.Stdout)
	// Output:
	// apple
	// pear
}

// A failure is an error, which has all that the child said.
func ExampleExitError() {
	_, err := process.Run(context.Background(), &process.Command{
		Shell:  "echo no such wine >&2; exit 4",
		Stderr: process.Capture,
	})
	fmt.Println(err)
	var exit *process.ExitError
	if errors.As(err, &exit) {
		fmt.Printf("%d %q\n", exit.Status.Code, exit.Stderr)
	}
	// Output:
	// run process sh: exited with status 4: no such wine
	// 4 "no such wine\n"
}

// When the time is up the child is ended, with all that it has started, and
// what it wrote until then is there.
func ExampleRun_timeout() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	done, err := process.Run(ctx, &process.Command{
		Shell:  "echo begun; sleep 1000 | cat",
		Stdout: process.Capture,
	})
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	fmt.Printf("%s", done.Stdout)
	// Output:
	// true
	// begun
}

// Lines as they come, and all of them at the end.
func ExampleLines() {
	done, err := process.Run(context.Background(), &process.Command{
		Shell: "echo one; echo two",
		Stdout: process.Lines{Each: func(_ context.Context, line []byte) error {
			fmt.Printf("live: %s\n", line)
			return nil
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", done.Stdout)
	// Output:
	// live: one
	// live: two
	// "one\ntwo\n"
}

// A child to talk to, which is gone when the nursery is.
func ExampleSupervise() {
	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		p, err := nursery.Start(ctx, n, process.Supervise(&process.Command{
			Args:   []string{"cat"},
			Stdin:  process.Pipe,
			Stdout: process.Pipe,
		}))
		if err != nil {
			return err
		}
		stream := p.Stdio() // good for tlsstream.Client, or relay.Run, too
		defer stream.Close(ctx)
		if err := stream.SendAll(ctx, []byte("echo\n")); err != nil {
			return err
		}
		if err := stream.SendEOF(ctx); err != nil {
			return err
		}
		for chunk, err := range trigo.Chunks(ctx, stream) {
			if err != nil {
				return err
			}
			os.Stdout.Write(chunk)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: echo
}

// TLS with a server that is a child, over its standard input and output. Here
// the child is this program itself; it names its key on standard error.
func ExampleProcess_Stdio() {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	err = nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		p, err := nursery.Start(ctx, n, process.Supervise(&process.Command{
			Args:   []string{self},
			Env:    append(os.Environ(), "TRIGO_PROCESS_TEST_CHILD=tls"),
			Stdin:  process.Pipe,
			Stdout: process.Pipe,
			Stderr: process.Pipe,
		}))
		if err != nil {
			return err
		}
		said := trigo.NewBufferedReceiver(p.Stderr())
		defer said.Close(ctx)
		key, err := said.ReceiveLine(ctx, 1000)
		if err != nil {
			return err
		}
		stream := tlsstream.Client(p.Stdio(), &tls.Config{
			InsecureSkipVerify: true, // VerifyConnection does it
			VerifyConnection:   devcert.VerifyPin(string(key)),
		}, nil)
		defer stream.Close(ctx)
		if err := stream.SendAll(ctx, []byte("a secret\n")); err != nil {
			return err
		}
		if err := stream.SendEOF(ctx); err != nil {
			return err
		}
		for chunk, err := range trigo.Chunks(ctx, stream) {
			if err != nil {
				return err
			}
			os.Stdout.Write(chunk)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: a secret
}
