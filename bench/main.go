// The command bench measures trigo against its peers, side by side in one run,
// and prints a table.
//
//	go run . [-run REGEXP] [-short] [-json] [-svg FILE] [-list]
//
// Run it in this directory, or as "make bench" from the one above.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"time"

	"trigo/bench/rows"
)

func main() {
	rows.ServeIfChild() // some peers are this program again, as a server
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	pattern := flag.String("run", "", "only the rows whose name matches this `regexp`")
	short := flag.Bool("short", false, "a minute in all: smaller sizes, fewer rounds")
	asJSON := flag.Bool("json", false, "print JSON and no table")
	svg := flag.String("svg", "", "draw a chart into this `file`")
	list := flag.Bool("list", false, "print the names of the rows")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected %q: the rows are chosen with -run", flag.Arg(0))
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
			fmt.Println(r.Name)
		}
		return nil
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	began := time.Now()
	var results []rows.Result
	var failed error
	for i, r := range chosen {
		fmt.Fprintf(os.Stderr, "%d/%d %s\n", i+1, len(chosen), r.Name)
		result, err := r.Run(ctx, *short)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			failed = fmt.Errorf("not every row could be measured, at last %w", err)
			continue
		}
		results = append(results, result)
	}
	slices.SortStableFunc(results, lateFirst)
	if *asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "\t")
		err = enc.Encode(results)
	} else {
		err = printTable(os.Stdout, results)
		fmt.Printf("\n%s, %s\n", machine(), time.Since(began).Round(time.Second))
	}
	if err == nil && *svg != "" {
		err = drawChart(*svg, results)
	}
	if err == nil {
		err = failed
	}
	return err
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
