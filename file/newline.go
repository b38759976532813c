package file

import (
	"bytes"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
)

// A Newline says what ends a line of text when reading, and what is written for
// "\n". They are the five values that Python's open has for newline.
type Newline int

const (
	// NewlineUniversal reads "\n", "\r" and "\r\n" as "\n", and writes "\n" as
	// the system has it ("\r\n" on Windows). Python: None.
	NewlineUniversal Newline = iota
	// NewlineKeep takes "\n", "\r" and "\r\n" for the end of a line, and changes
	// nothing, neither reading nor writing. Python: "".
	NewlineKeep
	// NewlineLF takes "\n" alone for the end of a line and changes nothing.
	NewlineLF
	// NewlineCR takes "\r" alone for the end of a line, which is not changed, and
	// writes "\n" as "\r".
	NewlineCR
	// NewlineCRLF takes "\r\n" alone for the end of a line, which is not changed,
	// and writes "\n" as "\r\n".
	NewlineCRLF
)

func (n Newline) check() error {
	if n < NewlineUniversal || n > NewlineCRLF {
		return fmt.Errorf("newline %d is none of the constants: %w", n, fs.ErrInvalid)
	}
	return nil
}

// holds reports whether a "\r" says nothing until it is known what follows.
func (n Newline) holds() bool { return n == NewlineUniversal || n == NewlineKeep }

// read changes text in place to what is given out, and returns it.
func (n Newline) read(text []byte) []byte {
	at := -1
	if n == NewlineUniversal {
		at = bytes.IndexByte(text, '\r')
	}
	if at < 0 {
		return text
	}
	out := text[:at]
	for i := at; i < len(text); i++ {
		c := text[i]
		if c == '\r' {
			c = '\n'
			if i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
		}
		out = append(out, c)
	}
	return out
}

// lineLength returns how long the first line of text is, with its end; 0 if it has
// none.
func (n Newline) lineLength(text []byte) int {
	switch n {
	case NewlineKeep:
		i := bytes.IndexAny(text, "\r\n")
		if i >= 0 && text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		return i + 1
	case NewlineCR:
		return bytes.IndexByte(text, '\r') + 1
	case NewlineCRLF:
		if i := bytes.Index(text, []byte("\r\n")); i >= 0 {
			return i + 2
		}
		return 0
	}
	return bytes.IndexByte(text, '\n') + 1
}

// write returns s as it is written.
func (n Newline) write(s string) string {
	switch {
	case n == NewlineCR:
		return strings.ReplaceAll(s, "\n", "\r")
	case n == NewlineCRLF, n == NewlineUniversal && runtime.GOOS == "windows":
		return strings.ReplaceAll(s, "\n", "\r\n")
	}
	return s
}
