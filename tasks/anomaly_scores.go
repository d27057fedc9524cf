package tasks

import (
	"context"
	"fmt"
	"math"

	"aetrain/data"
	"aetrain/infer"
)

// scorer scores examples by one of the scores.
type scorer struct {
	*infer.Model
	o          AnomalyOptions
	labelNames []string
	codes      *gaussian // of training codes, where they are what counts; nil where the distance to a centre does
	features   *features
}

func newScorer(ctx context.Context, m *infer.Model, splits *data.Splits, o AnomalyOptions) (*scorer, error) {
	s := &scorer{Model: m, o: o}
	for _, f := range m.Model().Fields {
		if f.Name == "label" {
			s.labelNames = f.Words
		}
	}
	switch o.Config.Score {
	case "reconstruction":
		s.features = newFeatures(m.Model(), splits)
	case "likelihood":
		if _, err := m.Model().NLL(1, 1); err != nil {
			return nil, fmt.Errorf("likelihood: %w, or score reconstructions", err)
		}
	case "latent":
		if _, err := m.Model().Distance(1); err == nil {
			return s, nil // it has a centre
		}
		if splits == nil {
			return nil, fmt.Errorf("latent compares codes with those of the run's training data, and that is not there: score reconstructions")
		}
		return s, s.fitCodes(ctx, splits.Train)
	}
	return s, nil
}

// scores are the scores of a source's examples, or of the rows that its windows were cut of.
type scores struct {
	rows     data.Source
	values   []float64 // NaN: no window holds the row
	labels   []int32   // nil: there are none
	features *features // nil: none
	sums     []float32 // rows×features, mean losses; of windows only
	strong   [][]Feature
}

// score runs over a source. Labels are read where it has them.
func (s *scorer) score(ctx context.Context, src data.Source, what string, detailed bool) (*scores, error) {
	rows, of, windowed := data.WindowRows(src)
	out := &scores{rows: src}
	if windowed {
		out.rows = rows
	}
	if detailed {
		out.features = s.features
	}
	add := out.addExample
	out.values = make([]float64, out.rows.Len())
	if windowed {
		covered := make([]int, len(out.values))
		if out.features != nil {
			out.sums = make([]float32, len(out.values)*out.features.perRow)
		}
		add = func(i int, score float64, errors []float32) { out.addWindow(of(i), covered, score, errors) }
		defer out.average(covered)
	} else if out.features != nil {
		out.strong = make([][]Feature, len(out.values))
	}
	err := s.each(ctx, src, func(i int, score float64, errors []float32) error {
		if math.IsNaN(score) || math.IsInf(score, 0) {
			return fmt.Errorf("%s: %w", data.ExampleName(src, i), errNotFinite)
		}
		s.o.Progress(what, i+1, src.Len())
		add(i, score, errors)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.labels, err = readLabels(ctx, out.rows)
	return out, err
}

// each visits the examples of a source with their scores, and the losses of their elements where reconstructions are scored.
func (s *scorer) each(ctx context.Context, src data.Source, visit func(i int, score float64, errors []float32) error) error {
	switch s.o.Config.Score {
	case "likelihood":
		return s.EachNLL(ctx, src, infer.EvaluateOptions{}, func(row0 int, nats []float64) error {
			for k, v := range nats {
				if err := visit(row0+k, v, nil); err != nil {
					return err
				}
			}
			return nil
		})
	case "latent":
		if s.codes == nil {
			return s.Each(ctx, src, "distance", 0, func(b *infer.Rows) error {
				for k, v := range b.Out["score"].Float32s() {
					if err := visit(b.Row0+k, float64(v), nil); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return s.Each(ctx, src, "encode", 0, func(b *infer.Rows) error {
			z := codesOf(b)
			width := len(z) / b.N
			for k := range b.N {
				if err := visit(b.Row0+k, s.codes.distance(z[k*width:(k+1)*width]), nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return s.Each(ctx, src, "score", 0, func(b *infer.Rows) error {
		score, errors := b.Out["score"].Float32s(), b.Out["errors"].Float32s()
		width := len(errors) / b.N
		for k := range b.N {
			if err := visit(b.Row0+k, float64(score[k]), errors[k*width:(k+1)*width]); err != nil {
				return err
			}
		}
		return nil
	})
}

// addExample keeps the score of an example.
func (s *scores) addExample(i int, score float64, errors []float32) {
	s.values[i] = score
	if s.strong != nil {
		s.strong[i] = s.features.strongest(errors)
	}
}

// addWindow shares a window's score among its rows: the losses of the row's own elements, or the score of the whole window where
// elements have none.
func (s *scores) addWindow(rows, covered []int, score float64, errors []float32) {
	each := len(errors) / len(rows)
	for t, row := range rows {
		covered[row]++
		if errors == nil {
			s.values[row] += score
			continue
		}
		for c, e := range errors[t*each : (t+1)*each] {
			s.values[row] += float64(e)
			if s.sums != nil {
				s.sums[row*each+c] += e
			}
		}
	}
}

// average divides the sums of rows by the number of windows that held them.
func (s *scores) average(covered []int) {
	for i, n := range covered {
		s.values[i] /= float64(n) // NaN of none
	}
}

// strongest are the strongest features of a row.
func (s *scores) strongest(i int) []Feature {
	switch {
	case s.strong != nil:
		return s.strong[i]
	case s.sums != nil:
		return s.features.strongest(s.sums[i*s.features.perRow : (i+1)*s.features.perRow])
	}
	return nil
}
