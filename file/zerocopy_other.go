//go:build !unix

package file

// awaitsWriter is never so where there are no FIFOs.
func awaitsWriter(int) bool { return false }
