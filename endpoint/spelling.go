package endpoint

// nearest returns the word that is spelt most like name, or "" if none is.
func nearest(name string, words []string) string {
	best, found := 3, "" // three mistakes are another word
	if len(name) > 40 {
		return "" // nobody mistypes that
	}
	for _, w := range words {
		if d := distance(name, w); d < best && d < len(w)-1 {
			best, found = d, w
		}
	}
	return found
}

// distance returns how many bytes must be added, removed, changed or swapped
// with their neighbour to make b of a.
func distance(a, b string) int {
	d := make([][]int, len(a)+1) // d[i][j] is that of a[:i] and b[:j]
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			d[i][j] = min(change, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
