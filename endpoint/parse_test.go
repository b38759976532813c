package endpoint

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestAddressesAndTheirCanonicalForms(t *testing.T) {
	for text, want := range map[string]string{
		"-":                       "stdio",
		"stdio":                   "stdio",
		"tcp:localhost:80":        "tcp:localhost:80",
		"localhost:80":            "tcp:localhost:80",
		"192.0.2.1:80":            "tcp:192.0.2.1:80",
		"[::1]:80":                "tcp:[::1]:80",
		"tcp:[::1]:80":            "tcp:[::1]:80",
		"tcp:::1:80":              "tcp:[::1]:80",
		"tcp:[fe80::1%25lo]:80":   "tcp:[fe80::1%25lo]:80",
		"tcp:localhost:080":       "tcp:localhost:80",
		"tcp-listen:80":           "tcp-listen:80",
		"tcp-listen::80":          "tcp-listen:80",
		"tcp-l:localhost:0":       "tcp-listen:localhost:0",
		"tcp-listen:[::]:80":      "tcp-listen:[::]:80",
		"unix:/run/s":             "unix:/run/s",
		"unix:@abstract":          "unix:@abstract",
		"unix:a%2Cb%2bc%25":       "unix:a%2Cb%2Bc%25",
		"unix-l:s":                "unix-listen:s",
		"/no/such/socket":         "unix:/no/such/socket",
		"./s":                     "unix:./s",
		"//s":                     "unix:%2F/s",
		"../s":                    "unix:../s",
		"/no/such/file,create":    "file:/no/such/file,create",
		"/dev/null":               "file:/dev/null",
		"udp-l:53":                "udp-listen:53",
		"echo":                    "echo",
		"zero":                    "zero",
		"zero:1M":                 "zero:1M",
		"literal:a%2Cb%0A":        "literal:a%2Cb%0A",
		"systemd":                 "systemd",
		"fd:03":                   "fd:3",
		"tcp,host=::1,port=443":   "tcp:[::1]:443",
		"tcp,port=443,host=[::1]": "tcp:[::1]:443",
		"tcp-listen,port=443":     "tcp-listen:443",

		// options: in the order of the table, switches in one way
		"tcp:h:1,keepalive=30s,nodelay=no":   "tcp:h:1,nodelay=off,keepalive=30s",
		"tcp:h:1,nodelay=1":                  "tcp:h:1,nodelay",
		"tls:h,alpn=h2,alpn=http/1.1+h:1":    "tls:h,alpn=h2,alpn=http/1.1+tcp:h:1",
		"connect:h:1,auth=@/a%2Cb+p:1":       "connect:h:1,auth=@/a%2Cb+tcp:p:1",
		"connect:h:1,auth=env:PROXY+p:1":     "connect:h:1,auth=env:PROXY+tcp:p:1",
		"connect:h:1,auth=%40me:x+p:1":       "connect:h:1,auth=%40me:x+tcp:p:1",
		"connect:h:1,auth=env%3AX:x+p:1":     "connect:h:1,auth=env%3AX:x+tcp:p:1",
		"fault,cut@1K,seed=7,reset@1MB+h:1":  "fault,seed=7,reset@1MB,cut@1K+tcp:h:1",
		"fault,send.flip@10,receive.cut@1+-": "fault,send.flip@10,receive.cut@1+stdio",

		// layers that are filled in
		"tls:h:443":                       "tls:h+tcp:h:443",
		"tls:[::1]:443,min=1.3":           "tls:::1,min=1.3+tcp:[::1]:443",
		"tls,host=h,port=443":             "tls:h+tcp:h:443",
		"tls:h:443,name=x":                "tls,name=x+tcp:h:443",
		"tls-server,self-signed:443":      "",
		"tls-server:443,self-signed":      "tls-server,self-signed+tcp-listen:443",
		"rate=1MB/s+tls:h:443":            "rate=1MB/s+tls:h+tcp:h:443",
		"rate:1MB/s+h:443":                "rate=1MB/s+tcp:h:443",
		"tls+connect:site:443+proxy:3128": "tls+connect:site:443+tcp:proxy:3128",

		// schemes
		"tcp://h:1":                      "tcp:h:1",
		"tcp://h:1/":                     "tcp:h:1",
		"tcp://[::1]:1,nodelay=off":      "tcp:[::1]:1,nodelay=off",
		"tls://h:443":                    "tls:h+tcp:h:443",
		"udp://h:53":                     "udp:h:53",
		"unix:///run/s":                  "unix:/run/s",
		"file:///tmp/f,create":           "file:/tmp/f,create",
		"http-proxy://proxy:3128/h:443":  "connect:h:443+tcp:proxy:3128",
		"socks5://me:x@proxy:1080/h:443": "socks5:h:443,auth=me:x+tcp:proxy:1080",
	} {
		e, err := Parse(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q is %q, want an error", text, e)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v (%s)", text, err, err.(*Error).Hint)
			continue
		}
		if got := e.String(); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// The recipes and examples that the manual shows.
func TestTheAddressesOfTheRecipesAreTaken(t *testing.T) {
	for _, text := range []string{
		"tcp-listen:8080", "tcp:db:5432", "tcp-listen:127.0.0.1:2375", "unix:/var/run/docker.sock", "unix-listen:/run/pg.sock,mode=0660",
		"tcp:host:25", "file:img", "tcp:host:9000", "tcp-listen:9000", "file:img,create", "tls:site:443",
		"tls-server,cert=c.pem,key=k.pem+tcp-listen:443", "tcp:127.0.0.1:80", "tcp-listen:1430", "tls:imap.x:993",
		"tls-server,self-signed+tcp-listen:4443", "echo", "tls-server,self-signed,ca=ca.pem,verify=require,allow-dns=client1+tcp-listen:1",
		"udp-listen:514", "-", "connect:%25h:22+tcp:proxy:3128", "socks5:h:22+tcp:127.0.0.1:9050", "tcp-listen:8081", "tcp:api:80",
		"exec", "exec,pty", "unix:/run/qemu.mon", "systemd:web", "tcp:[::1]:8000",
		"tls:www.example+connect:www.example:443+tls:proxy.corp,ca=corp.pem+tcp:proxy.corp:8443",
		"tls:site+connect:site:443+tls:proxy+tcp:proxy:8443",
		"tcp-listen:127.0.0.1:0", "exec,stderr=inherit", "tcp-listen:5433,max=50",
		"fault,seed=7,delay=20ms,jitter=10ms,reset@1MB+tcp:db:5432",
		"tls-server,cert=a,key=b+systemd:web", "proxy-send,v=2+tcp:app:8080", "proxy-accept,from=10.0.0.0/8+tcp-listen:80",
		"rate=10MB/s,burst=1M+tcp:h:1", "tap=hex+tcp:h:1", "tap+h:1", "count+h:1", "idle=5m+h:1", "life=1h+h:1",
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v (%s)", text, err, err.(*Error).Hint)
			continue
		}
		again, err := Parse(e.String())
		if err != nil || !reflect.DeepEqual(e, again) {
			t.Errorf("%q is %q, which is %q, %v", text, e, again, err)
		}
		if _, err := Parse(e.Explain().Canonical); err != nil {
			t.Errorf("%q: what explains it cannot be parsed: %v", text, err)
		}
	}
}

