package file

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Case says whether a pattern tells upper from lower case.
type Case int

const (
	CaseNative      Case = iota // as the flavour does: POSIX tells them apart, Windows does not
	CaseSensitive               // they are different
	CaseInsensitive             // they are equal
)

// folds reports whether upper and lower case are equal under c.
func (c Case) folds(f flavour) bool {
	return c == CaseInsensitive || c == CaseNative && !f.caseSensitive()
}

// Match reports whether p matches a pattern in the way of a shell: "*" is any
// part of a name, "?" any character, "[a-z]" one of a set and "[!a-z]" one that
// is not. A relative pattern is compared from the right, so that "*.go" matches
// "/src/a.go"; one with an anchor must match all of p. "**" is the same as "*" here:
// see [Pure.FullMatch]. An empty pattern is an error.
func (p Pure[F]) Match(pattern string) (bool, error) { return p.MatchCase(pattern, CaseNative) }

// MatchCase is [Pure.Match] for a system that sees upper and lower case as c says.
func (p Pure[F]) MatchCase(pattern string, c Case) (bool, error) {
	var f F
	glob := Pure[F](pattern)
	names, patterns := p.Parts(), glob.Parts()
	switch {
	case len(patterns) == 0:
		return false, pathError("match", string(p), &invalid{fmt.Sprintf("pattern %q is empty", pattern)})
	case len(names) < len(patterns), len(names) > len(patterns) && glob.Anchor() != "":
		return false, nil
	}
	names = names[len(names)-len(patterns):]
	for i, pattern := range patterns {
		if !compile(pattern, f.separator(), c.folds(f), false).match(names[i]) {
			return false, nil
		}
	}
	return true, nil
}

// FullMatch reports whether all of p matches the pattern, with "**" as any number
// of names, none included: "**/*.go" matches "a.go" and "src/b/c.go".
func (p Pure[F]) FullMatch(pattern string) bool { return p.FullMatchCase(pattern, CaseNative) }

// FullMatchCase is [Pure.FullMatch] for a system that sees upper and lower case as c
// says.
func (p Pure[F]) FullMatchCase(pattern string, c Case) bool {
	var f F
	text := func(p Pure[F]) string { // nothing, rather than ".", which would match "?"
		if s := p.String(); s != "." {
			return s
		}
		return ""
	}
	return compile(text(Pure[F](pattern)), f.separator(), c.folds(f), true).match(text(p))
}

// A pattern is a compiled pattern: a list of steps, run for all ways of matching
// at once, so that no pattern takes long.
type pattern struct {
	steps []step
	sep   rune
	fold  bool
}

type stepKind int

const (
	stepRune  stepKind = iota // this character
	stepOne                   // any character but the separator
	stepSet                   // a character of the set; the separator can be one
	stepStar                  // any number of characters but the separator
	stepRest                  // any number of characters
	stepBegin                 // stepNames, or nothing
	stepNames                 // any characters, the last of which is a separator
)

type step struct {
	kind stepKind
	r    rune
	set  charset
}

// compile translates a pattern. With recursive, a name that is "**" stands for any
// number of names.
func compile(text string, sep byte, fold, recursive bool) *pattern {
	p := &pattern{sep: rune(sep), fold: fold}
	add := func(kinds ...stepKind) {
		for _, kind := range kinds {
			p.steps = append(p.steps, step{kind: kind})
		}
	}
	names := strings.Split(text, string(sep))
	for i, name := range names {
		last := i == len(names)-1
		switch {
		case name == "*":
			add(stepOne, stepStar)
		case recursive && name == "**":
			if last {
				add(stepRest)
			} else if names[i+1] != "**" {
				add(stepBegin, stepNames)
			}
			continue // its separator is in it
		default:
			p.addName(name)
		}
		if !last {
			p.steps = append(p.steps, step{kind: stepRune, r: p.sep})
		}
	}
	return p
}

// addName translates the pattern of one name.
func (p *pattern) addName(text string) {
	name := runes(text)
	for len(name) > 0 {
		r := name[0]
		name = name[1:]
		switch r {
		case '*':
			if n := len(p.steps); n == 0 || p.steps[n-1].kind != stepStar {
				p.steps = append(p.steps, step{kind: stepStar})
			}
		case '?':
			p.steps = append(p.steps, step{kind: stepOne})
		case '[':
			if set, n := parseSet(name); n > 0 {
				p.steps = append(p.steps, step{kind: stepSet, set: set})
				name = name[n:]
				continue
			}
			fallthrough
		default:
			p.steps = append(p.steps, step{kind: stepRune, r: r})
		}
	}
}

