//go:build !(linux || darwin || freebsd)

package socket

import (
	"errors"
	"syscall"
)

// Where there are no sockets for this package, none can be made or adopted, and
// so nothing else here is ever called on one.

const (
	msgDontWait   = 0x40
	msgTrunc      = 0x20
	msgPeek       = 0x2
	msgNoSignal   = 0
	msgCloexec    = 0
	pollIn        = 1
	pollOut       = 4
	errInProgress = syscall.EINPROGRESS
)

func bareType(typ int) int { return typ }

func sysSocket(family, typ, proto int) (int, error)        { return -1, errors.ErrUnsupported }
func sysPair(family, typ, proto int) (fds [2]int, e error) { return fds, errors.ErrUnsupported }
func sysSniff(sysfd int) (family, typ, proto int, e error) { return 0, 0, 0, errors.ErrUnsupported }
func sysPrepare(sysfd int) error                           { return errors.ErrUnsupported }
func sysDup(sysfd int) (int, error)                        { return -1, errors.ErrUnsupported }
func sysClose(sysfd int) error                             { return errors.ErrUnsupported }
func sysBind(sysfd int, to *sockaddr) error                { return errors.ErrUnsupported }
func sysConnect(sysfd int, to *sockaddr) error             { return errors.ErrUnsupported }
func sysSocketError(sysfd int) error                       { return errors.ErrUnsupported }
func sysListen(sysfd, backlog int) error                   { return errors.ErrUnsupported }
func sysAccept(sysfd int, from *sockaddr) (int, error)     { return -1, errors.ErrUnsupported }
func sysShutdown(sysfd, how int) error                     { return errors.ErrUnsupported }
func sysName(sysfd int, peer bool) (*sockaddr, error)      { return nil, errors.ErrUnsupported }
func sysReady(sysfd int, events int16) (bool, error)       { return false, errors.ErrUnsupported }

func sysGetsockopt(sysfd, level, opt int, p []byte) (int, error) { return 0, errors.ErrUnsupported }
func sysSetsockopt(sysfd, level, opt int, p []byte) error        { return errors.ErrUnsupported }

func sysSendFile(sysfd, from int, offset *int64, n int) (int, error) {
	return 0, errors.ErrUnsupported
}

func (t *transfer) recvFrom() func(sysfd int) error {
	return func(int) error { return errors.ErrUnsupported }
}

func (t *transfer) sendTo() func(sysfd int) error {
	return func(int) error { return errors.ErrUnsupported }
}

type vectors struct{}

func (*vectors) fill(ms []Message, addrs []sockaddr, receiving bool)  {}
func (*vectors) forget()                                              {}
func (*vectors) result(i int, from *sockaddr) (n, control, flags int) { return 0, 0, 0 }
func (*vectors) sent(i int) int                                       { return 0 }
func (*vectors) recv(sysfd, flags int) (int, syscall.Errno)           { return 0, syscall.ENOTSUP }
func (*vectors) send(sysfd, from, flags int) (int, syscall.Errno)     { return 0, syscall.ENOTSUP }

// truncTells: with MSG_TRUNC among the flags, receiving returns the length of the
// whole datagram.
const truncTells = false
