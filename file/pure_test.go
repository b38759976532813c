package file

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"trigo"
)

func TestBadArgumentsOfPurePathsAreNamed(t *testing.T) {
	p := PosixPath("dir/a.txt")
	for _, test := range []struct {
		err  error
		want string
	}{
		{last(p.WithName("a/b")), `with name path dir/a.txt: name "a/b" holds a separator`},
		{last(p.WithName("")), `with name path dir/a.txt: name "" is empty`},
		{last(p.WithName(".")), `with name path dir/a.txt: name "." makes no name`},
		{last(PosixPath("/").WithName("x")), `with name path /: the path has no name to replace`},
		{last(p.WithStem("")), `with stem path dir/a.txt: stem "" is empty`},
		{last(p.WithStem("x/y")), `with stem path dir/a.txt: stem "x/y" holds a separator`},
		{last(p.WithSuffix(".a/b")), `with suffix path dir/a.txt: suffix ".a/b" holds a separator`},
		{last(p.WithSuffix("gz")), `with suffix path dir/a.txt: suffix "gz" does not begin with a dot`},
		{last(p.WithSuffix(".")), `with suffix path dir/a.txt: suffix "." is only a dot`},
		{last(WindowsPath("a").WithSuffix(`.x\y`)), `with suffix path a: suffix ".x\\y" holds a separator`},
		{last(p.Match("")), `match path dir/a.txt: pattern "" is empty`},
		{last(p.RelativeTo("x")), `relative to path dir/a.txt: it is not below "x"`},
		{last(p.RelativeToWalkUp("/x")), `relative to path dir/a.txt: it has another anchor than "/x"`},
		{last(p.RelativeToWalkUp("../x")), `relative to path dir/a.txt: there is no way up through a .. in "../x"`},
		{last(p.AsURI()), `as URI path dir/a.txt: a relative path has no URI`},
		{last(FromURI[Posix]("http://x/")), `from URI path http://x/: uri "http://x/" does not begin with file:`},
		{last(FromURI[Posix]("file:x")), `from URI path file:x: uri "file:x" is not an absolute path`},
	} {
		var op *trigo.OpError
		if !errors.Is(test.err, fs.ErrInvalid) || !errors.As(test.err, &op) || test.err.Error() != test.want {
			t.Errorf("got %q, want %q, and an OpError that Is fs.ErrInvalid", test.err, test.want)
		}
	}
}

func last[V any](_ V, err error) error { return err }

func TestFromURIUndoesAsURI(t *testing.T) {
	for _, p := range []PosixPath{"/", "/a", "/a/b c", "/c:/x", "/\xff%", "/日本"} {
		uri, err := p.AsURI()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := FromURI[Posix](uri); back != p || err != nil {
			t.Errorf("%q by way of %q: got %q, %v", p, uri, back, err)
		}
	}
	for _, p := range []WindowsPath{`C:\`, `c:\a b\c`, `\\srv\share\`, `\\srv\share\x`} {
		uri, err := p.AsURI()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := FromURI[Windows](uri); back != p || err != nil {
			t.Errorf("%q by way of %q: got %q, %v", p, uri, back, err)
		}
	}
}

func TestURIsWithOneLetterNamesAreNotTakenForDrives(t *testing.T) {
	for uri, want := range map[string]PosixPath{
		"file:///": "/", "file:///a": "/a", "file:/a": "/a", "file://localhost/": "/", "file:///c:/x": "/c:/x",
	} {
		if got, err := FromURI[Posix](uri); got != want || err != nil {
			t.Errorf("%s: got %q, %v", uri, got, err)
		}
	}
}

func TestNoPatternTakesLong(t *testing.T) {
	// A matcher that tries one way after the other never comes to an end here.
	pattern := strings.Repeat("*a", 40) + "b"
	name := strings.Repeat("a", 2000)
	if PosixPath(name).FullMatch(pattern) {
		t.Error("it matched")
	}
	deep := strings.Repeat("a/", 500) + "a"
	if PosixPath(deep).FullMatch(strings.Repeat("**/a/", 30) + "b") {
		t.Error("it matched")
	}
}

func TestNormalPathsAreNotCopied(t *testing.T) {
	p := PosixPath("/usr/lib/a.txt")
	var s string
	if n := testing.AllocsPerRun(100, func() { s = p.String() }); n != 0 || s != string(p) {
		t.Errorf("%v allocations for %q", n, s)
	}
}

func FuzzPure(f *testing.F) {
	for _, p := range append(posixPaths, windowsPaths...) {
		f.Add(p, "[!a-z]*")
	}
	for _, pattern := range append(posixPatterns, windowsPatterns...) {
		f.Add("a/b", pattern)
	}
	f.Fuzz(func(t *testing.T, path, pattern string) {
		fuzzFlavour[Posix](t, path, pattern)
		fuzzFlavour[Windows](t, path, pattern)
	})
}

func fuzzFlavour[F Flavour](t *testing.T, path, pattern string) {
	p := Pure[F](path)
	normal := p.Normal()
	if again := normal.Normal(); again != normal {
		t.Errorf("%T: the normal form of %q is %q, and of that %q", *new(F), path, normal, again)
	}
	if !p.Equal(normal) || p.Compare(normal) != 0 {
		t.Errorf("%T: %q is not equal to its normal form", *new(F), path)
	}
	if parent := p.Parent(); p.Name() != "" && p.Name() != ".." && !parent.Join(p.Name()).Equal(p) {
		if drive := Pure[F](p.Name()).Drive(); drive == "" {
			t.Errorf("%T: %q is not %q in %q", *new(F), path, p.Name(), parent)
		}
	}
	if rest, err := p.RelativeTo(p); err != nil || rest != "." {
		t.Errorf("%T: %q relative to itself is %q, %v", *new(F), path, rest, err)
	}
	p.Match(pattern)
	p.FullMatch(pattern)
	var f F
	if uri, err := p.AsURI(); err == nil && f.separator() == '/' {
		if back, err := FromURI[F](uri); err != nil || !back.Equal(p) {
			t.Errorf("%q by way of %q: got %q, %v", path, uri, back, err)
		}
	}
}
