//go:build !linux

package relay_test

const splices = false
