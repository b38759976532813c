package netstream

import (
	"testing"

	"golang.org/x/sys/unix"
)

func checkBoundWithoutPort(t *testing.T, s *Stream) {
	t.Helper()
	if v := socketOption(t, s.conn(), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT); v != 1 {
		t.Errorf("IP_BIND_ADDRESS_NO_PORT is %d", v)
	}
}
