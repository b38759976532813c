package file

// The paths and patterns that are compared with CPython, beside random ones.

var commonPaths = []string{
	"", ".", "..", "./", "../", "a", "a/", "a//b", "a/./b", "a/../b", "./a", "../a", "../..", "a/b/c", "a/b/c/", "a/b/../c",
	"/", "//", "///", "/a", "//a", "///a", "/a/b", "//a/b", "//a/b/c", "/.", "/..", "/a/..", "/a/./b//c",
	".hidden", ".hidden.txt", "a.txt", "a.tar.gz", "a.", "a..", "..a", ".a.", "a.b.", "...", "a b", " ", "ä.ö", "dir.d/a.tar.gz",
	"A/B", "a/B", "x\ny", "a-b/c", "a/b-c", "a\xff/b\xfe.c", "a:b", "*", "a?b", "%41", "~", "~a/b", "€", "日本.txt", "tab\tx",
}

var posixPaths = append([]string{`a\b`, `\`, `c:\x`, "/usr/lib/python3.13/site-packages"}, commonPaths...)

var windowsPaths = append([]string{
	"c:", "c:/", `c:\`, "C:/", "c:a", "c:a/b", `c:\a\b`, `C:\A\b`, "c:/a/../b", "d:a", "d:/a", ":", ":a", "cc:a", "ä:b", "./c:a", "./c:/a", "c:.", "c:..",
	`\a`, `\\`, `\\\`, `\\srv`, `\\srv\`, `\\srv\share`, `\\srv\share\`, `//srv/share/a/b`, `//SRV/Share/A`, `\\srv\share\a`, `\\srv\\share`,
	`\\?\c:\a`, `\\?\UNC\srv\share\a`, `\\?\unc\srv\share`, `\\?\unc\srv`, `\\.\dev`, `\\.\dev\a`, `//?/`, `//./`, `\\?\`, `\\?\Volume{1}\x`, `\\ \x\y`,
	"nul", "NUL.txt", "nul .txt", "con", "aux/x", "COM1", "com¹", "lpt0", "LPT9.a.b", "a.", "a ", "conin$", "a:b", "a*b", "x\x01y", "a|b",
	"Straße", "STRASSE", "ΑΣ", "ας", "ΑΣ.Β", "Σ", "İx", "i\u0307x", "ſ", "K", "ﬁ", "A'Σ", "AΣ'", "AΣa", "ΌΣΟΣ",
}, commonPaths...)

var commonPatterns = []string{
	"", ".", "*", "**", "***", "a", "A", "a/b", "*/b", "a/*", "*/*", "**/b", "a/**", "a/**/c", "**/*", "**/**", "**/a/**", "*/**/*", "a/**/**/c",
	"/", "/*", "/**", "//*", "/**/c", "/a/b", "?", "??", "*.txt", "*.*", ".*", "*.", "a*", "*a", "a*b*c", "**a", "a**", "*/../*", "..", "../*",
	"[a]", "[!a]", "[ab]", "[a-c]", "[!a-c]", "[c-a]", "[!c-a]", "[a-", "[", "[]", "[]a]", "[!]a]", "[^a]", "[a^]", "[[]", "[a-]", "[-a]", "[!-a]", "[a-c-e]",
	"[b-ax-z]", "[!b-ax]", "[b-a!c]", "[b-!x]", "[b-!x-z]", "[--a]", "[a--]", "[&&]", "[a||b]", "[~]", `[\]`, "[+-9]", "[!+]", "a[!x]b", "a[+-9]b", "[a/b]", "[!", "[!]",
	"[A-Z]", "[ä]", "[Ä]", "?.ö", "x?y", "*\n*", "a?b", "\xff", "a?/b?.c", "[\x80-\xff]", "[À-ÿ]*", "日?.*", "[日-月]*", "*.TXT", "**/*.GZ", "dir.d/*",
}

var posixPatterns = append([]string{`a\b`, `*\*`, "/usr/**/site-*", "/[!x]*"}, commonPatterns...)

var windowsPatterns = append([]string{
	"c:", "c:*", "c:/*", "C:/**", "c:**", `*:\*`, `\\*\*\*`, "//srv/*/*", "//*/share/", "//srv/share/**", "?:/a/*", "K", "k", "s", "S", "ſ", "i", "ı", "[i]*", "[k]", "[ſ]",
	"STRASSE", "straße", "[ß]", "α?", "α[ς]", "ΑΣ", "[Α-Ω]*", "[a-z]x", "[A-Z]*", "[i-j]x", "µ", "*.β",
}, commonPatterns...)
