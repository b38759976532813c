package interop

import (
	"os"
	"testing"

	"trigo/trigotest"
)

// childEnv names what this program is to be instead of the tests.
const childEnv = "TRIGO_INTEROP_CHILD"

// children are those that the tests start of this program itself.
var children = map[string]func(args []string) error{
	"connect stdio": connectStdio,
	"web server":    serveWeb,
	"keep":          keep,
}

func TestMain(m *testing.M) {
	if child := children[os.Getenv(childEnv)]; child != nil {
		if err := child(os.Args[1:]); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	trigotest.Main(m)
}
