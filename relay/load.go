package relay

import (
	"context"
	"io"
	"sync"
)

// load is what a direction has received and not yet sent. It is in a buffer, or
// in a pipe in the kernel, or still in the file. While a direction waits for its
// source it holds neither buffer nor pipe, if the source is a descriptor.
type load struct {
	lent  *[]byte // nil, or a buffer of run.buffers, which is buf
	buf   []byte
	b     []byte // the part of buf that is to be sent
	pipe  *pipe  // nil, or one that holds piped bytes
	piped int

	bulk     bool // much came last time, or a direction is told not to copy
	noSocket bool // the source is none
	fileEnd  bool // the file gave nothing: it must say itself if that was its end
	inKernel int64

	gave   int                   // by the send under way that is unseen
	file   int                   // the descriptor that it sends from
	readOp func(sysfd int) error // method values, made once
	giveOp func(sysfd int) error
}

// fewBytes is what it is better to copy. A direction that gets less than that at
// once is not in bulk.
const fewBytes = 16 << 10

// buffers keeps those of the default size. They hold nothing but bytes.
var buffers = newBuffers(defaultBufferSize)

func newBuffers(size int) *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, size)
		return &b
	}}
}

func (p *pump) takeBuffer() {
	if p.lent == nil {
		p.lent = p.buffers.Get().(*[]byte)
		p.buf = *p.lent
	}
}

func (p *pump) dropBuffer() {
	if p.lent != nil {
		p.buffers.Put(p.lent)
		p.lent, p.buf, p.b = nil, nil, nil
	}
}

// drop gives back what the load is in.
func (p *pump) drop() {
	p.dropBuffer()
	p.dropPipe()
}

// mayRead reports whether a receive can be a system call of ours, which has a buffer
// only when there is something to put into it. Such a direction may wait for hours, and
// its goroutine has just the 2 KiB of stack for it that it began with, if nothing
// calls too deep: each function between counts.
func (p *pump) mayRead() bool { return canRead && p.in != nil && p.path != PathSendfile }

// receive receives some bytes, for send. What it received before has been sent.
func (p *pump) receive(ctx context.Context) error {
	if p.path == PathSendfile && !p.fileEnd {
		return nil // what there is to send is in the file
	}
	p.fileEnd = false
	if p.in != nil && canRead {
		return p.in.ReceiveBy(ctx, p.readOp)
	}
	p.takeBuffer()
	n, err := p.src.ReceiveSome(ctx, p.buf)
	p.b = p.buf[:n]
	return err
}

// read is the system call of a receive. It has the buffer, or the pipe, only
// while there is something to put into it.
func (p *pump) read(fd int) error {
	if p.path == PathSplice && p.bulk {
		p.dropBuffer()
		if err := p.spliceIn(fd); err != errCannot {
			return err
		}
	}
	p.dropPipe()
	p.takeBuffer()
	size := len(p.buf)
	if !p.bulk {
		size = min(size, fewBytes) // a cheaper call
	}
	n, err := p.readFrom(fd, p.buf[:size])
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		p.dropBuffer()
		return err
	}
	p.b = p.buf[:n]
	p.bulk = n >= min(size, fewBytes)
	return nil
}
