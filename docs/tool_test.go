//go:build unix

package docs

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"trigo/endpoint"
)

const toolPage = "tool.md"

// The tables of the page are those of the program. Run with -update to write them.
func TestTheTablesOfTheToolAreTrue(t *testing.T) {
	page, err := os.ReadFile(toolPage)
	if err != nil {
		t.Fatal(err)
	}
	help := runTool(t, buildTool(t), t.TempDir(), "", "--help")
	_, codes, _ := strings.Cut(help, "\nexit codes\n")
	want := string(page)
	for name, table := range map[string]string{
		"layers": layersTable(),
		"flags":  rowsOf("flag", flagsOf(help)),
		"codes":  rowsOf("code", codes),
	} {
		block := regexp.MustCompile("(?s)<!-- " + name + " -->\n.*?<!-- end -->")
		if !block.MatchString(want) {
			t.Fatalf("there is no place for %s", name)
		}
		want = block.ReplaceAllLiteralString(want, "<!-- "+name+" -->\n"+table+"<!-- end -->")
	}
	if *update {
		err = os.WriteFile(toolPage, []byte(want), 0o644)
	} else if want != string(page) {
		err = fmt.Errorf("the tables differ from the program: go test ./docs -run Tables -update")
	}
	if err != nil {
		t.Error(err)
	}
}

func layersTable() string {
	var b strings.Builder
	b.WriteString("| layer | what it is | options |\n|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`)
	for _, k := range endpoint.Kinds() {
		name := "`" + strings.Join(append([]string{k.Form}, k.Aliases...), "`, `") + "`"
		var keys []string
		for _, o := range k.Options {
			if !strings.Contains(o.Key, ".") { // send.cut@ is cut@ of one direction
				keys = append(keys, o.Key)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell.Replace(name), cell.Replace(k.Help), strings.Join(keys, " "))
	}
	return b.String()
}

// flagsOf returns the lines of the help that begin with a dash.
func flagsOf(help string) string {
	return strings.Join(regexp.MustCompile(`(?m)^  -.*\n`).FindAllString(help, -1), "")
}

// rowsOf makes rows of lines whose columns are two blanks apart.
func rowsOf(title, lines string) string {
	b := "| " + title + " | meaning |\n|---|---|\n"
	for line := range strings.Lines(lines) {
		if m := regexp.MustCompile(`^  (.*?)  +(.*)`).FindStringSubmatch(line); m != nil {
			b += "| `" + strings.ReplaceAll(m[1], "|", `\|`) + "` | " + strings.ReplaceAll(strings.TrimSpace(m[2]), "|", `\|`) + " |\n"
		}
	}
	return b
}

func buildTool(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to build the tool with")
	}
	path := filepath.Join(t.TempDir(), "trigo")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/trigo").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func runTool(t *testing.T, tool, dir, input string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v: %v: %s", args, err, &stderr)
	}
	return string(out)
}

var recipe = regexp.MustCompile("(?m)^(\\d+)\\. .*\n(?:.*\n)*?\n? +```sh\n((?: +trigo .*\n)+) +```\n")

// recipes returns the commands of each recipe.
func recipes(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile(toolPage)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]string)
	for _, m := range recipe.FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(m[2]) {
			all[m[1]] = append(all[m[1]], strings.TrimSpace(line))
		}
	}
	if blocks := strings.Count(string(page), "```sh\n"); len(all) != blocks || blocks != 20 {
		t.Fatalf("%d recipes in %d blocks, want 20", len(all), blocks)
	}
	return all
}