func TestMistakesAreOneLineWithTheLayerAndAHint(t *testing.T) {
	for text, want := range map[string][2]string{
		"":                   {`address "": it is empty`, "try tcp:HOST:PORT, or - for standard input and output"},
		"tpc:h:1":            {`unknown layer "tpc"`, "did you mean tcp?"},
		"tcp-lisen:h:1":      {`unknown layer "tcp-lisen"`, "did you mean tcp-listen?"},
		"unxi:/s":            {`unknown layer "unxi"`, "did you mean unix?"},
		"ehco":               {`unknown layer "ehco"`, "did you mean echo?"},
		"h:http":             {`unknown layer "h"`, "the layers are stdio tcp unix"},
		"ws://h/":            {`unknown scheme "ws"`, "the schemes are tcp tls"},
		"tcp://h/x":          {`tcp://`, "want tcp://HOST:PORT"},
		"socks5://h:1":       {`socks5://`, "want socks5://PROXY:PORT/HOST:PORT"},
		"tcp":                {"tcp: missing HOST:PORT", "want tcp:HOST:PORT"},
		"tcp:":               {"tcp: nothing after the name", "want tcp:HOST:PORT"},
		"tcp:h":              {"tcp: missing port", "want tcp:HOST:PORT"},
		"tcp::80":            {"tcp: missing host", "want tcp:HOST:PORT"},
		"tcp:h:-1":           {`tcp: port "-1" is not a number`, "want tcp:HOST:PORT"},
		"tcp:h:99999":        {"tcp: port 99999 is out of range, the highest is 65535", "want tcp:HOST:PORT"},
		"tcp:h:0":            {"tcp: port 0 is for listening only", "want tcp:HOST:PORT"},
		"tcp:a b:80":         {`tcp: host "a b" contains ' '`, "want tcp:HOST:PORT"},
		"tcp:[h]:80":         {`tcp: "h" in brackets`, "want tcp:HOST:PORT"},
		"tcp:[::1]":          {"tcp: missing port", "want tcp:HOST:PORT"},
		"tcp:[fe80::1%lo]:1": {`tcp: "%lo" is no escape`, "write %25 for a %"},
		"tcp=h:1":            {"tcp: an argument follows a colon", "want tcp:HOST:PORT"},
		"tcp-listen:":        {"tcp-listen: nothing after the name", "want tcp-listen:[HOST:]PORT"},
		"unix:a%00":          {"unix: a zero byte", "want unix:PATH"},
		"echo:1":             {"echo: it takes no argument", "want echo"},
		"tcp:h:1,host=x":     {"tcp: it has an argument, and host= or port= as well", "want tcp:HOST:PORT"},
		"tcp,host=h":         {"tcp: missing port", "want tcp:HOST:PORT"},

		// options
		"tcp:h:1,nodely":          {`tcp: unknown option "nodely"`, "did you mean nodelay?"},
		"tcp:h:1,":                {"tcp: an option is empty", "write %2C for a comma in a value"},
		"tcp:h:1,ca=x":            {`tcp: unknown option "ca"`, "it is an option of tls"},
		"tls+tcp:h:1,min=1.3":     {`tcp: unknown option "min"`, "it is an option of tls"}, // and not a misspelt bind
		"echo,frobnicate":         {`echo: unknown option "frobnicate"`, "echo has no options"},
		"hub,frobnicate":          {`hub: unknown option "frobnicate"`, "the options of hub are lag"},
		"tcp:h:1,keepalive":       {"tcp: keepalive needs a value", "units required (500ms, 5s, 2m)"},
		"tcp:h:1,keepalive=5":     {"tcp: keepalive: 5 has no unit", "units required (500ms, 5s, 2m)"},
		"tcp:h:1,keepalive=x":     {`tcp: keepalive: "x" is not a duration`, "units required (500ms, 5s, 2m)"},
		"tcp:h:1,keepalive=-5s":   {"tcp: keepalive: want more than zero", "units required (500ms, 5s, 2m)"},
		"tcp:h:1,sndbuf=big":      {`tcp: sndbuf: "big" is not a size`, "want a size such as 512, 64k or 1M"},
		"tcp:h:1,mark=x":          {`tcp: mark: "x" is not a number`, "want a number"},
		"tcp:h:1,bind=localhost":  {`tcp: bind: "localhost" is not an IP address`, "want an IP address"},
		"tcp:h:1,nodelay=perhaps": {`tcp: nodelay: "perhaps" is neither on nor off`, "want on or off"},
		"tcp:h:1,nodelay,nodelay": {"tcp: nodelay: given twice", "leave one of them out"},
		"unix-listen:s,mode=999":  {`unix-listen: mode: "999" are no permissions`, "want permissions such as 0660"},
		"tls:h:1,min=1.1":         {`tls: min: "1.1" is`, "want 1.2 or 1.3"},
		"tls:h:1,pin=sha256:00":   {`tls: pin: "sha256:00" is not a pin`, "want sha256: and 64 hexadecimal digits"},
		"tls:h:1,ca=@":            {"tls: ca: nothing to read it from", "want ca=FILE"},
		"tls:h:1,ca=a%0":          {`tls: ca: "%0" is no escape`, "write %25 for a %"},
		"idle=5+h:1":              {"idle: 5 has no unit", "units required, as in idle=5s or 2m"},
		"rate=fast+h:1":           {`rate: "fast" is not a rate`, "want rate=10MB/s"},
		"tap=hexx+h:1":            {`tap: "hexx" is unknown; did you mean hex?`, "want tap[=text|hex]"},
		"fault,reset@x+h:1":       {`fault: reset@: "x" is not a size`, "want a place such as reset@1MB"},
		"fault,chunk=x+h:1":       {`fault: fault "chunk=x"`, "such as fault,seed=7"},
		"fault+h:1":               {"fault: it has no plan", "such as fault,seed=7,delay=20ms,reset@1MB"},
		"proxy-accept,from=x+h:1": {`proxy-accept: from: "x" is not a network`, "want a network such as 192.0.2.0/24"},
		"tcp-listen:1,max=0":      {"tcp-listen: max: nobody could connect", "leave it out for no limit"},
		"file:f,append,seek=1":    {"file: append and seek contradict each other", "leave one of them out"},
		"file:f,mode=0600":        {"file: mode has no effect without create", "pass create as well"},
		"exec,pty,stderr=drop":    {"exec: on a terminal standard error cannot be told apart", "leave one of them out"},
		"tls:h:1,key=k":           {"tls: key has no effect without cert", "pass cert=FILE as well"},
		"tls:h:1,verify=off,ca=c": {"tls: verify=off and ca contradict each other", "leave out verify=off"},
		"tls:h,name=x+tcp:h:1":    {"tls: the argument is the name of the peer, and name is too", "leave one of them out"},
		"tls-server:1":            {"tls-server: it has no certificate", "pass cert=FILE,key=FILE, or self-signed for tests"},
		"tls-server:1,cert=c,allow-cn=x": {"tls-server: names in a certificate mean nothing without an authority",
			"pass ca=FILE"},
		"tls-server:1,cert=c,self-signed":                          {"tls-server: cert and self-signed contradict each other", "leave one of them out"},
		"tls-server:1,self-signed,key=k":                           {"tls-server: key has no effect without cert", "pass cert=FILE as well"},
		"tls-server:1,self-signed,verify=off,ca=c":                 {"tls-server: verify=off contradicts ca, pin and allow", "leave out verify=off"},
		"tls-server:1,self-signed,verify=optional,ca=c,allow-cn=x": {"tls-server: verify=optional lets anybody in", "leave out verify=optional"},
		"tls-server:1,self-signed+tcp-listen:1":                    {"tls-server: its port would have no effect", "the layer below says where to listen"},
		"tls-server,self-signed":                                   {"tls-server: it needs a layer below it, or a port", "such as tls-server,self-signed+tcp-listen:443"},
		"hub,lag=0":                                                {"hub: lag: nothing could be sent", "want a size such as 1M"},
		"tls-server:1,cert=c,verify=require":                       {"tls-server: there is nothing to verify clients by", "pass ca=FILE or pin="},
		"proxy-accept+tcp-listen:1":                                {"proxy-accept: anybody could pretend to be the proxy", "pass from=ADDRESS or from=NETWORK"},

		// stacks
		"a+b":                  {`unknown layer "a"`, "the layers are "},
		"/tmp/":                {"it is a directory", "name a file or a socket in it"},
		"./%zz":                {`"%zz" is no escape`, "write %25 for a %"},
		"tcp:h:1+":             {"a layer is empty", "write %2B for a + in a path"},
		"tcp:h:1+tcp:h:2":      {"tcp: it is a transport and cannot stand on tcp", "put it last, or write %2B for a + in an argument"},
		"connect:h:1":          {"connect: it needs a layer below it", "such as connect:h:1+tcp:PROXY:3128"},
		"connect:h:1,auth=a:b": {"connect: it needs a layer below it", "such as connect:h:1,auth=...+tcp:PROXY:3128"},
		"count":                {"count: it needs a layer below it", "such as count+tcp:HOST:PORT"},
		"tls:h":                {"tls: it needs a layer below it, or a port", "such as tls:h+tcp:HOST:443"},
		"tls:h:1+tcp:p:1":      {"tls: its port would have no effect", "the layer below says where to connect to; want tls:NAME"},
		"tls+unix:/s":          {"tls: it is not known which name the certificate must have", "want tls:NAME, or pin="},
	} {
		e, err := Parse(text)
		var mistake *Error
		if !errors.As(err, &mistake) {
			t.Errorf("%q: %q, %v; want an error", text, e, err)
			continue
		}
		line := err.Error()
		if !strings.Contains(line, want[0]) || !strings.HasPrefix(mistake.Hint, want[1]) {
			t.Errorf("%q:\n got %s\n     %s\nwant %s\n     %s", text, line, mistake.Hint, want[0], want[1])
		}
		if strings.ContainsAny(line+mistake.Hint, "\n\r") || mistake.Hint == "" || mistake.Phase != PhaseParse || mistake.Text != text {
			t.Errorf("%q: %#v", text, mistake)
		}
	}
}

