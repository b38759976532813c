package trigo

import "context"

// LingeringClose ends s so that the peer gets every byte sent: it sends the end
// of file, receives and throws away what the peer still sends, and closes s
// when the peer has ended its side too. It returns nil only if it saw that end;
// s is closed in any case.
//
// Use it when the peer may still be sending, as after a reply that refuses the
// rest of a request. A plain Close with input unread makes the kernel answer
// with RST, and a peer that gets RST throws away what it has received but not
// yet read: the reply is lost. A Close that comes before the input has arrived
// does the same harm.
//
// How long it waits, and how much it discards, is limited by ctx alone, so give
// it a deadline. When ctx ends, s is closed forcefully and the error Is
// ctx.Err(). It counts as a sender and as a receiver: with [ErrBusy], if
// another call sends or receives, s is closed all the same.
func LingeringClose(ctx context.Context, s HalfCloseableStream) error {
	if err := sendAndReceiveEOF(ctx, s); err != nil {
		return andClose(err, s)
	}
	return s.Close(ctx)
}

func sendAndReceiveEOF(ctx context.Context, s HalfCloseableStream) error {
	if err := s.SendEOF(ctx); err != nil {
		return err
	}
	for _, err := range Chunks(ctx, s) {
		if err != nil {
			return err
		}
	}
	return nil
}
