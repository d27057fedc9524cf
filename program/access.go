package program

import (
	"slices"

	"aetrain/graph"
)

// access says how a value of shape x is read in an iteration space of shape dims, if its repeated axes surround it:
// the axes that x really has must be adjacent.
func access(x, dims graph.Shape) (Access, bool) {
	lead := len(dims) - len(x)
	var repeated []int
	for i, d := range dims {
		if i < lead || x[i-lead] == 1 && d != 1 {
			repeated = append(repeated, i)
		}
	}
	return kept(dims, repeated)
}

// kept is the access of what is left of dims without some axes, if the rest is one block of adjacent axes.
func kept(dims graph.Shape, without []int) (Access, bool) {
	first, last := -1, -1
	for i, d := range dims {
		if d != 1 && !slices.Contains(without, i) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return Access{Inner: 1, Period: 1}, true
	}
	a := Access{Inner: 1, Period: 1}
	for i, d := range dims {
		switch {
		case i > last:
			a.Inner *= d
		case i >= first:
			if d != 1 && slices.Contains(without, i) {
				return Access{}, false
			}
			a.Period *= d
		}
	}
	return a, true
}
