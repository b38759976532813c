package file

import (
	"strings"
	"unicode"
)

// Windows is the flavour of the paths of Windows: C:\dir, \\server\share\dir.
type Windows struct{}

func (Windows) separator() byte         { return '\\' }
func (Windows) isSeparator(c byte) bool { return c == '\\' || c == '/' }
func (Windows) key(path string) string  { return lower(path) }
func (Windows) caseSensitive() bool     { return false }
func (Windows) isNormal(string) bool    { return false }

const uncPrefix = `\\?\UNC\`

// split knows \dir, C:\dir, C:dir, \\server\share\dir, \\.\device\dir and
// \\?\UNC\server\share\dir.
func (Windows) split(path string) (drive, root, rest string) {
	p := backslashes(path)
	if !strings.HasPrefix(p, `\`) {
		n := driveLetter(p)
		if n > 0 && strings.HasPrefix(p[n:], `\`) {
			return path[:n], path[n : n+1], path[n+1:]
		}
		return path[:n], "", path[n:]
	}
	if !strings.HasPrefix(p, `\\`) {
		return "", path[:1], path[1:]
	}
	start := 2
	if len(p) >= len(uncPrefix) && strings.ToUpper(p[:len(uncPrefix)]) == uncPrefix {
		start = len(uncPrefix)
	}
	server := strings.IndexByte(p[start:], '\\')
	if server < 0 {
		return path, "", ""
	}
	share := strings.IndexByte(p[start+server+1:], '\\')
	if share < 0 {
		return path, "", ""
	}
	end := start + server + 1 + share
	return path[:end], path[end : end+1], path[end+1:]
}

// driveLetter returns how many bytes of p are a drive letter, any character, and
// its colon.
func driveLetter(p string) int {
	if p == "" {
		return 0
	}
	_, n := decode(p)
	if strings.HasPrefix(p[n:], ":") {
		return n + 1
	}
	return 0
}

func backslashes(path string) string { return strings.ReplaceAll(path, "/", `\`) }

func (w Windows) join(path, next string) string {
	drive, root, rest := w.split(path)
	nextDrive, nextRoot, nextRest := w.split(next)
	switch {
	case nextRoot != "": // absolute, or on the drive that we have
		if nextDrive != "" || drive == "" {
			drive = nextDrive
		}
		root, rest = nextRoot, nextRest
	case nextDrive != "" && lower(nextDrive) != lower(drive):
		drive, root, rest = nextDrive, nextRoot, nextRest
	default:
		if nextDrive != "" {
			drive = nextDrive
		}
		if rest != "" && !w.isSeparator(rest[len(rest)-1]) {
			rest += `\`
		}
		rest += nextRest
	}
	if rest != "" && root == "" && drive != "" && !strings.ContainsRune(`:\/`, rune(drive[len(drive)-1])) {
		return drive + `\` + rest
	}
	return drive + root + rest
}

// impliedRoot: a share is a root, written or not.
func (Windows) impliedRoot(drive string) string {
	if !strings.HasPrefix(drive, `\`) || strings.HasSuffix(drive, `\`) {
		return ""
	}
	parts := strings.Split(drive, `\`)
	isDevice := len(parts) > 2 && strings.Contains("?.", parts[2])
	if len(parts) == 4 && !isDevice || len(parts) == 6 { // \\server\share, \\?\UNC\server\share
		return `\`
	}
	return ""
}

func (Windows) isAbsolute(path string) bool {
	n := driveLetter(path)
	return strings.HasPrefix(path, `\\`) || n > 0 && strings.HasPrefix(path[n:], `\`)
}

func (w Windows) isReserved(path string) bool {
	_, _, rest := w.split(path)
	for name := range strings.SplitSeq(rest, `\`) {
		if isReservedName(name) {
			return true
		}
	}
	return false
}

// isReservedName reports whether Windows takes name for a device, or for another
// name than it is. Versions differ; what any of them reserves is reserved here.
func isReservedName(name string) bool {
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return name != "." && name != ".."
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune(`"*:<>?|/\`, r) }) {
		return true
	}
	base, _, _ := strings.Cut(name, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	number, ok := strings.CutPrefix(base, "COM")
	if !ok {
		number, ok = strings.CutPrefix(base, "LPT")
	}
	if !ok || number == "" {
		return false
	}
	r, n := decode(number)
	return n == len(number) && strings.ContainsRune("123456789¹²³", r)
}

func (Windows) uri(drive, posix string) (prefix, path string) {
	n := driveLetter(drive)
	switch {
	case n > 0 && n == len(drive):
		return "file:///" + drive, posix[n:]
	case drive != "":
		return "file:", posix
	default:
		return "file://", posix
	}
}

func (Windows) fromURI(uri string) string {
	path := withoutAuthority(uri)
	if strings.HasPrefix(path, "///") || len(path) > 2 && path[0] == '/' && (path[2] == ':' || path[2] == '|') {
		path = path[1:]
	}
	if len(path) > 1 && path[1] == '|' { // as old programs write it
		path = path[:1] + ":" + path[2:]
	}
	return path
}

// lower is s in lower case, by the rules of Unicode for whole strings: a dotted
// capital I becomes two characters, and a sigma at the end of a word is special.
func lower(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := decode(s[i:])
		switch {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && isLetterAtEnd(s[:i]) && !isLetterAtFront(s[i+n:]):
			b.WriteRune('ς')
		default:
			b.WriteString(strings.ToLower(s[i : i+n]))
		}
		i += n
	}
	return b.String()
}

// isLetterAtFront reports whether s begins with a letter that has a case, past
// characters that do not count, such as accents and apostrophes.
func isLetterAtFront(s string) bool {
	for _, r := range s {
		if !isCaseIgnorable(r) {
			return isCased(r)
		}
	}
	return false
}

// isLetterAtEnd is isLetterAtFront from the other side.
func isLetterAtEnd(s string) bool {
	runes := []rune(s)
	for i := len(runes) - 1; i >= 0; i-- {
		if !isCaseIgnorable(runes[i]) {
			return isCased(runes[i])
		}
	}
	return false
}

func isCased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func isCaseIgnorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:··\u055f״‘’․‧︓﹒﹕＇．：", r)
}
