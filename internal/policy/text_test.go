package policy

import (
	"fmt"
	"strings"
	"testing"
)

const maxLines = 500

// longFiles forbids Go files of more than limit lines.
func longFiles(limit int) rule {
	return rule{
		why: "a file is about one thing and is read in one sitting",
		check: func(m *module, r *report) {
			for _, f := range m.files {
				if n := strings.Count(m.texts[f.path], "\n"); n > limit {
					r.add(f.path, limit+1, "%d lines, of %d at most", n, limit)
				}
			}
		},
	}
}

func TestFilesAreShort(t *testing.T) {
	longFiles(3).prove(t, `
-- a/good.go --
package a

// Three lines.
-- a/bad.go --
package a

// Four lines,
// one too many. // want
`)
	longFiles(maxLines).enforce(t)
}

// privateWords are cut in two here, so as not to be found in this file.
var privateWords = []string{"/wo" + "rk/", ".lib" + "rary"}

var privatePaths = rule{
	why: "a reader has this repository and nothing else: the files of somebody's machine mean nothing to them",
	check: func(m *module, r *report) {
		for name, text := range m.texts {
			line := 0
			for l := range strings.Lines(text) {
				line++
				for _, word := range privateWords {
					if strings.Contains(l, word) {
						r.add(name, line, "mentions %s", word)
					}
				}
			}
		}
	},
}

func TestNothingPointsOutOfTheRepository(t *testing.T) {
	privatePaths.prove(t, fmt.Sprintf(`
-- a/a.go --
package a

// This works/well in the library.
// See %snotes. // want
-- README.md --
Read the files in %s first. // want
`, privateWords[0], privateWords[1]))
	privatePaths.enforce(t)
}
