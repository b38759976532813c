// Package policy holds the rules of this project that a program can check and
// that no other tool checks. It has tests only:
//
//	go test ./internal/policy
//
// Each test first proves its rule on short examples, good and bad, and then
// holds the whole module to it. A violation is printed with its place and with
// the reason for the rule. Where a rule has exemptions they stand beside it,
// each with a reason of its own; an exemption that nothing needs any more is a
// violation too.
package policy
