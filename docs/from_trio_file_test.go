package docs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"trigo"
	"trigo/file"
)

func Example_pathNames() {
	p := file.Path("/srv/data//archive.tar.gz")
	fmt.Println(p.AsPosix(), p.IsAbsolute(), p.IsReserved())
	uri, err := p.AsURI()
	fmt.Println(uri, err)
	fmt.Println(file.Path("/srv").Join("data", "x"), file.Path("/srv").Join("/etc"))
	matches, err := p.Match("*.gz")
	fmt.Println(matches, err)
	rel, err := p.RelativeTo("/srv")
	fmt.Println(rel, err)
	_, err = p.RelativeTo("/etc")
	fmt.Println(errors.Is(err, fs.ErrInvalid)) // ValueError
	renamed, err := p.WithName("b.txt")
	fmt.Println(renamed, err)
	renamed, err = p.WithSuffix(".xz")
	fmt.Println(renamed, err)

	fmt.Println(p.Parts())
	fmt.Println(p.Name(), p.Stem(), p.Suffix(), p.Suffixes())
	fmt.Println(p.Parent(), p.Parents())
	fmt.Printf("%q %q %q\n", p.Drive(), p.Root(), p.Anchor())
	fmt.Println(p.Equal("/srv/data/./archive.tar.gz"), p.IsRelativeTo("/srv"))
	renamed, err = p.WithStem("b")
	fmt.Println(renamed, err)
	// Output:
	// /srv/data/archive.tar.gz true false
	// file:///srv/data/archive.tar.gz <nil>
	// /srv/data/x /etc
	// true <nil>
	// data/archive.tar.gz <nil>
	// true
	// /srv/data/b.txt <nil>
	// /srv/data/archive.tar.xz <nil>
	// [/ srv data archive.tar.gz]
	// archive.tar.gz archive.tar .gz [.tar .gz]
	// /srv/data [/srv/data /srv /]
	// "" "/" "/"
	// true true
	// /srv/data/b.gz <nil>
}

func Example_pathKinds() {
	withDir(func(ctx context.Context, dir file.Path) error {
		check(dir.Join("f").Touch(ctx, nil))
		p := dir.Join("link")
		check(p.SymlinkTo(ctx, "f"))
		var answers []bool
		for _, ask := range []func(context.Context) (bool, error){
			p.Exists, p.IsFile, p.IsSymlink, p.IsDir, p.IsMount,
			p.IsFIFO, p.IsSocket, p.IsBlockDevice, p.IsCharDevice,
		} {
			yes, err := ask(ctx)
			check(err)
			answers = append(answers, yes)
		}
		fmt.Println(answers)
		link, err := p.Lstat(ctx)
		check(err)
		info, err := p.Stat(ctx)
		check(err)
		fmt.Println(link.Mode().Type() == fs.ModeSymlink, info.Mode().IsRegular())
		same, err := p.Samefile(ctx, dir.Join("f"))
		fmt.Println(same, err)
		target, err := p.Readlink(ctx)
		fmt.Println(target, err)

		owner, err := dir.Owner(ctx)
		fmt.Println(owner != "", err)
		group, err := dir.Group(ctx)
		fmt.Println(group != "", err)
		return nil
	})
	// Output:
	// [true true true false false false false false false]
	// true true
	// true <nil>
	// f <nil>
	// true <nil>
	// true <nil>
}

func Example_pathChanges() {
	withDir(func(ctx context.Context, dir file.Path) error {
		p := dir.Join("a", "b")
		check(p.Mkdir(ctx, &file.MkdirOptions{Mode: 0o750, Parents: true, ExistOK: true}))
		f := p.Join("f.txt")
		check(f.Touch(ctx, &file.TouchOptions{Mode: 0o600, Exclusive: true}))
		err := f.Touch(ctx, &file.TouchOptions{Exclusive: true}) // exist_ok=False
		fmt.Println(errors.Is(err, fs.ErrExist))
		check(f.WriteText(ctx, "tea\n", nil))
		text, err := f.ReadText(ctx, nil)
		fmt.Printf("%q %v\n", text, err)
		check(f.WriteBytes(ctx, []byte("caf\xe9")))
		data, err := f.ReadBytes(ctx)
		fmt.Printf("%q %v\n", data, err)
		text, err = f.ReadText(ctx, &file.TextOptions{Encoding: "latin-1"})
		fmt.Printf("%q %v\n", text, err)

		check(f.Chmod(ctx, 0o640))
		err = f.LChmod(ctx, 0o600)
		fmt.Println(err == nil || errors.Is(err, errors.ErrUnsupported))
		moved, err := f.Rename(ctx, p.Join("g.txt"))
		fmt.Println(moved.Name(), err)
		moved, err = moved.Replace(ctx, p.Join("h.txt"))
		fmt.Println(moved.Name(), err)
		check(p.Join("hard").HardlinkTo(ctx, moved))
		check(p.Join("hard").Unlink(ctx, nil))
		check(p.Join("hard").Unlink(ctx, &file.UnlinkOptions{MissingOK: true}))
		fmt.Println(p.Rmdir(ctx) != nil) // not empty
		check(moved.Unlink(ctx, nil))
		return p.Rmdir(ctx)
	})
	// Output:
	// true
	// "tea\n" <nil>
	// "caf\xe9" <nil>
	// "café" <nil>
	// true
	// g.txt <nil>
	// h.txt <nil>
	// true
}

