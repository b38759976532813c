//go:build unix

package signals

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
)

// children are the programs that tests start.
var children = map[string]func(){
	"unread": func() { // closes without having received
		r := open(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		fmt.Println("ready")
		if await() == "close when one has come" {
			arrival(r)
		}
		r.Close(background)
		fmt.Println("closed")
	},
	"unread, ignored": func() {
		signal.Ignore(syscall.SIGTERM)
		r := open(syscall.SIGTERM)
		fmt.Println("ready")
		arrival(r)
		r.Close(background)
		fmt.Println("closed, ignored:", signal.Ignored(syscall.SIGTERM))
		await()
	},
	"unread, inherited": func() {
		r := open(syscall.SIGINT)
		fmt.Println("ready")
		arrival(r)
		r.Close(background)
		fmt.Println("closed, ignored:", signal.Ignored(syscall.SIGINT))
		await()
	},
	"read": func() {
		r := open(syscall.SIGTERM)
		fmt.Println("ready")
		sig, _ := r.Receive(background)
		fmt.Println(sig)
		r.Close(background)
		fmt.Println("closed")
		await()
	},
	"shutdown": func() {
		err := Shutdown(background, func(ctx context.Context) error {
			fmt.Println("ready")
			<-ctx.Done()
			fmt.Println(context.Cause(ctx))
			await()
			return context.Cause(ctx)
		})
		fmt.Println(errors.As(err, new(Stopped)), err)
	},
	"mixed":    mixed,
	"disposed": disposed,
}

func open(sigs ...os.Signal) *Receiver {
	r, err := Open(sigs...)
	if err != nil {
		panic(err)
	}
	return r
}

var input = bufio.NewScanner(os.Stdin)

// await waits until the test says something.
func await() string {
	input.Scan()
	return input.Text()
}

// arrival waits until a signal has come. That the test has sent it does not say
// so: the kernel may take its time.
func arrival(r *Receiver) {
	for len(r.hints) == 0 {
		runtime.Gosched()
	}
}

func TestWhatNobodyReceivedIsRaisedAgain(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(sig) { // by nohup, say; the child inherits that
			t.Logf("%v: left out, because the tests were started with it ignored", sig)
			continue
		}
		c := start(t, "unread", "")
		c.says("ready")
		c.send(sig)
		c.tell("close when one has come")
		c.ends(sig) // before it says that it has closed
	}
	c := start(t, "unread", "")
	c.says("ready")
	c.tell("close")
	c.says("closed")
	c.ends(0)
}

func TestWhatWasReceivedIsNotRaisedAgain(t *testing.T) {
	c := start(t, "read", "")
	c.says("ready")
	c.send(syscall.SIGTERM)
	c.says("terminated")
	c.says("closed")
	c.send(syscall.SIGTERM) // the old disposition
	c.ends(syscall.SIGTERM)
}

func TestWhatWasIgnoredIsIgnoredAgain(t *testing.T) {
	c := start(t, "unread, ignored", "")
	c.says("ready")
	c.send(syscall.SIGTERM)
	c.says("closed, ignored: true")
	c.send(syscall.SIGTERM)
	c.tell("end")
	c.ends(0)
}

func TestWhatWasIgnoredFromTheStartIsIgnoredAgain(t *testing.T) {
	c := start(t, "unread, inherited", "trap '' INT")
	c.says("ready")
	c.send(syscall.SIGINT)
	c.says("closed, ignored: true")
	c.send(syscall.SIGINT)
	c.tell("end")
	c.ends(0)
}

func TestShutdownCancelsAtTheFirstSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		c := start(t, "shutdown", "")
		c.says("ready")
		c.send(sig)
		c.says("stopped by signal: " + sig.String())
		c.tell("end")
		c.says("true stopped by signal: " + sig.String())
		c.ends(0)
	}
}

func TestShutdownEndsTheProcessAtTheSecondSignal(t *testing.T) {
	c := start(t, "shutdown", "")
	c.says("ready")
	c.send(syscall.SIGTERM)
	c.says("stopped by signal: terminated")
	c.send(syscall.SIGINT)
	c.ends(syscall.SIGINT)
}

func TestShutdownEndsTheProcessWhenBothComeAtOnce(t *testing.T) {
	for range 10 {
		c := start(t, "shutdown", "")
		c.says("ready")
		c.send(syscall.SIGINT)
		c.send(syscall.SIGTERM)
		c.out.Scan() // it may have got as far as to say the cause
		status := func() syscall.WaitStatus {
			for c.out.Scan() {
			}
			c.cmd.Wait()
			return c.cmd.ProcessState.Sys().(syscall.WaitStatus)
		}()
		if !status.Signaled() {
			t.Fatalf("it ended with %v", c.cmd.ProcessState)
		}
	}
}

func TestShutdownLeavesAnIgnoredInterruptIgnored(t *testing.T) {
	c := start(t, "shutdown", "trap '' INT")
	c.says("ready")
	c.send(syscall.SIGINT)
	c.send(syscall.SIGTERM)
	c.says("stopped by signal: terminated")
	c.tell("end")
	c.says("true stopped by signal: terminated")
	c.ends(0)
}

func TestShutdownReturnsWhatMainReturns(t *testing.T) {
	for _, result := range []error{nil, errReason, context.Canceled} {
		if err := Shutdown(background, func(context.Context) error { return result }); err != result {
			t.Errorf("returned %v, want %v", err, result)
		}
	}
	ctx, cancel := context.WithCancelCause(background)
	cancel(errReason)
	err := Shutdown(ctx, func(ctx context.Context) error { return context.Cause(ctx) })
	want(t, "a dead ctx", err, errReason)
	if len(table.watched) > 0 {
		t.Errorf("still watched: %v", table.watched)
	}
}
