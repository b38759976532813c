//go:build !unix

package process

import (
	"context"
	"errors"
	"io"
	"os"

	"trigo/internal/pollio"
)

// Nothing can be started here, so nothing of the rest is ever called.

func start(ctx context.Context, c *Command, m mode) (*Process, *service, error) {
	return nil, nil, errors.ErrUnsupported
}

const peekKeeps = false

func peek(pid int) (s Status, exited bool)               { return Status{}, true }
func reap(pid int)                                       {}
func kill(pid int, sig os.Signal) error                  { return errors.ErrUnsupported }
func hasLiveMember(pgid int) bool                        { return false }
func readNow(fd *pollio.FD, p []byte) (n int, err error) { return 0, io.EOF }
func isHangup(err error) bool                            { return false }

type relative struct{ pid int }

func descendants(pid int) []relative   { return nil }
func (relative) lives() bool           { return false }
func holders(fd *pollio.FD) []relative { return nil }
