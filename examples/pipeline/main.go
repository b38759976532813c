// Command pipeline runs two commands with a pipe between them, for no longer
// than a second: "yes | cat -n", as a shell would. When it ends, so have they,
// and whatever they had started.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/process"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	lines, err := pipeline(ctx, []string{"yes"}, []string{"cat", "-n"})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		log.Fatal(err)
	}
	fmt.Println("lines:", lines)
}

// pipeline counts the lines that come out of to. A cancel stops both commands.
func pipeline(ctx context.Context, from, to []string) (lines int, err error) {
	r, w, err := os.Pipe() // the commands share it, and no byte passes through us
	if err != nil {
		return 0, err
	}
	defer r.Close()
	defer w.Close()
	return lines, nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		_, err := nursery.Start(ctx, n, process.Supervise(&process.Command{Args: from, Stdout: process.File(w)}))
		if err != nil {
			return err
		}
		last, err := nursery.Start(ctx, n, process.Supervise(&process.Command{
			Args: to, Stdin: process.File(r), Stdout: process.Pipe,
		}))
		if err != nil {
			return err
		}
		r.Close() // or nobody would ever see the end of the pipe
		w.Close()
		out := trigo.NewBufferedReceiver(last.Stdout())
		defer out.Close(ctx)
		for _, err := range out.Lines(ctx, 0) {
			if err != nil {
				return err
			}
			lines++
		}
		return nil
	})
}
