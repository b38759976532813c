package file

import (
	"fmt"
	"strings"
)

// Name returns the last name of the path, or nothing if there is none.
func (p Pure[F]) Name() string {
	tail := p.parse().tail
	if len(tail) == 0 {
		return ""
	}
	return tail[len(tail)-1]
}

// Stem returns the name without its suffix.
func (p Pure[F]) Stem() string {
	stem, _ := cutSuffix(p.Name())
	return stem
}

// Suffix returns the last suffix of the name with its dot, ".gz" of "a.tar.gz". A
// dot at the front or at the end of a name begins no suffix.
func (p Pure[F]) Suffix() string {
	_, suffix := cutSuffix(p.Name())
	return suffix
}

func cutSuffix(name string) (stem, suffix string) {
	if i := strings.LastIndexByte(name, '.'); 0 < i && i < len(name)-1 {
		return name[:i], name[i:]
	}
	return name, ""
}

// Suffixes returns all suffixes of the name: ".tar", ".gz" of "a.tar.gz".
func (p Pure[F]) Suffixes() []string {
	name := p.Name()
	if strings.HasSuffix(name, ".") {
		return nil
	}
	pieces := strings.Split(strings.TrimLeft(name, "."), ".")[1:]
	for i, piece := range pieces {
		pieces[i] = "." + piece
	}
	return pieces
}

// WithName returns p with another last name. It fails if p has none, or if name is
// empty or "." or holds a separator.
func (p Pure[F]) WithName(name string) (Pure[F], error) {
	return p.withName("with name", "name", name, name)
}

// withName replaces the last name. The argument is named in errors.
func (p Pure[F]) withName(op, argument, value, name string) (Pure[F], error) {
	var f F
	d := p.parse()
	var reason string
	switch {
	case len(d.tail) == 0:
		return "", pathError(op, string(p), &invalid{"the path has no name to replace"})
	case name == "":
		reason = "is empty"
	case name == ".":
		reason = "makes no name"
	case strings.ContainsFunc(name, func(r rune) bool { return r < 0x80 && f.isSeparator(byte(r)) }):
		reason = "holds a separator"
	default:
		d.tail[len(d.tail)-1] = name
		return unparse[F](d), nil
	}
	return "", pathError(op, string(p), &invalid{fmt.Sprintf("%s %q %s", argument, value, reason)})
}

// WithStem returns p with another stem and the suffix that it has. It fails where
// WithName does, and if stem is empty and there is a suffix.
func (p Pure[F]) WithStem(stem string) (Pure[F], error) {
	suffix := p.Suffix()
	if stem == "" && suffix != "" {
		return "", pathError("with stem", string(p), &invalid{`stem "" is empty`})
	}
	return p.withName("with stem", "stem", stem, stem+suffix)
}

// WithSuffix returns p with another suffix, or with one if it has none; an empty
// suffix takes it away. It fails if p has no name, or if suffix does not begin with
// a dot, is only a dot, or holds a separator.
func (p Pure[F]) WithSuffix(suffix string) (Pure[F], error) {
	if suffix != "" && (suffix[0] != '.' || suffix == ".") {
		reason := "does not begin with a dot"
		if suffix == "." {
			reason = "is only a dot"
		}
		return "", pathError("with suffix", string(p), &invalid{fmt.Sprintf("suffix %q %s", suffix, reason)})
	}
	return p.withName("with suffix", "suffix", suffix, p.Stem()+suffix)
}
