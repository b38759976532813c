//go:build !linux && !darwin

package netstream

// setNotSentLowat does nothing: there is no such option here.
func setNotSentLowat(c conn) {}
