package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"
)

func init() {
	metrics.Add("ndcg@100", func() Metric { return &Ranking{K: 100, gain: ndcg} })
	metrics.Add("recall@20", func() Metric { return &Ranking{K: 20, gain: recall} })
	metrics.Add("recall@50", func() Metric { return &Ranking{K: 50, gain: recall} })
}

// Ranking judges recommendations: what a user has not clicked yet is ranked by score, and the first K are held against what was hidden
// of the user's clicks. Users of whom nothing is hidden do not count. Of equal scores the earlier item comes first.
// Source: Liang et al. 2018, "Variational Autoencoders for Collaborative Filtering", section 4.2, with the same two gains.
type Ranking struct {
	K    int
	gain func(hits []bool, hidden int) float64
	mean mean
}

// Inputs returns "scores" (N×items), "x" (what is known of each user) and "hidden" (what is to be found; 0 is not).
func (*Ranking) Inputs() []string { return []string{"scores", "x", "hidden"} }

// LargerIsBetter returns true.
func (*Ranking) LargerIsBetter() bool { return true }

// Value returns the mean over users.
func (r *Ranking) Value() float64 { return r.mean.value() }

// Update adds users.
func (r *Ranking) Update(in ...*tensor.Dense) error {
	if len(in) != 3 {
		return fmt.Errorf("wants scores, x and hidden, got %d arrays", len(in))
	}
	var all [3]table
	for i, name := range r.Inputs() {
		var err error
		if all[i], err = newTable(in[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if all[i].n != all[0].n || all[i].width != all[0].width {
			return fmt.Errorf("%s is %v, scores are %v; want as many users and items", name, in[i].Shape(), in[0].Shape())
		}
	}
	for i := range all[0].n {
		r.user(all[0].rows(i, i+1), all[1].rows(i, i+1), all[2].rows(i, i+1))
	}
	return nil
}

// user adds one user.
func (r *Ranking) user(scores, known, hidden []float64) {
	var open []int
	wanted := 0
	for i, k := range known {
		if k != 0 {
			continue
		}
		open = append(open, i)
		if hidden[i] != 0 {
			wanted++
		}
	}
	if wanted == 0 {
		return
	}
	slices.SortStableFunc(open, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	hits := make([]bool, min(r.K, len(open)))
	for place := range hits {
		hits[place] = hidden[open[place]] != 0
	}
	r.mean.add(r.gain(hits, wanted))
}

// ndcg is Σ 1/log2(place + 1) over hits at places from 1 on, divided by that of the best ranking.
func ndcg(hits []bool, hidden int) float64 {
	gained, best := 0.0, 0.0
	for i, hit := range hits {
		gain := 1 / math.Log2(float64(i+2))
		if hit {
			gained += gain
		}
		if i < hidden {
			best += gain
		}
	}
	return gained / best
}

// recall is the share of what can be found that was found: hits / min(K, hidden).
func recall(hits []bool, hidden int) float64 {
	found := 0.0
	for _, hit := range hits {
		if hit {
			found++
		}
	}
	return found / float64(min(len(hits), hidden))
}
