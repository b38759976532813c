//go:build !unix

package relay

import "errors"

// canRead: what is read into must be there before the wait.
const canRead = false

func (p *pump) readFrom(fd int, b []byte) (int, error) { return 0, errors.ErrUnsupported }
