package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trigo/bench/rows"
)

// TestMain is for the servers, which are this program again.
func TestMain(m *testing.M) {
	rows.ServeIfChild()
	os.Exit(m.Run())
}

// small is a row that takes no time and starts nothing.
const small = "^receive of 64 B"

func output(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return out.String()
}

func TestListPrintsNames(t *testing.T) {
	if got, want := output(t, "-list", "-run", small), "receive of 64 B that are there\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := strings.Count(output(t, "-list"), "\n"), len(rows.All()); got != want {
		t.Errorf("%d lines for %d rows", got, want)
	}
}

func TestTable(t *testing.T) {
	got := output(t, "-short", "-run", small)
	for _, want := range []string{"trigo's part", "net *", "promised", "short: fewer rounds"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestJSON(t *testing.T) {
	var results []rows.Result
	if err := json.Unmarshal([]byte(output(t, "-short", "-json", "-run", small)), &results); err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 || len(results[0].Contestants) != 2 {
		t.Fatalf("%+v", results)
	}
	if f := results[0].Contestants[1]; f.Ratio == nil || f.Limit != 1 || f.Allocs == nil {
		t.Errorf("%+v", f)
	}
}

func TestMarkdownGoesBetweenTheMarkers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	page := "# Page\n\n" + tableBegins + "old\n" + tableEnds + "\nThe rest.\n"
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	table := output(t, "-short", "-markdown", "-into", file, "-run", small)
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(page, "old\n", table, 1); string(got) != want {
		t.Errorf("the page is\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "|") && strings.Count(line, "|") != len(columns)+3 {
			t.Errorf("a line of another width: %s", line)
		}
	}
	if err := insert(filepath.Join("..", "README.md"), ""); err == nil {
		t.Error("a page without markers was written")
	}
}

func TestChart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "chart")
	output(t, "-short", "-svg", file, "-run", small)
	chart, err := os.ReadFile(file + ".svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(chart, []byte("receive of 64 B")) {
		t.Error("the row is not in the chart")
	}
}

func TestBadArguments(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-run no-such-row", "no row matches"},
		{"-run (", "-run:"},
		{"echo", "-run"},
		{"-json -markdown", "one of them"},
		{"-nonsense", "-nonsense"},
	} {
		err := run(t.Context(), strings.Fields(c.args), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want something with %q", c.args, err, c.want)
		}
	}
}

// TestCommandsOfThePage has every command of docs/performance.md understood, and
// choose rows.
func TestCommandsOfThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	if err := insertable(string(page)); err != nil {
		t.Error(err)
	}
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			args, ok := strings.CutPrefix(strings.TrimSpace(line), "go run . ")
			if !ok {
				continue
			}
			commands++
			words := regexp.MustCompile(`'[^']*'|\S+`).FindAllString(args, -1)
			for i, w := range words {
				words[i] = strings.Trim(w, "'")
			}
			if output(t, append(words, "-list")...) == "" {
				t.Errorf("%s chooses nothing", args)
			}
		}
	}
	if commands == 0 {
		t.Error("the page has no commands")
	}
}

func insertable(page string) error {
	file, err := os.CreateTemp("", "page")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.WriteString(page); err != nil {
		return err
	}
	return insert(file.Name(), "a table\n")
}