func TestSecretsAreShownOnlyByString(t *testing.T) {
	e, err := Parse("connect:h:1,auth=me:hush,header=X-Key: hush+tcp:p:1")
	if err != nil {
		t.Fatal(err)
	}
	if x := e.Explain(); strings.Contains(x.Text+x.Canonical+e.Redacted(), "hush") || !strings.Contains(e.String(), "hush") {
		t.Errorf("%+v, %s, %s", x, e.Redacted(), e)
	}
	_, err = e.Prepare(t.Context(), &Options{Argv: []string{"x"}})
	if err == nil || strings.Contains(err.(*Error).Text, "hush") {
		t.Errorf("%#v", err)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "512": 512, "64k": 64 << 10, "64K": 64 << 10, "1.5M": 3 << 19, "2GiB": 2 << 30, "1kb": 1 << 10, "1T": 1 << 40, "7B": 7,
	} {
		if n, err := ParseSize(text); err != nil || n != want {
			t.Errorf("%q is %d, %v; want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "k", "-1", "1.5", "64kk", "64x", "NaN", "1e300", "Inf", "9999T", "1_0", "0x1p4", "+1"} {
		if n, err := ParseSize(text); err == nil {
			t.Errorf("%q is taken for the size %d", text, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"-", "tcp:h:1", "tcp:::1:80", "tcp-l:1,max=5", "unix:/a%2Bb", "[::1]:80", "echo", "a+b,c", "/etc/passwd,append", "tls://h:1",
		"tls:www.example+connect:www.example:443,auth=@/f+tls:proxy.corp,ca=corp.pem+tcp:proxy.corp:8443",
		"fault,seed=7,delay=20ms,jitter=10ms,reset@1MB+tcp:db:5432", "tls-server:443,self-signed,alpn=h2", "http-proxy://u:p@p:1/h:1",
		"tls,host=::1,port=443", "rate=1.5MB/s,burst=3k+zero:1M", "literal:%ff%00%0a", "connect:h:1,auth=env:X+unix-listen:s,mode=0600",
		"tls:h:443,pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Hint == "" || strings.ContainsAny(e.Error()+e.Hint, "\n\r") {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		again, err := Parse(e.String())
		if err != nil || !reflect.DeepEqual(e, again) || again.String() != e.String() {
			t.Fatalf("%q is %q, which is %q, %v", text, e, again, err)
		}
		if x := e.Explain(); x.Text == "" || strings.ContainsAny(x.Text, "\n\r") {
			t.Fatalf("%q is explained by %q", text, x.Text)
		}
	})
}
