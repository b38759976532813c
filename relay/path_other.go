//go:build !linux

package relay

import "trigo/internal/fdstream"

// choose finds no other way here.
func choose(fdstream.Receiver, fdstream.Sender) (Path, string) {
	return PathCopy, "this system does not splice"
}
