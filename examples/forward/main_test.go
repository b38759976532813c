package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"trigo/netstream"
)

// TestMain lets the test binary stand in for the program.
func TestMain(m *testing.M) {
	if os.Getenv("FORWARD_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestForward(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	go func() { // answers once it has everything
		c, err := target.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		request, _ := io.ReadAll(c)
		c.Write([]byte(strings.ToUpper(string(request))))
	}()

	program := exec.CommandContext(ctx, os.Args[0], "127.0.0.1:0", target.Addr().String())
	program.Env = append(os.Environ(), "FORWARD_MAIN=1")
	log, err := program.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	defer program.Wait()
	defer program.Process.Kill()
	line, err := bufio.NewReader(log).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(line, "listening on tcp ")

	s, err := netstream.DialTCP(ctx, strings.TrimSpace(address), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	if err := s.SendAll(ctx, []byte("half-close")); err != nil {
		t.Fatal(err)
	}
	if err := s.SendEOF(ctx); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 100)
	n, err := s.ReceiveSome(ctx, answer)
	if err != nil || string(answer[:n]) != "HALF-CLOSE" {
		t.Fatalf("got %q, %v", answer[:n], err)
	}
}
