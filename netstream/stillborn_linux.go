package netstream

import "syscall"

func init() {
	stillborn[syscall.ENONET] = true
	stillborn[syscall.ENOSR] = true
}
