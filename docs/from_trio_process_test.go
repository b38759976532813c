//go:build unix

package docs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/process"
	"trigo/signals"
)

func Example_runProcess() {
	ctx := context.Background()
	var done *process.Completed
	done, err := process.Run(ctx, &process.Command{
		Args:   []string{"sort"},
		Stdin:  process.Bytes("pear\napple\n"),
		Stdout: process.Capture, // capture_stdout=True
		Stderr: process.Capture, // capture_stderr=True
	})
	fmt.Printf("%q %q %v\n", done.Stdout, done.Stderr, err)
	fmt.Println(done.Args, done.Status.Code)

	_, err = process.Run(ctx, &process.Command{
		Shell:  "echo to one; echo to two >&2; exit 3", // shell=True
		Stdout: process.Capture,
		Stderr: process.ToStdout, // stderr=subprocess.STDOUT
	})
	var exit *process.ExitError // CalledProcessError
	if errors.As(err, &exit) {
		fmt.Printf("%d %q\n", exit.Status.Code, exit.Stdout)
	}

	done, err = process.Run(ctx, &process.Command{
		Args:    []string{"false"},
		Stdin:   process.Inherit, // stdin=None
		Stderr:  process.Null,    // stderr=subprocess.DEVNULL
		NoCheck: true,            // check=False
	})
	fmt.Println(done.Status, done.Status.Success(), err)

	_, err = process.Run(ctx, &process.Command{Args: []string{"true"}, Shell: "true"}) // one too many
	fmt.Println(errors.Is(err, os.ErrInvalid))
	_, err = process.Run(ctx, &process.Command{Args: []string{"no such program"}})
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// "apple\npear\n" "" <nil>
	// [sort] 0
	// 3 "to one\nto two\n"
	// exited with status 1 false <nil>
	// true
	// true
}

func Example_cancelProcess() {
	ctx, cancel := context.WithCancel(context.Background())
	done, err := process.Run(ctx, &process.Command{
		Shell: "echo begun; sleep 1000",
		Stdout: process.Lines{Each: func(context.Context, []byte) error {
			cancel()
			return nil
		}},
		DeliverCancel: func(ctx context.Context, p *process.Process) error { // deliver_cancel
			if err := p.SignalGroup(syscall.SIGTERM); err != nil {
				return err
			}
			select {
			case <-time.After(5 * time.Second):
				return p.Kill()
			case <-ctx.Done(): // it has ended
				return nil
			}
		},
	})
	fmt.Println(errors.Is(err, context.Canceled), done.Status)
	fmt.Printf("%q\n", done.Stdout) // is kept

	_, err = process.Run(cancelled(), &process.Command{
		Args:  []string{"sleep", "1000"},
		Grace: time.Second, // between SIGTERM and SIGKILL; 0: 5 s
	})
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// true exited with signal 15 (terminated)
	// "begun\n"
	// true
}

func Example_superviseProcess() {
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		p, err := nursery.Start(ctx, n, process.Supervise(&process.Command{ // nursery.start(run_process, ...)
			Args:   []string{"sh", "-c", "cat; cat >&2 /dev/null"},
			Stdin:  process.Pipe,
			Stdout: process.Pipe,
			Stderr: process.Pipe,
		}))
		if err != nil {
			return err
		}
		fmt.Println(p.Args()[0], p.Pid() > 0)
		_, exited := p.Poll()
		fmt.Println(exited)
		var s *trigo.StapledStream = p.Stdio() // of p.Stdin() and p.Stdout()
		fmt.Println(s.Send == p.Stdin(), s.Receive == p.Stdout())
		check(s.SendAll(ctx, []byte("hello")))
		fmt.Println(receive(ctx, s))
		check(s.SendEOF(ctx))
		_, err = p.Stderr().ReceiveSome(ctx, make([]byte, 1))
		fmt.Println(err)
		status, err := p.Wait(ctx)
		fmt.Println(status, err)
		code, exited := p.ExitCode() // returncode
		fmt.Println(code, exited)
		return errors.Join(s.Close(ctx), p.Stderr().Close(ctx))
	})
	// Output:
	// sh true
	// false
	// true true
	// hello
	// EOF
	// exited with status 0 <nil>
	// 0 true
}

func Example_openProcess() {
	ctx := context.Background()
	p, err := process.Open(ctx, &process.Command{Args: []string{"sleep", "1000"}}) // lowlevel.open_process
	check(err)
	check(p.Signal(syscall.SIGCONT)) // send_signal
	check(p.Terminate())
	status, err := p.Wait(ctx)
	fmt.Println(status.Signal, err)
	check(p.Kill()) // does nothing: it has ended
	// Output: terminated <nil>
}

func Example_processOptions() {
	ctx := context.Background()
	umask := fs.FileMode(0o077)
	r, w, err := os.Pipe()
	check(err)
	done, err := process.Run(ctx, &process.Command{
		Shell:      `echo "$0 $TEA in $(pwd)"; echo three >&3; umask`,
		Path:       "/bin/sh",              // executable
		Env:        []string{"TEA=oolong"}, // env
		Dir:        "/",                    // cwd
		ExtraFiles: []*os.File{w},          // pass_fds, from 3 on
		Stdout:     process.Capture,
		Stderr:     process.File(os.Stderr), // a file descriptor
		Session:    true,                    // start_new_session
		Umask:      &umask,                  // umask
		WaitDelay:  time.Second,
	})
	fmt.Printf("%q %v\n", done.Stdout, err)
	check(w.Close())
	line := make([]byte, 100)
	n, err := r.Read(line)
	fmt.Printf("%q %v\n", line[:n], err)
	check(r.Close())

	_, err = process.Run(ctx, &process.Command{
		Args:       []string{"true"},
		Group:      process.ParentGroup,                                                     // process_group: stay in ours, for Ctrl-C
		Credential: &process.Credential{UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}, // user, group, extra_groups
	})
	fmt.Println(err == nil || errors.Is(err, fs.ErrPermission))

	// Untrusted text goes in as an argument, and is never quoted.
	done, err = process.Run(ctx, &process.Command{
		Args:   []string{"sh", "-c", `printf %s "$1" | tr a-z A-Z`, "sh", "foo; rm -rf /"},
		Stdout: process.Capture,
	})
	fmt.Printf("%s %v\n", done.Stdout, err)
	// Output:
	// "/bin/sh oolong in /\n0077\n" <nil>
	// "three\n" <nil>
	// true
	// FOO; RM -RF / <nil>
}

func Example_terminal() {
	done, err := process.Run(context.Background(), &process.Command{
		Shell:  "test -t 0 && stty size",
		PTY:    true,
		Size:   process.Size{Rows: 24, Cols: 80},
		Stdout: process.Capture,
	})
	fmt.Printf("%q %v\n", done.Stdout, err)
	// Output: "24 80\r\n" <nil>
}

func Example_signals() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var r *signals.Receiver
	r, err := signals.Open(syscall.SIGHUP)
	check(err)
	check(syscall.Kill(syscall.Getpid(), syscall.SIGHUP)) // somebody sends it
	for sig, err := range r.All(ctx) {
		check(err)
		fmt.Println(sig, "reload")
		break
	}
	_, err = r.Receive(cancelled())
	fmt.Println(errors.Is(err, context.Canceled))
	check(r.Close(ctx)) // what is still pending is raised again

	_, err = signals.Open() // TypeError
	fmt.Println(err != nil)
	// Output:
	// hangup reload
	// true
	// true
}
