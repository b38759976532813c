package process

import (
	"bytes"
	"context"

	"trigo/nursery"
)

// maxLine is the longest line that is given out in one piece.
const maxLine = 1 << 20

// A lineSplitter cuts what it is given into lines.
type lineSplitter struct {
	each func(ctx context.Context, line []byte) error
	part []byte // of a line, without its end
	deaf bool   // each has been stopped by the end of its ctx
}

func (l *lineSplitter) add(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		line, rest, complete := bytes.Cut(p, []byte("\n"))
		if room := maxLine - len(l.part); len(line) > room {
			line, rest, complete = p[:room], p[room:], true
		}
		p = rest
		if len(l.part) > 0 || !complete {
			l.part = append(l.part, line...)
			line = l.part
		}
		if !complete {
			return nil
		}
		l.part = l.part[:0]
		if err := l.give(ctx, line); err != nil {
			return err
		}
	}
	return nil
}

func (l *lineSplitter) finish(ctx context.Context) error {
	if len(l.part) == 0 {
		return nil
	}
	return l.give(ctx, l.part)
}

// give calls each. That each gives up because its ctx has ended is no error.
func (l *lineSplitter) give(ctx context.Context, line []byte) error {
	if l.deaf {
		return nil
	}
	err := l.each(ctx, line)
	if nursery.IsCancellation(ctx, err) {
		l.deaf, err = true, nil
	}
	return err
}
