package main

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"trigo/endpoint"
)

func TestEveryFlagIsDescribedAndBelongsToACommand(t *testing.T) {
	known := map[string]bool{}
	for _, c := range commands() {
		known[c.name] = true
	}
	seen := map[string]bool{}
	for _, f := range defaults().flags() {
		if seen[f.name] {
			t.Errorf("two flags %s", f.dashed())
		}
		seen[f.name] = true
		if short := f.name == "h" || f.name == "vv" || f.name == "qq"; (f.help == "") != short {
			t.Errorf("%s: help %q", f.dashed(), f.help)
		}
		for name := range strings.FieldsSeq(f.for_) {
			if !known[name] {
				t.Errorf("%s is for %s", f.dashed(), name)
			}
		}
	}
}

func TestHelpAndManualHaveEverything(t *testing.T) {
	var help strings.Builder
	if err := printHelp(&help); err != nil {
		t.Fatal(err)
	}
	man := strings.ReplaceAll(manual(), `\-`, "-")
	for _, text := range []struct{ name, text string }{{"help", help.String()}, {"manual", man}} {
		for _, k := range endpoint.Kinds() {
			if !strings.Contains(text.text, k.Form) {
				t.Errorf("%s: no %s", text.name, k.Form)
			}
			for _, o := range k.Options {
				if !strings.Contains(text.text, o.Key) {
					t.Errorf("%s: no option %s of %s", text.name, o.Key, k.Name)
				}
			}
		}
		for _, f := range defaults().flags() {
			if f.help != "" && !strings.Contains(text.text, f.form()) {
				t.Errorf("%s: no %s", text.name, f.form())
			}
		}
		for _, c := range commands() {
			if !strings.Contains(text.text, c.form()) {
				t.Errorf("%s: no %s", text.name, c.form())
			}
		}
	}
}

func TestTheManualRenders(t *testing.T) {
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("groff is not installed")
	}
	cmd := exec.Command("groff", "-man", "-Tutf8", "-ww", "-P-cbou")
	cmd.Stdin = strings.NewReader(manual())
	var warnings strings.Builder
	cmd.Stderr = &warnings
	out, err := cmd.Output()
	if err != nil || warnings.Len() > 0 {
		t.Errorf("%v\n%s", err, &warnings)
	}
	for _, word := range []string{"EXIT STATUS", "tcp-listen:[HOST:]PORT", "self-signed"} {
		if !strings.Contains(strings.ReplaceAll(string(out), "‐", "-"), word) {
			t.Errorf("no %q on the page", word)
		}
	}
}

func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	for _, c := range []struct {
		line string // up to the cursor
		want string // among the replies; "!" before what must not be
	}{
		{"trigo tcp-l", "tcp-listen"},
		{"trigo pro", "probe proxy-send"},
		{"trigo --exit", "--exit-from"},
		{"trigo - ud", "udp"},
		{"trigo - tls,ragged", "tls,ragged=ok"},
		{"trigo - tls,ragged=", "ok"},
		{"trigo - tls,name=a,al", "a,alpn="},
		{"trigo - tls,name=a+so", "a+socks5 !a+probe"},
		{"trigo - tcp:localhost:80,nod", "80,nodelay"},
		{"trigo unix-listen:/run/s,mo", "/run/s,mode="},
		{"trigo fault,re", "fault,reset@"},
	} {
		// As readline would call it.
		script := bashCompletion() + `
line=$1
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
COMP_WORDS=($(sed 's/\([:=]\)/ \1 /g' <<<"$line"))
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$line COMP_POINT=${#line}
compopt() { :; }
_trigo
printf '%s\n' "${COMPREPLY[@]}"
`
		out, err := exec.Command(bash, "--norc", "-c", script, "bash", c.line).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		replies := "\n" + string(out)
		for want := range strings.FieldsSeq(c.want) {
			word, not := strings.CutPrefix(want, "!")
			if strings.Contains(replies, "\n"+word+"\n") == not {
				t.Errorf("%s: %q is among the replies: %v\n%s", c.line, word, !not, out)
			}
		}
	}
}

// Shells that are there can at least read their completion.
func TestCompletionsAreUnderstood(t *testing.T) {
	for _, c := range []struct {
		shell  string
		args   []string
		script string
	}{
		{"bash", []string{"-n"}, bashCompletion()},
		{"zsh", []string{"-n"}, zshCompletion()},
		{"fish", []string{"--no-execute"}, fishCompletion()},
		{"pwsh", []string{"-NoProfile", "-Command", "[scriptblock]::Create($input | Out-String) | Out-Null"}, pwshCompletion()},
	} {
		t.Run(c.shell, func(t *testing.T) {
			if strings.Contains(c.script, "%!") {
				t.Error("a verb was not understood")
			}
			for _, word := range []string{"tcp-listen", "self-signed", "max-per-ip"} {
				if !strings.Contains(c.script, word) {
					t.Errorf("no %s", word)
				}
			}
			path, err := exec.LookPath(c.shell)
			if err != nil {
				t.Skipf("%s is not installed", c.shell)
			}
			cmd := exec.Command(path, c.args...)
			cmd.Stdin = strings.NewReader(c.script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func TestMistypedFlagsAreRecognized(t *testing.T) {
	specs := defaults().flags()
	for name, want := range map[string]string{
		"lnger": "--linger", "lingre": "--linger", "lingers": "--linger", "max-con": "--max-conns", "dryrun": "--dry-run",
		"xyz": "", "z": "",
	} {
		if got := nearestFlag(specs, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestPresetsAreWrittenAsPeopleDo(t *testing.T) {
	want := map[string]string{"linger": "60s", "drain": "30s", "idle": "off", "buffer": "64K", "size": "64M", "backoff": "200ms..30s", "max-conns": "1024"}
	for _, f := range defaults().flags() {
		if w, ok := want[f.name]; ok && f.preset() != w {
			t.Errorf("%s: %s, want %s", f.name, f.preset(), w)
		}
	}
	if got := brevity(2 * time.Minute); got != "2m" {
		t.Error(got)
	}
}
