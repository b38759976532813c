package proxy_test

import (
	"testing"

	"trigo/trigotest"
)

func TestMain(m *testing.M) { trigotest.Main(m) }
