// The command bench measures trigo against its peers, side by side in one run,
// and prints a table.
//
//	go run . [-run REGEXP] [-short] [-json | -markdown] [-into FILE] [-svg FILE] [-list]
//
// Run it in this directory, or as "make bench" from the one above. What the table
// says is told in docs/performance.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"time"

	"trigo/bench/rows"
)

func main() {
	rows.ServeIfChild() // some peers are this program again, as a server
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	pattern := flags.String("run", "", "only the rows whose name matches this `regexp`")
	short := flags.Bool("short", false, "a minute in all: smaller sizes, fewer rounds")
	asJSON := flags.Bool("json", false, "print JSON and no table")
	asMarkdown := flags.Bool("markdown", false, "print the table as Markdown")
	into := flags.String("into", "", "put the table into this `file` of Markdown too, between its markers")
	svg := flags.String("svg", "", "draw a chart into this `file`")
	list := flags.Bool("list", false, "print the names of the rows")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected %q: the rows are chosen with -run", flags.Arg(0))
	case *asJSON && *asMarkdown:
		return errors.New("-json and -markdown: one of them")
	}
	wanted, err := regexp.Compile(*pattern)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	chosen := slices.DeleteFunc(rows.All(), func(r rows.Row) bool { return !wanted.MatchString(r.Name) })
	if len(chosen) == 0 {
		return fmt.Errorf("no row matches %q; -list prints their names", *pattern)
	}
	if *list {
		for _, r := range chosen {
			fmt.Fprintln(stdout, r.Name)
		}
		return nil
	}

	began := time.Now()
	results, failed := measure(ctx, chosen, *short, stderr)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	where := fmt.Sprintf("%s, %s", machine(), time.Since(began).Round(time.Second))
	if *short {
		where += ", short: fewer rounds, and some sizes are a tenth of what the name says"
	}
	heading := fmt.Sprintf("%s, on %s.", where, began.Format(time.DateOnly))
	switch {
	case *asJSON:
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "\t")
		err = enc.Encode(results)
	case *asMarkdown:
		_, err = io.WriteString(stdout, markdown(heading, results))
	default:
		err = printTable(stdout, results)
		fmt.Fprintf(stdout, "\n%s\n", where)
	}
	if err == nil && *into != "" {
		err = insert(*into, markdown(heading, results))
	}
	if err == nil && *svg != "" {
		err = drawChart(*svg, results)
	}
	return errors.Join(err, failed)
}

// measure takes the rows one by one, and puts those that fall short before all
// others. A row that fails does not keep the others from being measured.
func measure(ctx context.Context, chosen []rows.Row, short bool, progress io.Writer) (results []rows.Result, failed error) {
	for i, r := range chosen {
		fmt.Fprintf(progress, "%d/%d %s", i+1, len(chosen), r.Name)
		start := time.Now()
		result, err := r.Run(ctx, short)
		fmt.Fprintf(progress, " (%.1fs)\n", time.Since(start).Seconds())
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		results = append(results, result)
	}
	slices.SortStableFunc(results, lateFirst)
	return results, failed
}

// lateFirst puts what falls short before everything else.
func lateFirst(a, b rows.Result) int {
	switch {
	case a.Late() == b.Late():
		return 0
	case a.Late():
		return -1
	}
	return 1
}
