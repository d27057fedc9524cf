package tasks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"aetrain/data"
	"aetrain/infer"
	"aetrain/metrics"
	"aetrain/model"
)

// RecommendOptions say how much is recommended.
type RecommendOptions struct {
	Items    int                                // for each user; 0: 10
	Progress func(what string, done, users int) // may be nil
}

// Recommendations are what users will probably like, of what they have not clicked yet.
type Recommendations struct {
	Users     []UserItems
	Metrics   map[string]float64            // of what was hidden of users: ndcg@100, recall@20, recall@50; nil where nothing was
	Baselines map[string]map[string]float64 // the same of methods without a network, by name: popularity, ease
}

// UserItems are a user's items, the best first.
type UserItems struct {
	User  string
	Items []Item
}

// Item is a recommended item. Scores of different users are not to be compared.
type Item struct {
	Name  string  `json:"item"`
	Score float64 `json:"score"`
}

// rankings are the figures of Liang et al. 2018, "Variational Autoencoders for Collaborative Filtering", section 4.2.
var rankings = []string{"ndcg@100", "recall@20", "recall@50"}

const usualItems = 10

// Recommend ranks, for each user of src, the items that x lacks by their reconstruction. splits is the run's own data, whose training
// users the baselines learn from; nil: there are no baselines. The error says so where x is not a row of items.
func Recommend(ctx context.Context, m *infer.Model, splits *data.Splits, src data.Source, o RecommendOptions) (*Recommendations, error) {
	if o.Items == 0 {
		o.Items = usualItems
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	names := itemNames(src, splits)
	if x := m.Model().X; len(x) != 1 || len(names) != x.Size() {
		return nil, fmt.Errorf("recommend wants users with an element for each item, and x is %v without names of items: train on data.source = \"ratings\"", x)
	}
	if moved := cmp.Or(data.MovesZero(src), movesZero(splits)); moved != "" {
		return nil, fmt.Errorf("%s makes something else of the 0 of items that a user does not have, so that all look known: recommend wants a run without it (log1p and binarize leave 0 as it is)", moved)
	}
	found := &Recommendations{}
	own := newRanked()
	err := m.Each(ctx, src, "reconstruct", 0, func(b *infer.Rows) error {
		u, err := readUsers(src, b.Row0, b.N)
		if err != nil {
			return err
		}
		scores := b.Out["recon"]
		for i := range b.N {
			row := scores.Float32s()[i*len(names) : (i+1)*len(names)]
			found.Users = append(found.Users, UserItems{data.ExampleName(src, b.Row0+i), best(row, u.known(i), names, o.Items)})
		}
		o.Progress("recommending", b.Row0+b.N, src.Len())
		return own.update(scores, u)
	})
	if err != nil {
		return nil, err
	}
	if found.Metrics = own.values(); found.Metrics == nil || splits == nil {
		return found, nil
	}
	found.Baselines, err = baselines(ctx, splits, src, o)
	return found, err
}

// movesZero is data.MovesZero of the run's own data, where there is any.
func movesZero(splits *data.Splits) string {
	if splits == nil {
		return ""
	}
	return data.MovesZero(splits.Train)
}

// itemNames are those of the source, else of the run's own data.
func itemNames(src data.Source, splits *data.Splits) []string {
	if names := data.ItemNames(src); names != nil || splits == nil {
		return names
	}
	return data.ItemNames(splits.Train)
}

// best are the items with the largest scores that are not known, the earlier first of equal ones.
func best(scores, known []float32, names []string, n int) []Item {
	open := make([]int, 0, len(scores))
	for i := range scores {
		if known[i] == 0 {
			open = append(open, i)
		}
	}
	slices.SortStableFunc(open, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	items := make([]Item, min(n, len(open)))
	for i := range items {
		items[i] = Item{names[open[i]], float64(scores[open[i]])}
	}
	return items
}

// users are rows of items: what is known of each user, and what was hidden; nil where the source hides nothing.
type users struct {
	n, items  int
	x, target *tensor.Dense
}

func (u users) known(i int) []float32 { return u.x.Float32s()[i*u.items : (i+1)*u.items] }

// readUsers reads n users from row0 on.
func readUsers(src data.Source, row0, n int) (users, error) {
	fields := src.Fields()
	rows := data.NewBatch(fields, n, nil)
	if err := data.ReadRange(src, row0, row0+n, rows); err != nil {
		return users{}, err
	}
	at := data.FieldIndex(fields, model.FieldX)
	u := users{n: n, items: fields[at].Spec.Shape.Size(), x: rows[at]}
	if at := data.FieldIndex(fields, "target"); at >= 0 {
		u.target = rows[at]
	}
	return u, nil
}

// ranked are the metrics of one method.
type ranked struct {
	figures []metrics.Metric // in the order of rankings
	hidden  bool             // something was hidden of some user
}

func newRanked() *ranked {
	r := &ranked{}
	for _, name := range rankings {
		m, err := metrics.Make(name)
		if err != nil {
			panic("tasks: " + err.Error()) // package metrics has them
		}
		r.figures = append(r.figures, m)
	}
	return r
}

// update adds users with the scores of all items.
func (r *ranked) update(scores *tensor.Dense, u users) error {
	if u.target == nil {
		return nil
	}
	known := u.x.Float32s()
	for i, v := range u.target.Float32s() {
		r.hidden = r.hidden || v != 0 && known[i] == 0
	}
	var all []error
	for _, m := range r.figures {
		all = append(all, m.Update(scores, u.x, u.target))
	}
	return errors.Join(all...)
}

// values are the figures by name, nil where nothing was hidden.
func (r *ranked) values() map[string]float64 {
	if !r.hidden {
		return nil
	}
	values := map[string]float64{}
	for i, name := range rankings {
		values[name] = r.figures[i].Value()
	}
	return values
}
