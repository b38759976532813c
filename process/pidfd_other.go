//go:build !linux

package process

import (
	"context"
	"errors"
	"os"
)

// A pidfd: there are none.
type pidfd struct{}

func (*pidfd) wait(ctx context.Context) error  { return errors.ErrUnsupported }
func (*pidfd) signalGroup(sig os.Signal) error { return errors.ErrUnsupported }
func (*pidfd) close()                          {}
func groupFlagWorks() bool                     { return false }
