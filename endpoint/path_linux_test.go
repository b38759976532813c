package endpoint

import (
	"context"
	"os"
	"syscall"
	"testing"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/nursery"
	"trigo/relay"
)

// wantSplice checks that the kernel can move what goes from a to b and back.
func wantSplice(t *testing.T, a, b trigo.Stream) {
	t.Helper()
	for _, pair := range [][2]trigo.Stream{{a, b}, {b, a}} {
		if path, why := relay.PathFor(pair[0], pair[1], relay.CopySplice); path != relay.PathSplice {
			t.Errorf("from %v to %v: %v, %s", pair[0], pair[1], path, why)
		}
	}
}

func TestWhatLeavesTheBytesAloneLeavesThemToTheKernel(t *testing.T) {
	echo := serve(t, "tcp-listen:127.0.0.1:0", nil, echoing)
	splice := &relay.Options{Copy: relay.CopySplice}

	front := serve(t, "proxy-accept,from=127.0.0.1+tcp-listen:127.0.0.1:0", nil, func(ctx context.Context, s trigo.Stream) error {
		b, err := parsed(t, "tcp:127.0.0.1:%s", echo.port).Dial(ctx, nil)
		if err != nil {
			return err
		}
		wantSplice(t, s, b)
		_, err = relay.Run(ctx, s, b, splice)
		return err
	})
	client := serve(t, "tcp-listen:127.0.0.1:0", nil, func(ctx context.Context, s trigo.Stream) error {
		b, err := parsed(t, "proxy-send+tcp:127.0.0.1:%s", front.port).Dial(WithClient(ctx, s), nil)
		if err != nil {
			return err
		}
		wantSplice(t, s, b)
		_, err = relay.Run(ctx, s, b, splice)
		return err
	})
	roundTrip(t, dial(t, nil, "tcp:127.0.0.1:%s", client.port), longText)
}

func TestAChildOnPipesIsLeftToTheKernel(t *testing.T) {
	echo := serve(t, "tcp-listen:127.0.0.1:0", nil, echoing)
	cat := &Options{Argv: []string{"cat"}}
	wantSplice(t, dial(t, cat, "exec"), dial(t, nil, "tcp:127.0.0.1:%s", echo.port))
	terminal, tcp := dial(t, cat, "exec,pty"), dial(t, nil, "tcp:127.0.0.1:%s", echo.port)
	if path, why := relay.PathFor(terminal, tcp, relay.CopySplice); path != relay.PathCopy || why == "" {
		t.Errorf("from a terminal: %v, %q", path, why)
	}
	front := serve(t, "tcp-listen:127.0.0.1:0", nil, func(ctx context.Context, s trigo.Stream) error {
		child, err := parsed(t, "exec").Dial(ctx, cat)
		if err != nil {
			return err
		}
		report, err := relay.Run(ctx, s, child, &relay.Options{Copy: relay.CopySplice})
		if r := report; r.AToB.InKernel != r.AToB.Bytes || r.BToA.InKernel != r.BToA.Bytes || r.BToA.Bytes != int64(len(longText)) {
			t.Errorf("of %d and %d bytes %d and %d were moved by the kernel", r.AToB.Bytes, r.BToA.Bytes, r.AToB.InKernel, r.BToA.InKernel)
		}
		return err
	})
	roundTrip(t, dial(t, nil, "tcp:127.0.0.1:%s", front.port), longText)
}

func TestStandardInputAndOutputAreLeftToTheKernel(t *testing.T) {
	ctx := limited(t)
	var fds [4]int // our end, its input; its output, our end
	for i := 0; i < len(fds); i += 2 {
		if err := syscall.Pipe2(fds[i:i+2], syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
	in, err := fdstream.OpenInput(fds[0], "in")
	if err != nil {
		t.Fatal(err)
	}
	out, err := fdstream.OpenOutput(fds[3], "out")
	if err != nil {
		t.Fatal(err)
	}
	s := newStdio(out, in, false)
	echo := serve(t, "tcp-listen:127.0.0.1:0", nil, echoing)
	b := dial(t, nil, "tcp:127.0.0.1:%s", echo.port)
	wantSplice(t, s, b)

	var got []byte
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(context.Context) error {
			f := os.NewFile(uintptr(fds[1]), "feed")
			defer f.Close()
			_, err := f.WriteString(longText)
			return err
		})
		n.Go(func(context.Context) error {
			f := os.NewFile(uintptr(fds[2]), "drain")
			defer f.Close()
			p := make([]byte, 64<<10)
			for {
				n, err := f.Read(p)
				got = append(got, p[:n]...)
				if err != nil {
					return nil
				}
			}
		})
		_, err := relay.Run(ctx, s, b, &relay.Options{Copy: relay.CopySplice})
		return err
	})
	if string(got) != longText || err != nil {
		t.Errorf("%d bytes of %d came through, %v", len(got), len(longText), err)
	}
	for _, fd := range []int{fds[0], fds[3]} {
		syscall.Close(fd) // what stands in their place
	}
}
