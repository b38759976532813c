package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// pathlibScript answers for CPython. It reads lists of paths, patterns and URIs
// for each flavour and writes what pathlib makes of them, one row a path and one
// a pair. Strings travel as one character for each byte, so that names need not
// be UTF-8. An error is null.
const pathlibScript = `
import json, os, pathlib, sys, warnings
warnings.simplefilter("ignore")

def dec(s): return os.fsdecode(s.encode("latin-1"))
def enc(v):
    if isinstance(v, (pathlib.PurePath, str)): return os.fsencode(str(v)).decode("latin-1")
    if isinstance(v, (list, tuple)) or type(v).__name__ == "_PathParents": return [enc(x) for x in v]
    return v
def attempt(f):
    try: return enc(f())
    except ValueError: return None
def sign(a, b): return -1 if a < b else 1 if b < a else 0

out = {}
for flavour, given in json.load(sys.stdin).items():
    cls = pathlib.PurePosixPath if flavour == "posix" else pathlib.PureWindowsPath
    rows = []
    for s in map(dec, given["paths"]):
        p = cls(s)
        rows.append([enc(v) for v in (p, p.parts, p.drive, p.root, p.anchor, p.parent, p.parents, p.name, p.stem,
            p.suffix, p.suffixes, p.as_posix(), p.is_absolute(), p.is_reserved(), attempt(p.as_uri))])
    for a, b in given["pairs"]:
        p, q, s = cls(dec(a)), cls(dec(b)), dec(b)
        rows.append([enc(p / s), p == q, sign(p, q), hash(p) == hash(q), p.is_relative_to(q)] + [attempt(f) for f in (
            lambda: p.relative_to(q), lambda: p.relative_to(q, walk_up=True),
            lambda: p.with_name(s), lambda: p.with_stem(s), lambda: p.with_suffix(s))])
    for a, b in given["globs"]:
        p, s = cls(dec(a)), dec(b)
        rows.append([attempt(f) for f in (
            lambda: p.match(s), lambda: p.match(s, case_sensitive=True), lambda: p.match(s, case_sensitive=False),
            lambda: p.full_match(s), lambda: p.full_match(s, case_sensitive=True), lambda: p.full_match(s, case_sensitive=False))])
    for s in given["uris"]:
        rows.append([attempt(lambda: pathlib.Path.from_uri.__func__(cls, dec(s)))])
    out[flavour] = rows
json.dump(out, sys.stdout)
`

// pathlibCases are the questions for one flavour.
type pathlibCases struct {
	Paths []string    `json:"paths"`
	Pairs [][2]string `json:"pairs"`
	Globs [][2]string `json:"globs"`
	URIs  []string    `json:"uris"`
}

