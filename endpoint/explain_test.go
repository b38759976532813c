package endpoint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestExplanations(t *testing.T) {
	for text, want := range map[string][3]string{ // text, warnings, what is in the way of the kernel
		"-": {"stdio", "", ""},
		"tls:www.example+connect:www.example:443+tls:proxy.corp,ca=corp.pem+tcp:proxy.corp:8443": {
			"tls(client name=www.example verify=system min=1.2) > http-connect(www.example:443) > " +
				"tls(client name=proxy.corp ca=corp.pem) > tcp(proxy.corp:8443 rfc8305)", "", "tls"},
		"tcp-listen:2375":                          {"tcp-listen(*:2375)", "exposed: listens on all addresses without tls", ""},
		"tcp-listen:0.0.0.0:1":                     {"tcp-listen(*:1)", "exposed: listens on all addresses without tls", ""},
		"tcp-listen:[::]:1":                        {"tcp-listen(*:1)", "exposed: listens on all addresses without tls", ""},
		"tcp-listen:127.0.0.1:1,max=5":             {"tcp-listen(127.0.0.1:1 max=5)", "", ""},
		"udp-listen:1":                             {"udp-listen(*:1 idle=60s)", "exposed: listens on all addresses without tls", "udp-listen"},
		"unix:/var/run/docker.sock":                {"unix(/var/run/docker.sock)", "root: docker.sock gives root", ""},
		"tls-server:443,self-signed":               {"tls(server self-signed verify=off min=1.2) > tcp-listen(*:443)", "", "tls-server"},
		"tls-server,cert=c,ca=a+systemd:web":       {"tls(server ca=a cert=c verify=require min=1.2) > systemd(web)", "", "tls-server"},
		"tls:h:443,verify=off,min=1.3":             {"tls(client name=h verify=off min=1.3) > tcp(h:443 rfc8305)", "unverified: does not verify its peer", "tls"},
		"tls,pin=sha256:" + zeros + "+unix:/s":     {"tls(client pin=sha256:" + zeros + " min=1.2) > unix(/s)", "", "tls"},
		"socks5:h:1,auth=me:hush+p:1":              {"socks5(h:1 auth=... dns=remote) > tcp(p:1 rfc8305)", "", ""},
		"connect:h:1,auth=@/secret+p:1":            {"http-connect(h:1 auth=@/secret) > tcp(p:1 rfc8305)", "", ""},
		"proxy-send+h:1":                           {"proxy-send(v=2) > tcp(h:1 rfc8305)", "", ""},
		"proxy-accept,from=::1+tcp-listen:[::1]:1": {"proxy-accept(from=::1) > tcp-listen([::1]:1)", "", ""},
		"count+rate=1MB/s+h:1":                     {"count > rate(1MB/s) > tcp(h:1 rfc8305)", "", "count"},
		"fault,seed=7,reset@1MB+h:1":               {"fault(seed=7 reset@1MB) > tcp(h:1 rfc8305)", "", "fault"},
		"exec,pty":                                 {"exec(pty)", "", "exec"},
		"exec,stderr=drop":                         {"exec(stderr=drop)", "", ""},
		"literal:a%0Ab":                            {"literal(a b)", "", "literal"},
	} {
		x := parsed(t, "%s", strings.ReplaceAll(text, "%", "%")).Explain()
		var warnings []string
		for _, w := range x.Warnings {
			warnings = append(warnings, w.Code+": "+w.Text)
		}
		if got := [3]string{x.Text, strings.Join(warnings, "; "), x.CopyReason}; got != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

var zeros = strings.Repeat("0", 64)

// What help, manual and completion are made of.
func TestTheTableIsComplete(t *testing.T) {
	line := regexp.MustCompile(`^[^\n]{5,110}[^.\n]$`)
	seen := make(map[string]bool)
	for _, k := range Kinds() {
		if !line.MatchString(k.Help) || k.Form == "" || !strings.HasPrefix(k.Form, k.Name) {
			t.Errorf("%s: help %q, form %q", k.Name, k.Help, k.Form)
		}
		for _, name := range append([]string{k.Name}, k.Aliases...) {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			if found, ok := FindKind(name); !ok || found.Name != k.Name {
				t.Errorf("%s is not found", name)
			}
		}
		keys := make(map[string]bool)
		for _, o := range k.Options {
			if !line.MatchString(o.Help) || o.Type == "" || keys[o.Key] || (o.Type == Enum) != (len(o.Choices) > 0) {
				t.Errorf("%s: %+v", k.Name, o)
			}
			keys[o.Key] = true
			if o.Default != "" {
				if err := o.check(o.Default); err != nil {
					t.Errorf("%s: the default of %s: %v", k.Name, o.Key, err)
				}
			}
			if o.Type != Text && o.Type != Bool && o.want() == "" && !slices.Contains([]Type{Path, Host, Port}, o.Type) {
				t.Errorf("%s: nothing says what %s wants", k.Name, o.Key)
			}
		}
		if findKind(k.Name).prepare == nil {
			t.Errorf("%s cannot be opened", k.Name)
		}
	}
	if _, ok := FindKind("frobnicate"); ok {
		t.Error("there is a frobnicate")
	}
	Kinds()[1].Options[0].Key = "spoilt"
	if fmt.Sprint(Kinds()[1].Options[0].Key) == "spoilt" {
		t.Error("the table can be changed from outside")
	}
}
