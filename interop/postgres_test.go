package interop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"trigo/netconn"
	"trigo/process"
	"trigo/trigotest"
)

// startPostgres starts a real server on a Unix socket, and returns that.
func startPostgres(t *testing.T) (socket string) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Skip("PostgreSQL is not installed")
	}
	bin, dir := filepath.Dir(found[len(found)-1]), shortDir(t)
	user, err := unprivileged(dir)
	check(t, err)
	data := filepath.Join(dir, "data")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done, err := process.Run(ctx, &process.Command{
		Args: []string{filepath.Join(bin, "initdb"), "--no-sync", "--auth=trust", "--username=gopher", "--pgdata=" + data},
		Dir:  dir, Credential: user, Stdout: process.Capture, Stderr: process.ToStdout,
	})
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, done.Stdout)
	}
	startServer(t, "ready to accept connections", user,
		filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", "-F")
	return filepath.Join(dir, ".s.PGSQL.5432")
}

// unprivileged gives a directory to somebody who is not root, as whom the server
// insists to run. nil: we are not.
func unprivileged(dir string) (*process.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	const nobody = 65534
	return &process.Credential{UID: nobody, GID: nobody}, os.Chown(dir, nobody, nobody)
}

func TestPostgreSQL(t *testing.T) {
	socket := startPostgres(t)
	t.Run("its own Unix socket", func(t *testing.T) {
		trigotest.LeakCheck(t)
		testPostgres(t, dialUnix(socket))
	})
	everywhere(t, func(t *testing.T, p place) {
		gateway(t, p, socket)
		testPostgres(t, p.dial)
	})
}

func testPostgres(t *testing.T, dial dialer) {
	config, err := pgx.ParseConfig("postgres://gopher@" + serverName + "/postgres?sslmode=disable") // trigo's TLS is below
	check(t, err)
	config.DialFunc = netconn.Dialer(dial, nil)
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	check(t, err)
	defer conn.Close(context.Background())

	rows, err := conn.Query(ctx, "select repeat('x', n) from generate_series(1, $1) n", 1000)
	check(t, err)
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	check(t, err)
	if len(texts) != 1000 || len(texts[999]) != 1000 {
		t.Errorf("%d rows", len(texts))
	}

	// An error of the server's leaves the connection as it was.
	var refusal *pgconn.PgError
	if _, err := conn.Exec(ctx, "select 1/0"); !errors.As(err, &refusal) || refusal.Code != "22012" {
		t.Errorf("got %v, want a division by zero", err)
	}
	var one int
	check(t, conn.QueryRow(ctx, "select 1").Scan(&one))

	// A cancel in the middle of a call ends it, and with it the connection: that
	// is pgx's rule.
	during, stop := context.WithCancel(ctx)
	time.AfterFunc(50*time.Millisecond, stop)
	if _, err := conn.Exec(during, "select pg_sleep(60)"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancel", err)
	}
	if !conn.IsClosed() {
		t.Error("the connection is not closed")
	}
	<-conn.PgConn().CleanupDone()
}
