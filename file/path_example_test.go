package file_test

import (
	"context"
	"fmt"
	"os"
	"slices"

	"trigo/file"
)

// inTree calls f in a temporary directory with a few files in it.
func inTree(f func(ctx context.Context, root file.Path) error) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	root := file.Path(dir)
	for _, name := range []string{"main.go", "lib/a.go", "lib/a_test.go", "lib/.git/config", "docs/a.md"} {
		p := root.Join(name)
		if err = p.Parent().Mkdir(ctx, &file.MkdirOptions{Parents: true, ExistOK: true}); err == nil {
			err = p.WriteText(ctx, name+"\n", nil)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := f(ctx, root); err != nil {
		fmt.Println(err)
	}
}

func ExamplePath() {
	p := file.Path("backup") // a path is a string
	p = p.Join("2024", "home.tar.gz")
	fmt.Println(p.Name(), p.Stem(), p.Suffix(), p.Suffixes())
	fmt.Println(p.Parent().Name())
	q, err := p.WithSuffix(".xz")
	fmt.Println(q.Name(), err)
	_, err = p.WithSuffix("xz")
	fmt.Println(err != nil)
	// Output:
	// home.tar.gz home.tar .gz [.tar .gz]
	// 2024
	// home.tar.xz <nil>
	// true
}

func ExampleWindowsPath() {
	p := file.WindowsPath(`C:/Users/me\notes.TXT`) // on any system
	fmt.Println(p, p.Drive(), p.Equal(`c:\users\ME\notes.txt`))
	matches, err := p.Match("*.txt")
	fmt.Println(matches, err)
	fmt.Println(p.AsURI())
	// Output:
	// C:\Users\me\notes.TXT C: true
	// true <nil>
	// file:///C:/Users/me/notes.TXT <nil>
}

func ExamplePure_RelativeToWalkUp() {
	fmt.Println(file.PosixPath("/srv/www/a.html").RelativeToWalkUp("/srv/logs"))
	// Output: ../www/a.html <nil>
}

func ExamplePath_Glob() {
	inTree(func(ctx context.Context, root file.Path) error {
		var found []file.Path
		for p, err := range root.Glob(ctx, "**/*.go", nil) {
			if err != nil {
				return err
			}
			rel, err := p.RelativeTo(root)
			if err != nil {
				return err
			}
			found = append(found, rel)
		}
		slices.SortFunc(found, file.Path.Compare) // they come in any order
		fmt.Println(found)
		return nil
	})
	// Output: [lib/a.go lib/a_test.go main.go]
}

func ExamplePath_Walk() {
	inTree(func(ctx context.Context, root file.Path) error {
		files := 0
		opts := &file.WalkOptions{Enter: func(dir file.Entry) bool { return dir.Name() != ".git" }}
		for e, err := range root.Walk(ctx, opts) {
			switch {
			case ctx.Err() != nil:
				return err
			case err != nil:
				fmt.Println("left out:", err) // the walk goes on
			case e.IsFile():
				files++
			}
		}
		fmt.Println(files, "files")
		return nil
	})
	// Output: 4 files
}

func ExamplePath_CopyTree() {
	inTree(func(ctx context.Context, root file.Path) error {
		if err := root.Join("lib").CopyTree(ctx, root.Join("copy"), nil); err != nil {
			return err
		}
		if err := root.Join("lib").RemoveAll(ctx); err != nil {
			return err
		}
		text, err := root.Join("copy/a.go").ReadText(ctx, nil)
		fmt.Print(text)
		return err
	})
	// Output: lib/a.go
}
