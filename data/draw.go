package data

import (
	"slices"

	"aetrain/internal/philox"
)

// timed is a Source whose rows come in the order of a time column.
type timed interface{ hasTime() bool }

// grouping is a Source with a column whose equal values stay together.
type grouping interface{ groups() []int32 } // by example; nil: none

// labelNamer is a Source whose labels have names.
type labelNamer interface{ labelNames() []string } // nil: they are numbers

// noter is a Source with something to tell about the files that it has read.
type noter interface{ notes() []string }

// viewed is what a view of a source looks at, of joined ones the first; nil: the source is no view.
func viewed(s Source) Source {
	switch v := s.(type) {
	case *subset:
		return v.Source
	case *transformed:
		return v.Source
	case *relabelled:
		return v.Source
	case *windowed:
		return v.rows
	case *joined:
		return v.sources[0]
	}
	return nil
}

// base is what lies under all views of a source.
func base(s Source) Source {
	for next := viewed(s); next != nil; next = viewed(s) {
		s = next
	}
	return s
}

// inTime reports whether a source's rows are in the order of time.
func inTime(s Source) bool {
	t, ok := base(s).(timed)
	return ok && t.hasTime()
}

// labelNamesOf are the names of a source's labels by number, nil where labels are numbers of their own.
func labelNamesOf(s Source) []string {
	if n, ok := base(s).(labelNamer); ok {
		return n.labelNames()
	}
	return nil
}

// grouped returns the group of each example of a pool, nil where the source has none.
func grouped(s Source) func(i int) int32 {
	switch v := s.(type) {
	case *subset:
		if in := grouped(v.Source); in != nil {
			return func(i int) int32 { return in(v.at[i]) }
		}
	case grouping:
		if g := v.groups(); g != nil {
			return func(i int) int32 { return g[i] }
		}
	}
	return nil
}

// drawGroups takes whole groups by the seed, until there are n examples or as close to n as groups allow; at least one group is left.
func drawGroups(from []int, n int, group func(i int) int32, seed uint64, name string) (drawn, rest []int) {
	members := map[int32]int{}
	var groups []int32
	for _, i := range from {
		g := group(i)
		if members[g] == 0 {
			groups = append(groups, g)
		}
		members[g]++
	}
	taken, count := map[int32]bool{}, 0
	for _, k := range philox.New(seed, philox.Stream("data/split/"+name)).Perm(len(groups)) {
		g := groups[k]
		if len(taken) == len(groups)-1 || count >= n {
			break
		}
		if over := count + members[g] - n; over > 0 && count > 0 && over > n-count { // without it n is closer
			continue
		}
		taken[g] = true
		count += members[g]
	}
	for _, i := range from {
		if taken[group(i)] {
			drawn = append(drawn, i)
		} else {
			rest = append(rest, i)
		}
	}
	return drawn, rest
}

// tails takes the last n examples: of several series the last ones of each, by its share.
func tails(from []int, n int, place func(i int) (run int64, at int)) (drawn, rest []int) {
	byRun := map[int64][]int{}
	var runs []int64
	for _, i := range from {
		run, _ := place(i)
		if byRun[run] == nil {
			runs = append(runs, run)
		}
		byRun[run] = append(byRun[run], i)
	}
	left := n
	for k, run := range runs {
		rows := byRun[run]
		take := n * len(rows) / len(from)
		if k == len(runs)-1 { // what rounding has left
			take = min(left, len(rows))
		}
		left -= take
		slices.SortStableFunc(rows, func(a, b int) int {
			_, x := place(a)
			_, y := place(b)
			return x - y
		})
		rest = append(rest, rows[:len(rows)-take]...)
		drawn = append(drawn, rows[len(rows)-take:]...)
	}
	slices.Sort(drawn)
	slices.Sort(rest)
	return drawn, rest
}
