//go:build unix && !linux

package process

var kernels = []kernel{{"this", func(bool) {}}}
