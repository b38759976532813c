//go:build !(linux && (amd64 || arm64) && !race && !msan && !asan)

package socket

const silent = false
