// Command tree counts the files below a directory, and the lines in them, by
// suffix. A directory that cannot be read is told of, and the rest is counted.
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"

	"trigo/file"
	"trigo/signals"
)

type count struct{ files, lines int }

func main() {
	err := signals.Shutdown(context.Background(), func(ctx context.Context) error {
		counts, err := countTree(ctx, file.Path(os.Args[1]))
		for _, suffix := range slices.Sorted(maps.Keys(counts)) {
			fmt.Printf("%s: %d files, %d lines\n", suffix, counts[suffix].files, counts[suffix].lines)
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
}

func countTree(ctx context.Context, dir file.Path) (map[string]count, error) {
	counts := map[string]count{}
	visible := func(e file.Entry) bool { return e.Name()[0] != '.' }
	for entry, err := range dir.Walk(ctx, &file.WalkOptions{Enter: visible}) {
		switch {
		case ctx.Err() != nil:
			return counts, err
		case err != nil:
			log.Println(err)
			continue
		case !entry.IsFile():
			continue
		}
		lines, err := countLines(ctx, entry.Path)
		if err != nil {
			return counts, err
		}
		suffix := entry.Path.Suffix()
		c := counts[suffix]
		counts[suffix] = count{c.files + 1, c.lines + lines}
	}
	return counts, nil
}

func countLines(ctx context.Context, path file.Path) (lines int, err error) {
	// What is no text is counted too: bytes that mean nothing are replaced.
	f, err := file.OpenText(ctx, path, "r", &file.TextOptions{Errors: "replace"})
	if err != nil {
		return 0, err
	}
	defer f.Close(ctx)
	for _, err := range f.Lines(ctx) {
		if err != nil {
			return lines, err
		}
		lines++
	}
	return lines, nil
}
