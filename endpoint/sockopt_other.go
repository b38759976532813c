//go:build !unix

package endpoint

// systemOption knows no option where there is no package socket.
func systemOption(key string, value int, text string) (early, late []socketOption, known bool) {
	return nil, nil, false
}
