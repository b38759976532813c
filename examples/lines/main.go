// Command lines is a server with a line protocol: a small shared dictionary.
//
//	SET name value    GET name    QUIT
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/signals"
)

const longest, patient = 1 << 10, 5 * time.Minute // a line in bytes, and a wait for one

// dictionary is what the clients share.
type dictionary struct {
	mu    sync.Mutex
	words map[string]string
}

func main() {
	d := &dictionary{words: map[string]string{}}
	err := signals.Shutdown(context.Background(), func(ctx context.Context) error {
		return netstream.ServeTCP(ctx, os.Args[1], d.serve, &netstream.ServeTCPOptions{
			Ready: func(ls []*netstream.Listener) { log.Println("listening on", ls[0].Addr()) },
			Serve: trigo.ServeOptions{HandlerError: func(err error) error { log.Println(err); return nil }},
		})
	})
	log.Println(err)
}

// serve answers one client, line by line.
func (d *dictionary) serve(ctx context.Context, client *netstream.Stream) error {
	requests := trigo.NewBufferedReceiver(client)
	for {
		var line []byte
		err := nursery.FailAfter(ctx, patient, func(ctx context.Context) (err error) {
			line, err = requests.ReceiveLine(ctx, longest)
			return err
		})
		switch {
		case errors.Is(err, trigo.ErrTooLong):
			return errors.Join(err, client.SendAll(ctx, []byte("ERROR line too long\n")))
		case err == io.EOF, bytes.Equal(line, []byte("QUIT")):
			return trigo.LingeringClose(ctx, client)
		case err != nil:
			return err
		}
		if err := client.SendAll(ctx, d.answer(line)); err != nil {
			return err
		}
	}
}

func (d *dictionary) answer(line []byte) []byte {
	verb, rest, _ := bytes.Cut(line, []byte(" "))
	name, value, _ := bytes.Cut(rest, []byte(" "))
	d.mu.Lock()
	defer d.mu.Unlock()
	switch string(verb) {
	case "SET":
		d.words[string(name)] = string(value)
		return []byte("OK\n")
	case "GET":
		return fmt.Appendln(nil, d.words[string(name)])
	}
	return []byte("ERROR unknown command\n")
}
