//go:build unix

package file

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// generation is the content of the file the n-th time.
func generation(n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "generation %d\n", n), 5000)
}

func init() {
	// replacer replaces a file again and again, until it is killed.
	roles["replacer"] = func() {
		path := Path(os.Getenv("TRIGO_FILE_PATH"))
		fmt.Println("ready")
		for n := 1; ; n++ {
			if err := WriteAtomic(context.Background(), path, generation(n), nil); err != nil {
				fmt.Println(err)
				return
			}
		}
	}
}

func TestKilledAtAnyMomentAnAtomicWriteLeavesTheOldFileOrTheNew(t *testing.T) {
	kills := 20
	if os.Getenv("TRIGO_SOAK") != "" {
		kills = 400
	}
	path := scratch(t, string(generation(0)))
	changed := 0
	for range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"=replacer", "TRIGO_FILE_PATH="+string(path))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
			t.Fatalf("the child: %v", err)
		}
		select {
		case <-time.After(rand.N(5 * time.Millisecond)): // any moment
		case <-t.Context().Done():
		}
		cmd.Process.Kill()
		if said, err := io.ReadAll(out); len(said) > 0 || err != nil {
			t.Errorf("the child said %q, %v", said, err)
		}
		cmd.Wait()

		got := contentOf(t, path)
		var n int
		if _, err := fmt.Sscanf(got, "generation %d\n", &n); err != nil || got != string(generation(n)) {
			t.Fatalf("the file has %d bytes that begin with %.40q", len(got), got)
		}
		if n > 0 {
			changed++
		}
		for _, name := range listing(t, path) {
			if name == "file" {
				continue
			}
			if !strings.HasPrefix(name, ".file.tmp-") {
				t.Errorf("there is a file %q", name)
			}
		}
		// What is left does not stand in the way of the next.
		if err := WriteAtomic(t.Context(), path, generation(0), nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills: %d after a first replacement, %d left a temporary file", kills, changed, len(listing(t, path))-1)
}
