package tasks

import (
	"context"

	"gorgonia.org/tensor"

	"aetrain/data"
	"aetrain/graph"
)

// recommender scores all items for a user of whom some are known.
type recommender interface {
	scores(known []float32, out []float32)
}

// clickLists are users as lists: the items that each has, and the values.
type clickLists struct {
	items int
	of    [][]int32
	value [][]float32
}

// atOnce is how many users are read at once.
const atOnce = 256

// readClicks reads all users of a source.
func readClicks(ctx context.Context, src data.Source, progress func(done, users int)) (*clickLists, error) {
	c := &clickLists{}
	for row := 0; row < src.Len(); row += atOnce {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		u, err := readUsers(src, row, min(atOnce, src.Len()-row))
		if err != nil {
			return nil, err
		}
		c.items = u.items
		for i := range u.n {
			var of []int32
			var values []float32
			for k, v := range u.known(i) {
				if v != 0 {
					of, values = append(of, int32(k)), append(values, v)
				}
			}
			c.of, c.value = append(c.of, of), append(c.value, values)
		}
		progress(row+u.n, src.Len())
	}
	return c, nil
}

// baselines judges what needs no network, fitted to the training users, on src: the items that most users have, and the linear model of
// Steck where its size allows it.
func baselines(ctx context.Context, splits *data.Splits, src data.Source, o RecommendOptions) (map[string]map[string]float64, error) {
	train, err := readClicks(ctx, splits.Train, func(done, users int) { o.Progress("reading train", done, users) })
	if err != nil {
		return nil, err
	}
	methods := map[string]recommender{"popularity": newPopularity(train)}
	if train.smaller() <= mostEASE {
		o.Progress("fitting ease", 0, len(train.of))
		e, err := newEASE(train, easeLambda)
		if err != nil {
			return nil, err
		}
		methods["ease"] = e
	}
	figures := map[string]map[string]float64{}
	for name, method := range methods {
		if figures[name], err = judge(ctx, method, src); err != nil {
			return nil, err
		}
	}
	return figures, nil
}

// judge has a method rank the items of all users of src.
func judge(ctx context.Context, method recommender, src data.Source) (map[string]float64, error) {
	r := newRanked()
	for row := 0; row < src.Len(); row += atOnce {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		u, err := readUsers(src, row, min(atOnce, src.Len()-row))
		if err != nil {
			return nil, err
		}
		scores := data.Dense(graph.F32(u.n, u.items))
		for i := range u.n {
			method.scores(u.known(i), row32(scores, i, u.items))
		}
		if err := r.update(scores, u); err != nil {
			return nil, err
		}
	}
	return r.values(), nil
}

// row32 is a row of float32 numbers.
func row32(d *tensor.Dense, i, width int) []float32 { return d.Float32s()[i*width : (i+1)*width] }

// popularity is how many users have each item, the same for everybody.
type popularity []float32

func newPopularity(c *clickLists) popularity {
	p := make(popularity, c.items)
	for _, of := range c.of {
		for _, item := range of {
			p[item]++
		}
	}
	return p
}

func (p popularity) scores(_, out []float32) { copy(out, p) }
