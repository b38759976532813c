package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"trigo/examples/internal/program"
	"trigo/netstream"
)

func TestMain(m *testing.M) { program.Main(m, main) }

func TestReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "content")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	program.Run(t, func(ctx context.Context, p *program.Program) {
		address := p.Log("listening on ")
		want := func(content string) {
			t.Helper()
			s, err := netstream.DialTCP(ctx, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close(ctx)
			if got := program.Ask(ctx, t, s, ""); got != content {
				t.Errorf("got %q, want %q", got, content)
			}
		}
		hangUp := func() string {
			t.Helper()
			if err := p.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			return p.Log("reloaded:")
		}
		want("one")
		write("two")
		want("one")
		if result := hangUp(); result != "<nil>" {
			t.Error(result)
		}
		want("two")
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if result := hangUp(); result == "<nil>" {
			t.Error("no error without a file")
		}
		want("two")
	}, "127.0.0.1:0", file)
}
