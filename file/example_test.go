package file_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"trigo"
	"trigo/file"
)

// inTemp calls f with a path in a temporary directory.
func inTemp(f func(ctx context.Context, path file.Path) error) {
	err := file.TempDir(context.Background(), "", "example", func(ctx context.Context, dir file.Path) error {
		return f(ctx, file.Path(filepath.Join(string(dir), "file.txt")))
	})
	if err != nil {
		fmt.Println(err)
	}
}

func ExampleOpen() {
	inTemp(func(ctx context.Context, path file.Path) error {
		f, err := file.Open(ctx, path, "w+")
		if err != nil {
			return err
		}
		defer f.Close(ctx)
		if err := f.SendAll(ctx, []byte("any stream would do")); err != nil {
			return err
		}
		if _, err := f.Seek(ctx, 4, io.SeekStart); err != nil {
			return err
		}
		p := make([]byte, 6)
		n, err := f.ReceiveSome(ctx, p)
		fmt.Printf("%s\n", p[:n])
		return err
	})
	// Output:
	// stream
}

func ExampleOpenText() {
	inTemp(func(ctx context.Context, path file.Path) error {
		if err := os.WriteFile(string(path), []byte("caf\xe9\r\nna\xefve\r\n"), 0o644); err != nil {
			return err
		}
		f, err := file.OpenText(ctx, path, "r", &file.TextOptions{Encoding: "latin-1"})
		if err != nil {
			return err
		}
		defer f.Close(ctx)
		for line, err := range f.Lines(ctx) {
			if err != nil {
				return err
			}
			fmt.Printf("%q\n", line)
		}

		strict, err := file.OpenText(ctx, path, "r", nil) // UTF-8
		if err != nil {
			return err
		}
		defer strict.Close(ctx)
		_, err = strict.ReadAll(ctx)
		var bad *file.DecodeError
		fmt.Println(errors.As(err, &bad), bad)
		return nil
	})
	// Output:
	// "café\n"
	// "naïve\n"
	// true byte offset 3: e9 is not utf-8: invalid continuation byte
}

func ExampleWriteAtomic() {
	inTemp(func(ctx context.Context, path file.Path) error {
		if err := file.WriteAtomic(ctx, path, []byte("answer = 42\n"), nil); err != nil {
			return err
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		err := file.WriteAtomic(cancelled, path, []byte("answer = "), nil)
		fmt.Println(errors.Is(err, context.Canceled))

		content, err := os.ReadFile(string(path))
		fmt.Printf("%s", content)
		return err
	})
	// Output:
	// true
	// answer = 42
}

func ExampleCreateAtomic() {
	inTemp(func(ctx context.Context, path file.Path) error {
		f, err := file.CreateAtomic(ctx, path, nil)
		if err != nil {
			return err
		}
		defer f.Close(ctx) // discards it, unless it was committed
		for i := range 3 {
			if err := f.SendAll(ctx, fmt.Appendln(nil, i)); err != nil {
				return err
			}
		}
		_, err = os.Stat(string(path))
		fmt.Println("before:", errors.Is(err, os.ErrNotExist))
		if err := f.Commit(ctx); err != nil {
			return err
		}
		info, err := os.Stat(string(path))
		fmt.Println("after:", info.Size(), "bytes")
		return err
	})
	// Output:
	// before: true
	// after: 6 bytes
}

func ExampleStdin() {
	// A program that copies its input, in capitals, until it ends or ctx does.
	shout := func(ctx context.Context) error {
		in, err := file.Stdin(ctx)
		if err != nil {
			return err
		}
		defer in.Close(ctx)
		text, err := file.NewTextFile(ctx, in, nil)
		if err != nil {
			return err
		}
		for line, err := range text.Lines(ctx) {
			if err != nil {
				return err
			}
			fmt.Printf("%q\n", line)
		}
		return nil
	}

	// Whoever has stopped waiting is not kept by the terminal.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fmt.Println(errors.Is(shout(ctx), context.Canceled))
	// Output:
	// true
}

func ExampleWrap() {
	ctx := context.Background()
	r, w := io.Pipe()
	out, err := file.Wrap(w)
	if err != nil {
		fmt.Println(err)
		return
	}
	var s trigo.SendStream = out
	done := make(chan error, 1)
	go func() { done <- errors.Join(s.SendAll(ctx, []byte("hello")), s.Close(ctx)) }()
	b, err := io.ReadAll(r)
	fmt.Printf("%s %v %v\n", b, err, <-done)
	_, err = out.Seek(ctx, 0, io.SeekStart)
	fmt.Println(errors.Is(err, trigo.ErrClosed))
	// Output:
	// hello <nil> <nil>
	// true
}

func ExampleRooted() {
	inTemp(func(ctx context.Context, path file.Path) error {
		root, err := file.OpenRooted(ctx, file.Path(filepath.Dir(string(path))))
		if err != nil {
			return err
		}
		defer root.Close(ctx)
		if err := root.WriteBytes(ctx, "upload", []byte("x"), 0o644); err != nil {
			return err
		}
		_, err = root.Open(ctx, "../../etc/passwd", "r")
		fmt.Println(err != nil)
		return nil
	})
	// Output:
	// true
}