// match reports whether all of s matches.
func (p *pattern) match(s string) bool {
	// now[i]: step i is the next to match.
	var room [2][64]bool
	now, next := room[0][:], room[1][:]
	if len(p.steps) >= len(now) {
		now, next = make([]bool, len(p.steps)+1), make([]bool, len(p.steps)+1)
	}
	p.enter(now, 0)
	for len(s) > 0 {
		r, n := decode(s)
		s = s[n:]
		alive := false
		clear(next[:len(p.steps)+1])
		for i := range p.steps {
			if !now[i] {
				continue
			}
			stays, moves := p.steps[i].take(r, p)
			if stays {
				p.enter(next, i)
			}
			if moves {
				p.enter(next, i+1)
			}
			alive = alive || stays || moves
		}
		if !alive {
			return false
		}
		now, next = next, now
	}
	return now[len(p.steps)]
}

// enter marks step i, and those that can be reached from it without a character.
func (p *pattern) enter(states []bool, i int) {
	states[i] = true
	if i == len(p.steps) {
		return
	}
	switch p.steps[i].kind {
	case stepStar, stepRest:
		p.enter(states, i+1)
	case stepBegin:
		p.enter(states, i+2)
	}
}

// take consumes r. It reports whether the step can go on afterwards, and whether
// it can be over.
func (s *step) take(r rune, p *pattern) (stays, moves bool) {
	switch s.kind {
	case stepRune:
		return false, r == s.r || p.fold && folded(r) == folded(s.r)
	case stepOne:
		return false, r != p.sep
	case stepSet:
		return false, s.set.has(r, p.fold)
	case stepStar:
		return r != p.sep, false
	case stepRest:
		return true, false
	case stepBegin:
		return false, true
	default: // stepNames
		return true, r == p.sep
	}
}

// charset is a set of characters.
type charset struct {
	ranges []charRange
	not    bool
}

type charRange struct{ low, high rune }

func (c charset) has(r rune, fold bool) bool {
	in := func(r rune) bool {
		return slices.ContainsFunc(c.ranges, func(g charRange) bool { return g.low <= r && r <= g.high })
	}
	found := in(r)
	if fold && !found {
		found = slices.ContainsFunc(variants(r), in)
	}
	return found != c.not
}

// parseSet parses what follows a "[" and returns the length of it, the "]"
// included, or 0 if there is none. A "]" at the front is one of the set. Bounds in
// the wrong order are an empty range, and take nothing else with them.
func parseSet(text []rune) (charset, int) {
	end := 0
	if end < len(text) && text[end] == '!' {
		end++
	}
	if end < len(text) && text[end] == ']' {
		end++
	}
	for end < len(text) && text[end] != ']' {
		end++
	}
	if end >= len(text) {
		return charset{}, 0
	}
	chunks := splitRanges(text[:end])
	var set charset
	if first := chunks[0]; len(first) > 0 && first[0] == '!' {
		set.not = true
		chunks[0] = first[1:]
	}
	one := func(r rune) { set.ranges = append(set.ranges, charRange{r, r}) }
	for i, chunk := range chunks {
		for _, r := range chunk {
			one(r)
		}
		if i == 0 {
			continue
		}
		if before := chunks[i-1]; len(before) > 0 {
			set.ranges = append(set.ranges, charRange{before[len(before)-1], chunk[0]})
		} else {
			one('-') // the bound of this range turned out to be the "!"
		}
	}
	return set, end + 1
}

// splitRanges cuts the inside of a set at the hyphens that make ranges: a range
// goes from the last character of a chunk to the first of the next.
func splitRanges(text []rune) [][]rune {
	var chunks [][]rune
	start, from := 0, 1
	if len(text) > 0 && text[0] == '!' {
		from = 2
	}
	for from < len(text) {
		i := slices.Index(text[from:], '-')
		if i < 0 {
			break
		}
		chunks = append(chunks, text[start:from+i])
		start = from + i + 1
		from = start + 2
	}
	if start < len(text) || len(chunks) == 0 {
		chunks = append(chunks, text[start:])
	} else { // a hyphen at the end is one of the set
		last := len(chunks) - 1
		chunks[last] = append(slices.Clip(chunks[last]), '-')
	}
	for i := len(chunks) - 1; i > 0; i-- {
		before, after := chunks[i-1], chunks[i]
		if before[len(before)-1] > after[0] {
			chunks[i-1] = slices.Concat(before[:len(before)-1], after[1:])
			chunks = slices.Delete(chunks, i, i+1)
		}
	}
	return chunks
}

// decode is the first character of s. A byte that is no UTF-8 is a character of
// its own, told from all others by lying among the surrogates, as in Python.
func decode(s string) (r rune, size int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	r, size = utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return 0xdc00 + rune(s[0]), 1
	}
	return r, size
}

func runes(s string) (all []rune) {
	for len(s) > 0 {
		r, n := decode(s)
		all = append(all, r)
		s = s[n:]
	}
	return all
}

// folded is the same for all characters that are equal but for their case.
func folded(r rune) rune { return slices.Min(append(variants(r), r)) }

// variants returns the characters that are equal to r but for their case. The
// dotted and the dotless I are taken for the plain one.
func variants(r rune) (all []rune) {
	if strings.ContainsRune("iIİı", r) {
		return []rune("iIİı")
	}
	for v := unicode.SimpleFold(r); v != r; v = unicode.SimpleFold(v) {
		all = append(all, v)
	}
	return all
}
