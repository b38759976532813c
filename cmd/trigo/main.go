// Command trigo connects any stream to any stream.
//
//	trigo - tcp:localhost:8080                       talk to a port
//	trigo tcp-listen:8080 tcp:db.internal:5432       forward a port
//	trigo tcp-listen:127.0.0.1:2375 unix:/run/docker.sock
//	trigo demo                                       see it work
//
// Standard output carries data and nothing else. What trigo has to say goes to
// standard error: one line for each thing, in lower case, without a period. See
// trigo --help for the rest.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], newConsole(os.Stderr))) }