func TestPurePathsAreThoseOfCPython(t *testing.T) {
	python := findPython(t)
	posix := newPathlibCases(posixPaths, posixPatterns, "/", "//", ".", "..", "a", "B", "b.c", "ä", "\xff", "*", "?", "[", "]", "!", "-", "~", "\\", "c:")
	windows := newPathlibCases(windowsPaths, windowsPatterns, "/", `\`, `\\`, ".", "..", "a", "B", "c:", "C:", "d.e", "İ", "Σ", "ς", "?", "*", "[", "]", "!", "-", "nul", " ", "UNC")
	t.Logf("%s: %d pairs of POSIX paths, %d of Windows paths, %d and %d patterns",
		python, len(posix.Pairs), len(windows.Pairs), len(posix.Globs), len(windows.Globs))

	theirs := askPython(t, python, map[string]pathlibCases{"posix": posix, "windows": windows})
	compareWithPython[Posix](t, posix, theirs["posix"])
	compareWithPython[Windows](t, windows, theirs["windows"])
}

// findPython returns a CPython whose pathlib is the one that this package
// follows: 3.13.
func findPython(t *testing.T) string {
	t.Helper()
	candidates, _ := filepath.Glob(os.ExpandEnv("$HOME/.pyenv/versions/3.13.*/bin/python3"))
	for _, name := range append([]string{"python3.13", "python3"}, candidates...) {
		out, err := exec.Command(name, "-c", "import sys; print(sys.version_info[:2] == (3, 13))").Output()
		if err == nil && strings.TrimSpace(string(out)) == "True" {
			return name
		}
	}
	t.Skip("no Python 3.13 to compare with")
	return ""
}

// pathlibAnswers are the answers so far: a test that is repeated asks only once.
var pathlibAnswers = map[string][]byte{}

func askPython(t *testing.T, python string, cases any) map[string][][]any {
	t.Helper()
	question, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	answer, known := pathlibAnswers[string(question)]
	if !known {
		cmd := exec.CommandContext(t.Context(), python, "-X", "utf8", "-c", pathlibScript)
		cmd.Stdin, cmd.Stderr = bytes.NewReader(question), os.Stderr
		if answer, err = cmd.Output(); err != nil {
			t.Fatal(err)
		}
		pathlibAnswers[string(question)] = answer
	}
	var rows map[string][][]any
	if err := json.Unmarshal(answer, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func compareWithPython[F Flavour](t *testing.T, cases pathlibCases, theirs [][]any) {
	t.Helper()
	failures := 0
	check := func(what string, names string, ours ...any) {
		for i, name := range strings.Fields(names) {
			got, want := plain(ours[i]), theirs[0][i]
			if !reflect.DeepEqual(got, want) && !(want == nil && got == "") {
				if failures++; failures <= 30 {
					t.Errorf("%T %s %s: got %#v, CPython %#v", *new(F), what, name, got, want)
				}
			}
		}
		theirs = theirs[1:]
	}
	for _, s := range cases.Paths {
		p := Pure[F](toBytes(s))
		check(fmt.Sprintf("%q", p), "String Parts Drive Root Anchor Parent Parents Name Stem Suffix Suffixes AsPosix IsAbsolute IsReserved AsURI",
			p.String(), p.Parts(), p.Drive(), p.Root(), p.Anchor(), p.Parent(), p.Parents(), p.Name(), p.Stem(),
			p.Suffix(), p.Suffixes(), p.AsPosix(), p.IsAbsolute(), p.IsReserved(), first(p.AsURI()))
	}
	for _, pair := range cases.Pairs {
		p, s := Pure[F](toBytes(pair[0])), toBytes(pair[1])
		q := Pure[F](s)
		check(fmt.Sprintf("%q %q", p, s), "Join Equal Compare Key IsRelativeTo RelativeTo RelativeToWalkUp WithName WithStem WithSuffix",
			p.Join(s), p.Equal(q), float64(p.Compare(q)), p.Key() == q.Key(), p.IsRelativeTo(q),
			first(p.RelativeTo(q)), first(p.RelativeToWalkUp(q)), first(p.WithName(s)), first(p.WithStem(s)), first(p.WithSuffix(s)))
	}
	for _, pair := range cases.Globs {
		p, s := Pure[F](toBytes(pair[0])), toBytes(pair[1])
		check(fmt.Sprintf("%q %q", p, s), "Match MatchSensitive MatchInsensitive FullMatch FullMatchSensitive FullMatchInsensitive",
			first(p.Match(s)), first(p.MatchCase(s, CaseSensitive)), first(p.MatchCase(s, CaseInsensitive)),
			p.FullMatch(s), p.FullMatchCase(s, CaseSensitive), p.FullMatchCase(s, CaseInsensitive))
	}
	for _, s := range cases.URIs {
		if isPosixDrive[F](s) {
			theirs = theirs[1:]
			continue
		}
		check(fmt.Sprintf("%q", s), "FromURI", first(FromURI[F](toBytes(s))))
	}
	if len(theirs) != 0 {
		t.Errorf("%d rows of CPython were not compared", len(theirs))
	}
	if failures > 30 {
		t.Errorf("%d more", failures-30)
	}
}

// isPosixDrive reports whether CPython 3.13 takes a POSIX path for one with a drive:
// that has been corrected since.
func isPosixDrive[F Flavour](uri string) bool {
	var f F
	path := f.fromURI(strings.TrimPrefix(uri, "file:"))
	return f.separator() == '/' && len(path) > 2 && strings.ContainsRune(":|", rune(path[2]))
}

// first is v, or nil if the call that returned it failed.
func first[V any](v V, err error) any {
	if err != nil {
		return nil
	}
	return v
}

// plain makes of v what package json makes of the same thing.
func plain(v any) any {
	if v == nil {
		return nil
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.String:
		return toLatin1(rv.String())
	case reflect.Slice:
		all := []any{}
		for i := range rv.Len() {
			all = append(all, toLatin1(rv.Index(i).String()))
		}
		return all
	}
	return v
}

func toLatin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

func toBytes(latin1 string) string {
	var b strings.Builder
	for _, r := range latin1 {
		b.WriteByte(byte(r))
	}
	return b.String()
}

// newPathlibCases pairs all paths with each other, and with patterns, and adds
// random ones made of pieces.
func newPathlibCases(paths, patterns []string, pieces ...string) (c pathlibCases) {
	dice := rand.New(rand.NewPCG(1, 2))
	random := func() string {
		var b strings.Builder
		for range dice.IntN(8) {
			b.WriteString(pieces[dice.IntN(len(pieces))])
		}
		return b.String()
	}
	all := slices.Clone(paths)
	for range 300 {
		all = append(all, random())
	}
	pair := func(a, b string) [2]string { return [2]string{toLatin1(a), toLatin1(b)} }
	for _, p := range all {
		c.Paths = append(c.Paths, toLatin1(p))
	}
	for _, p := range paths {
		for _, q := range paths {
			if dice.IntN(3) == 0 {
				c.Pairs = append(c.Pairs, pair(p, q))
			}
		}
	}
	for _, q := range patterns { // one after the other: re remembers the latest that it compiled
		for _, p := range paths {
			if dice.IntN(2) == 0 {
				c.Globs = append(c.Globs, pair(p, q))
			}
		}
	}
	for range 1000 {
		p, q := random(), random()
		c.Pairs = append(c.Pairs, pair(p, q), pair(p, Pure[Posix](p).String()+"/"+q))
		c.Globs = append(c.Globs, pair(p, random()))
	}
	for _, host := range []string{"", "/", "//localhost", "//localhost/x", "//", "//host", "///"} {
		for _, path := range []string{"/c:/x%20y", "/C|/x", "/usr/a%2Fb", "/%ff%zz%4", "c:/d", "/share/d"} {
			c.URIs = append(c.URIs, "file:"+host+path)
		}
	}
	c.URIs = append(c.URIs, "http://x/y", "file", "FILE:///x/y")
	return c
}