func TestTheRecipesOfTheToolWork(t *testing.T) {
	trials := map[string]func(k *kitchen){
		"1": func(k *kitchen) { k.echoes(k.listen(0)) },
		"2": func(k *kitchen) { k.echoes(k.listen(0)) },
		"3": func(k *kitchen) {
			k.listen(0)
			if info, err := os.Stat(k.dir + "/pg.sock"); err != nil || info.Mode().Perm() != 0o660 {
				k.Errorf("%v, %v", info, err)
			}
			k.exchange(must(net.Dial("unix", k.dir+"/pg.sock")))
		},
		"4": func(k *kitchen) { k.same("hello", k.run(0, "hello")) },
		"5": func(k *kitchen) { k.has("ok ", k.run(0, "")) },
		"6": func(k *kitchen) {
			noise := strings.Repeat("0123456789", 100_000)
			k.write("disk.img", noise)
			k.replace("there.internal:9000", k.listen(0))
			k.run(1, "")
			k.end()
			k.same(noise, k.read("copy.img"))
		},
		"7": func(k *kitchen) {
			out := k.run(0, "")
			for _, word := range []string{"TLS 1.3", "sha256:", "site.example", "127.0.0.1"} {
				k.has(word, out)
			}
			k.same("hello", k.run(1, "hello"))
		},
		"8": func(k *kitchen) { k.exchange(k.tls(k.listen(0))) },
		"9": func(k *kitchen) { k.echoes(k.listen(0)) },
		"10": func(k *kitchen) {
			k.exchange(k.tls(k.listen(0)))
			k.has("pin=sha256:", k.stderr.String())
		},
		"11": func(k *kitchen) {
			k.run(0, "")
			k.replace("localhost:4444", "localhost:"+port(k.listen(1)))
			k.same("hello", k.run(2, "hello"))
		},
		"12": func(k *kitchen) {
			addr := k.listen(0)
			a, b := must(net.Dial("tcp", addr)), must(net.Dial("tcp", addr))
			defer a.Close()
			defer b.Close()
			got := make(chan string, 1)
			go func() {
				line, _ := bufio.NewReader(b).ReadString('\n')
				got <- line
			}()
			tick := time.NewTicker(5 * time.Millisecond) // b may be a member any time now
			defer tick.Stop()
			for {
				fmt.Fprintln(a, "hello all")
				select {
				case line := <-got:
					k.same("hello all\n", line)
					return
				case <-tick.C:
				}
			}
		},
		"13": func(k *kitchen) {
			c := must(net.Dial("tcp", k.listen(0)))
			defer c.Close()
			written := make(chan error, 1)
			go func() {
				_, err := c.Write(make([]byte, 4<<20))
				written <- err
			}()
			n, err := io.Copy(io.Discard, c)
			if err == nil { // the kernel tells of a reset once: here, or to the writer
				err = <-written
			}
			if err == nil || n > 2<<20 {
				k.Errorf("%d bytes, %v, want a reset after a megabyte", n, err)
			}
		},
		"14": func(k *kitchen) {
			c := must(net.Dial("udp", k.listen(0)))
			defer c.Close()
			fmt.Fprintln(c, "<13>hello")
			k.await(func() bool { return strings.Contains(k.stdout.String(), "<13>hello\n") })
		},
		"15": func(k *kitchen) {
			c := must(net.Dial("udp", k.listen(0)))
			defer c.Close()
			c.SetDeadline(time.Now().Add(10 * time.Second))
			fmt.Fprint(c, "who is it?")
			buf := make([]byte, 100)
			n, err := c.Read(buf)
			if err != nil || string(buf[:n]) != "who is it?" {
				k.Errorf("%q, %v", buf[:n], err)
			}
		},
		"16": func(k *kitchen) {
			k.same("hello", k.run(0, "hello"))
			k.same("hello", k.run(1, "hello"))
		},
		"17": func(k *kitchen) {
			k.echoes(k.listen(0))
			k.await(func() bool { return strings.Contains(k.stderr.String(), "|hello") })
		},
		"18": func(k *kitchen) {
			k.write("handler", "#!/bin/sh\necho \"got $2\"\ncat\n")
			os.Chmod(k.dir+"/handler", 0o755)
			c := must(net.Dial("tcp", k.listen(0)))
			defer c.Close()
			c.(*net.TCPConn).CloseWrite()
			got, err := io.ReadAll(c)
			if string(got) != "got a, b: \"c\"\n" || err != nil {
				k.Errorf("%q, %v", got, err)
			}
			k.has("/dev/pts/", k.run(1, "tty; exit\n"))
		},
		"19": func(k *kitchen) { k.same("hello", k.run(0, "hello")) },
		"20": func(k *kitchen) {
			k.echoes(k.listen(0))
			k.systemd(1)
		},
	}
	tool := buildTool(t)
	stand := newStandIns(t, tool)
	for name, commands := range recipes(t) {
		t.Run(name, func(t *testing.T) {
			k := &kitchen{T: t, tool: tool, dir: t.TempDir(), commands: commands, stand: stand}
			for _, name := range []string{"cert.pem", "key.pem", "ca.pem"} {
				k.write(name, read(t, filepath.Join(stand.pki, name)))
			}
			trial := trials[name]
			if trial == nil {
				t.Fatal("nobody tries it")
			}
			trial(k)
		})
	}
}