func Example_pathPlaces() {
	ctx := context.Background()
	cwd, err := file.Cwd(ctx)
	check(err)
	dots, err := file.Path("x/..").Absolute(ctx)
	fmt.Println(dots.Equal(cwd.Join("x", "..")), err)
	real, err := file.Path("testdata/..").Resolve(ctx, &file.ResolveOptions{Strict: true})
	fmt.Println(real.Name(), err)
	_, err = file.Path("nowhere").Resolve(ctx, &file.ResolveOptions{Strict: true})
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	home, err := file.Home(ctx)
	check(err)
	expanded, err := file.Path("~/tea").Expanduser(ctx)
	fmt.Println(expanded.Equal(home.Join("tea")), err)
	// Output:
	// true <nil>
	// docs <nil>
	// true
	// true <nil>
}

func Example_pathTrees() {
	withDir(func(ctx context.Context, dir file.Path) error {
		check(dir.Join("a", "b").Mkdir(ctx, &file.MkdirOptions{Parents: true}))
		for _, name := range []string{"1.go", "a/2.go", "a/b/3.go", "a/b/4.txt"} {
			check(dir.Join(name).Touch(ctx, nil))
		}
		list := func(found func(func(file.Path, error) bool)) {
			var names []string
			for p, err := range found { // it streams, and in no order
				check(err)
				rel, err := p.RelativeTo(dir)
				check(err)
				names = append(names, rel.AsPosix())
			}
			slices.Sort(names)
			fmt.Println(names)
		}
		list(dir.Iterdir(ctx))
		list(dir.Glob(ctx, "*/*.go", nil))
		list(dir.RGlob(ctx, "*.go", &file.GlobOptions{FollowSymlinks: true}))
		for entry, err := range dir.Walk(ctx, &file.WalkOptions{BottomUp: true}) {
			check(err)
			if entry.Name() == "b" {
				fmt.Println("b after its files")
			}
		}
		return dir.Join("a").RemoveAll(ctx) // shutil.rmtree
	})
	// Output:
	// [1.go a]
	// [a/2.go]
	// [1.go a/2.go a/b/3.go]
	// b after its files
}

func Example_openFile() {
	withDir(func(ctx context.Context, dir file.Path) error {
		p := dir.Join("f.txt")
		t, err := file.OpenText(ctx, p, "w", &file.TextOptions{ // open_file(p, "w")
			Encoding:     "utf-8",
			Errors:       "strict",
			Newline:      file.NewlineLF,
			LineBuffered: true,
		})
		if err != nil {
			return err
		}
		check(t.WriteString(ctx, "one\ntwo\n"))
		check(t.WriteString(ctx, strings.Join([]string{"three\n", "four\n"}, ""))) // writelines
		check(t.Flush(ctx))
		check(t.Close(ctx))

		t, err = p.OpenText(ctx, "r", nil)
		if err != nil {
			return err
		}
		fmt.Println(t.Encoding())
		line, err := t.ReadLine(ctx) // readline
		fmt.Printf("%q %v\n", line, err)
		text, err := t.Read(ctx, 2) // read(2)
		fmt.Printf("%q %v\n", text, err)
		here, err := t.Tell(ctx)
		check(err)
		text, err = t.ReadAll(ctx) // read()
		fmt.Printf("%q %v\n", text, err)
		check(t.Seek(ctx, here))
		for line, err := range t.Lines(ctx) { // async for, readlines
			fmt.Printf("%q %v\n", line, err)
		}
		_, err = t.ReadLine(ctx)
		fmt.Println(err == io.EOF)
		check(t.SeekEnd(ctx)) // seek(0, os.SEEK_END)
		bytesBelow, err := t.Detach(ctx)
		fmt.Println(bytesBelow.(*file.File).Path() == p, err)
		return bytesBelow.Close(ctx)
	})
	// Output:
	// utf-8
	// "one\n" <nil>
	// "tw" <nil>
	// "o\nthree\nfour\n" <nil>
	// "o\n" <nil>
	// "three\n" <nil>
	// "four\n" <nil>
	// true
	// true <nil>
}

