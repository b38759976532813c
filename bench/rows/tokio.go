package rows

import (
	"os"
	"path/filepath"
	"runtime"
)

// tokioPeer is where cargo leaves the peer in Rust, which is in ../tokio.
func tokioPeer() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(filepath.Dir(here)), "tokio", "target", "release", "peer")
}

func tokioLacks() string {
	if _, err := os.Stat(tokioPeer()); err != nil {
		return "it has not been built, see bench/tokio/Cargo.toml"
	}
	return ""
}
