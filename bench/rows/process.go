package rows

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"

	"trigo"
	"trigo/nursery"
	"trigo/process"
)

func processRows() []Row {
	rows := []Row{{Name: "spawn /bin/true and wait", Setup: spawns}}
	for _, size := range []int{1 << 10, 1 << 20, 64 << 20} {
		rows = append(rows, Row{
			Name:  fmt.Sprintf("%d KiB through cat", size>>10),
			Setup: func(s *Scope) []Contestant { return throughCat(s, s.Pick(min(size, 4<<20), size)) },
		})
	}
	rows = append(rows, Row{Name: "a signal, sent to us and received", Setup: ownSignals})
	return rows
}

func spawns(s *Scope) []Contestant {
	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			MustGet(process.Run(s.Ctx, &process.Command{Args: []string{"/bin/true"}}))
		}
	}}, {Name: "os/exec", Fewer: true, Limit: 1.03, Work: func(n int) {
		for range n {
			Must(exec.CommandContext(s.Ctx, "/bin/true").Run())
		}
	}}}
}

// throughCat feeds a child and reads what comes out, both at once.
func throughCat(s *Scope, size int) []Contestant {
	data := bytes.Repeat([]byte{'x'}, size)
	return []Contestant{{Name: "trigo", Work: func(count int) {
		for range count {
			Must(nursery.Run(s.Ctx, func(ctx context.Context, n *nursery.Nursery) error {
				p, err := nursery.Start(ctx, n, process.Supervise(&process.Command{
					Args: []string{"cat"}, Stdin: process.Pipe, Stdout: process.Pipe,
				}))
				if err != nil {
					return err
				}
				n.Go(func(ctx context.Context) error {
					if err := p.Stdin().SendAll(ctx, data); err != nil {
						return err
					}
					return p.Stdin().Close(ctx)
				})
				return discardAll(ctx, p.Stdout(), size)
			}))
		}
	}}, {Name: "os/exec with io.Copy", Fewer: true, Limit: 1 / 0.97, Work: func(count int) {
		for range count {
			cmd := exec.CommandContext(s.Ctx, "cat")
			cmd.Stdin = bytes.NewReader(data)
			out := MustGet(cmd.StdoutPipe())
			Must(cmd.Start())
			got := MustGet(io.Copy(io.Discard, out))
			Must(cmd.Wait())
			if got != int64(size) {
				Must(fmt.Errorf("%d of %d bytes", got, size))
			}
		}
	}}}
}

func discardAll(ctx context.Context, r trigo.ReceiveStream, size int) error {
	got := 0
	for chunk, err := range trigo.Chunks(ctx, r) {
		if err != nil {
			return err
		}
		got += len(chunk)
	}
	if got != size {
		return fmt.Errorf("%d of %d bytes", got, size)
	}
	return nil
}
