package main

import (
	"context"
	"strings"
	"testing"

	"trigo/examples/internal/program"
	"trigo/netstream"
)

func TestMain(m *testing.M) { program.Main(m, main) }

func TestDictionary(t *testing.T) {
	program.Run(t, func(ctx context.Context, p *program.Program) {
		address := p.Log("listening on ")
		for _, c := range []struct{ name, say, want string }{
			{"set", "SET colour red and green\r\nGET colour\nQUIT\n", "OK\nred and green\n"},
			{"another client", "GET colour\n", "red and green\n"},
			{"an unfinished last line", "GET colour", "red and green\n"},
			{"unknown", "PUT it there\n", "ERROR unknown command\n"},
			{"too long", strings.Repeat("x", longest+1), "ERROR line too long\n"},
		} {
			t.Run(c.name, func(t *testing.T) {
				s, err := netstream.DialTCP(ctx, address, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close(ctx)
				if got := program.Ask(ctx, t, s, c.say); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		}
	}, "127.0.0.1:0")
}
