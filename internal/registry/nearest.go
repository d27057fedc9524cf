package registry

import (
	"strings"
	"unicode/utf8"
)

// longestName bounds the work on names that cannot be meant anyway.
const longestName = 64

// Nearest returns the one of the names that was probably meant by name, or "" where none is near:
// at most a third of its letters may be wrong (one in a name of two), counted as insertions, deletions, changes and swaps of neighbours.
// A name that begins with what was typed (from three letters on) is near, too. Of equals the first wins.
func Nearest(name string, among []string) string {
	folded := strings.ToLower(Fold(name))
	length := utf8.RuneCountInString(folded)
	if length == 0 || length > longestName {
		return ""
	}
	best, bestDistance := "", max(1, length/3)+1
	for _, a := range among {
		if d := Distance(folded, strings.ToLower(Fold(a))); d < bestDistance && d < length {
			best, bestDistance = a, d
		}
	}
	if best != "" || length < 3 {
		return best
	}
	for _, a := range among {
		if strings.HasPrefix(strings.ToLower(Fold(a)), folded) {
			return a
		}
	}
	return ""
}

// Distance is the optimal string alignment distance of a and b: the fewest insertions, deletions, changes and
// swaps of neighbouring letters that turn one into the other.
// Source: Damerau 1964, "A technique for computer detection and correction of spelling errors".
func Distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, above, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := above[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(above[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(y)]
}
