package file

import (
	"context"
	"io"
	"io/fs"
	"os"
)

// Open opens the file as bytes. See [Open].
func (p Path) Open(ctx context.Context, mode string) (*File, error) { return Open(ctx, p, mode) }

// OpenText opens the file as text. See [OpenText].
func (p Path) OpenText(ctx context.Context, mode string, opts *TextOptions) (*TextFile, error) {
	return OpenText(ctx, p, mode, opts)
}

// ReadBytes returns what is in the file. Of a FIFO or a device that is everything
// until its end, and a cancel ends the wait for it at once. A file that grows
// meanwhile may be read as it was.
func (p Path) ReadBytes(ctx context.Context) ([]byte, error) {
	data, err := readBytes(ctx, p)
	if err != nil {
		return nil, opError("read", p, err)
	}
	return data, nil
}

// readRest reads f, which was opened by path, to its end and closes it.
func readRest(ctx context.Context, p Path, f *os.File, info fs.FileInfo) ([]byte, error) {
	file, err := adopt(f, info, p, os.O_RDONLY)
	if err != nil {
		f.Close()
		return nil, err
	}
	defer file.Close(ctx)
	const least = 512
	data := make([]byte, 0, max(least, min(info.Size(), maxGuess)+1))
	for {
		n, err := file.ReceiveSome(ctx, data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, cause(err)
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

// maxGuess is how much memory a file gets because it says that it is as large.
const maxGuess = 1 << 30

// WriteBytes makes the file hold data and nothing else. See [WriteAtomic] for a way
// that nobody can see the middle of: a cancel or a failure leaves the file cut off.
func (p Path) WriteBytes(ctx context.Context, data []byte) error {
	f, err := OpenFile(ctx, p, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return opError("write", p, cause(err))
	}
	err = f.SendAll(ctx, data)
	if closeErr := f.Close(ctx); err == nil {
		err = closeErr
	}
	if err != nil {
		return opError("write", p, cause(err))
	}
	return nil
}

// ReadText returns the text in the file, decoded as opts says. See [OpenText].
func (p Path) ReadText(ctx context.Context, opts *TextOptions) (string, error) {
	f, err := OpenText(ctx, p, "r", opts)
	if err != nil {
		return "", err
	}
	text, err := f.ReadAll(ctx)
	if closeErr := f.Close(ctx); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", err
	}
	return text, nil
}

// WriteText makes the file hold text and nothing else, encoded as opts says. See
// [OpenText], and [WriteAtomic] for a way that nobody can see the middle of.
func (p Path) WriteText(ctx context.Context, text string, opts *TextOptions) error {
	f, err := OpenText(ctx, p, "w", opts)
	if err != nil {
		return err
	}
	err = f.WriteString(ctx, text)
	if closeErr := f.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}
