package file

import (
	"fmt"
	"slices"
	"strings"
)

// Equal reports whether p and other are the same path, in whatever way they are
// written. On Windows upper and lower case are equal.
func (p Pure[F]) Equal(other Pure[F]) bool { return p.Key() == other.Key() }

// Key returns a string that is the same for equal paths and for no others: what
// to use as the key of a map.
func (p Pure[F]) Key() string {
	var f F
	return f.key(p.String())
}

// Compare orders paths by their names, one after the other: "a/b" comes before
// "a-b". It returns -1, 0 or +1, and 0 for equal paths only.
func (p Pure[F]) Compare(other Pure[F]) int {
	var f F
	sep := string(f.separator())
	return slices.Compare(strings.Split(p.Key(), sep), strings.Split(other.Key(), sep))
}

// IsRelativeTo reports whether p is other or lies below it, by the names alone.
func (p Pure[F]) IsRelativeTo(other Pure[F]) bool {
	_, err := p.RelativeTo(other)
	return err == nil
}

// RelativeTo returns the path from other to p. It fails unless p is other or lies
// below it.
func (p Pure[F]) RelativeTo(other Pure[F]) (Pure[F], error) { return p.relativeTo(other, false) }

// RelativeToWalkUp is RelativeTo with as many ".." in front as it takes. It fails
// if the two have nothing in common, not even being relative, and if it would
// have to go up through a ".." of other.
func (p Pure[F]) RelativeToWalkUp(other Pure[F]) (Pure[F], error) { return p.relativeTo(other, true) }

func (p Pure[F]) relativeTo(other Pure[F], walkUp bool) (Pure[F], error) {
	var f F
	fail := func(format string) (Pure[F], error) {
		return "", pathError("relative to", string(p), &invalid{fmt.Sprintf(format, other.String())})
	}
	key := func(d parsed) string { return f.key(string(unparse[F](d))) }

	from := p.parse()
	ancestors := map[string]bool{}
	for d := from; ; d.tail = d.tail[:len(d.tail)-1] {
		ancestors[key(d)] = true
		if len(d.tail) == 0 {
			break
		}
	}
	up := 0
	to := other.parse()
	for ; !ancestors[key(to)]; up++ {
		n := len(to.tail)
		switch {
		case !walkUp:
			return fail("it is not below %q")
		case n == 0:
			return fail("it has another anchor than %q")
		case to.tail[n-1] == "..":
			return fail("there is no way up through a .. in %q")
		}
		to.tail = to.tail[:n-1]
	}
	names := slices.Concat(slices.Repeat([]string{".."}, up), from.tail[min(len(to.tail), len(from.tail)):])
	return unparse[F](parsed{tail: names}), nil
}