func Example_openBytes() {
	withDir(func(ctx context.Context, dir file.Path) error {
		p := dir.Join("f.bin")
		f, err := p.Open(ctx, "w+") // open("w+b")
		if err != nil {
			return err
		}
		check(f.SendAll(ctx, []byte("hello world"))) // write
		check(f.Flush(ctx))
		check(f.Sync(ctx)) // os.fsync
		at, err := f.Seek(ctx, 0, io.SeekStart)
		fmt.Println(at, err)
		next, err := f.Peek(ctx, 5)
		fmt.Printf("%q %v\n", next, err)
		b := make([]byte, 6)
		n, err := f.ReceiveSome(ctx, b) // read, read1, readinto, readinto1
		fmt.Printf("%q %v\n", b[:n], err)
		at, err = f.Tell(ctx)
		fmt.Println(at, err)
		for chunk, err := range trigo.Chunks(ctx, f) { // readall
			fmt.Printf("%q %v\n", chunk, err)
		}
		check(f.Truncate(ctx, 4))
		n, err = f.ReadAt(ctx, b, 0)
		fmt.Printf("%q %v\n", b[:n], err)
		_, err = f.WriteAt(ctx, []byte("H"), 0)
		check(err)

		fmt.Println(f.Path() == p)           // name
		_, isOS := f.Underlying().(*os.File) // wrapped, raw
		raw, err := f.SyscallConn()          // fileno
		fmt.Println(isOS, raw != nil, err)
		check(f.Close(ctx))
		_, err = f.Stat(ctx)
		fmt.Println(errors.Is(err, trigo.ErrClosed)) // closed
		return nil
	})
	// Output:
	// 0 <nil>
	// "hello" <nil>
	// "hello " <nil>
	// 6 <nil>
	// "world" <nil>
	// "hell" EOF
	// true
	// true true <nil>
	// true
}

func Example_openRest() {
	withDir(func(ctx context.Context, dir file.Path) error {
		p := dir.Join("f")
		w, err := file.Open(ctx, p, "x")
		if err != nil {
			return err
		}
		_, err = w.ReceiveSome(ctx, make([]byte, 1))
		fmt.Println(errors.Is(err, errors.ErrUnsupported)) // not readable
		check(w.Close(ctx))
		f, err := file.OpenFile(ctx, p, os.O_RDWR|os.O_APPEND, 0o600) // opener
		check(err)
		check(f.Close(ctx))

		ours, err := os.Open(p.String())
		check(err)
		f, err = file.FromOS(ctx, ours) // open(fd)
		check(err)
		return f.Close(ctx)
	})
	// Output: true
}

func Example_wrapFile() {
	ctx := context.Background()
	t, err := file.NewTextFile(ctx, must(file.Wrap(strings.NewReader("asdf"))), nil) // StringIO
	check(err)
	text, err := t.ReadAll(ctx)
	fmt.Println(text, err)
	check(t.Close(ctx))

	var buffer bytes.Buffer // BytesIO
	w, err := file.Wrap(&buffer)
	check(err)
	check(w.SendAll(ctx, []byte("jkl;")))
	fmt.Println(buffer.String())        // getvalue, getbuffer
	fmt.Println(w.Wrapped() == &buffer) // wrapped
	_, err = w.Seek(ctx, 0, io.SeekStart)
	fmt.Println(errors.Is(err, errors.ErrUnsupported)) // not seekable
	check(w.Close(ctx))

	var shared *file.Wrapped
	shared = must(file.Wrap(readerFunc(func(p []byte) (int, error) {
		_, err := shared.ReceiveSome(ctx, p) // beside the one that called this
		fmt.Println(errors.Is(err, trigo.ErrBusy))
		return 0, io.EOF
	})))
	_, err = shared.ReceiveSome(ctx, make([]byte, 1))
	fmt.Println(err)
	// Output:
	// asdf <nil>
	// jkl;
	// true
	// true
	// true
	// EOF
}
