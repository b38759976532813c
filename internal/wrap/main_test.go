package wrap

import (
	"testing"

	"trigo/trigotest"
)

func TestMain(m *testing.M) { trigotest.Main(m) }
