package file

import (
	"os"
	"testing"

	"trigo/trigotest"
)

// childVariable names what this program is to do as the child of a test.
const childVariable = "TRIGO_FILE_CHILD"

// roles are what it can be, by name.
var roles = map[string]func(){}

func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv(childVariable)]; ok {
		role()
		os.Exit(0)
	}
	trigotest.Main(m)
}
