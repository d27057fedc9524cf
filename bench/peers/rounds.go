package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// pause between two measurements: threads of the side before have gone to sleep by then.
const pause = 500 * time.Millisecond

// side is one that is measured.
type side interface {
	name() string
	// round trains for about that many seconds after a warm-up.
	round(ctx context.Context, threads int, seconds float64) (Figure, error)
}

// Figure is what one side did in one round; torch_vae.py prints the same keys.
type Figure struct {
	Steps             int     `json:"steps"`
	MedianMS          float64 `json:"median_ms"` // of a training step
	P10MS             float64 `json:"p10_ms"`
	P90MS             float64 `json:"p90_ms"`
	ExamplesPerSecond float64 `json:"examples_per_second"` // batch / median
}

// Round is one round of all sides.
type Round struct {
	Threads int               `json:"threads"`
	Figures map[string]Figure `json:"figures"` // by side
}

// Result is what the rounds of one thread count say together.
type Result struct {
	Threads  int                `json:"threads"`
	Rounds   int                `json:"rounds"`
	Examples map[string]float64 `json:"examples_per_second"` // medians, by side
	MedianMS map[string]float64 `json:"median_ms"`
	Ratio    float64            `json:"ratio,omitempty"` // ours / PyTorch: median of the rounds' ratios
}

// Report is the JSON that -out writes.
type Report struct {
	Time    time.Time       `json:"time"`
	Config  string          `json:"config"`
	Ours    map[string]any  `json:"ours"`
	PyTorch json.RawMessage `json:"pytorch,omitempty"` // what torch_vae.py says about itself and the machine
	Skipped string          `json:"skipped,omitempty"`
	Results []Result        `json:"results"`
	Rounds  []Round         `json:"rounds"`
}

const (
	oursName  = "aetrain"
	torchName = "pytorch"
)

// measure lets the sides take turns; who begins changes from round to round.
func measure(ctx context.Context, sides []side, threads, rounds int, seconds float64, log io.Writer) ([]Round, error) {
	sides = slices.Clone(sides)
	var done []Round
	for i := range rounds {
		r := Round{Threads: threads, Figures: map[string]Figure{}}
		for _, s := range sides {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(pause):
			}
			f, err := s.round(ctx, threads, seconds)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name(), err)
			}
			r.Figures[s.name()] = f
			fmt.Fprintf(log, "threads %d, round %d/%d: %s %.3f ms, %.0f examples/s\n", threads, i+1, rounds, s.name(), f.MedianMS, f.ExamplesPerSecond)
		}
		done = append(done, r)
		slices.Reverse(sides)
	}
	return done, nil
}

// summarize takes medians over rounds of one thread count.
func summarize(threads int, rounds []Round) Result {
	res := Result{Threads: threads, Rounds: len(rounds), Examples: map[string]float64{}, MedianMS: map[string]float64{}}
	var ratios []float64
	rates, times := map[string][]float64{}, map[string][]float64{}
	for _, r := range rounds {
		for name, f := range r.Figures {
			rates[name] = append(rates[name], f.ExamplesPerSecond)
			times[name] = append(times[name], f.MedianMS)
		}
		us, them := r.Figures[oursName].ExamplesPerSecond, r.Figures[torchName].ExamplesPerSecond
		if us > 0 && them > 0 {
			ratios = append(ratios, us/them)
		}
	}
	for name := range rates {
		res.Examples[name], res.MedianMS[name] = median(rates[name]), median(times[name])
	}
	if len(ratios) > 0 {
		res.Ratio = median(ratios)
	}
	return res
}

// median sorts list.
func median(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	if n%2 == 1 {
		return list[n/2]
	}
	return (list[n/2-1] + list[n/2]) / 2
}

// figure makes a round's figure of the times of its steps, as peer.py does.
func figure(times []time.Duration, batch int) Figure {
	ms := make([]float64, len(times))
	for i, t := range times {
		ms[i] = float64(t) / 1e6
	}
	m := median(ms)
	return Figure{
		Steps: len(ms), MedianMS: m, P10MS: ms[len(ms)/10], P90MS: ms[len(ms)*9/10],
		ExamplesPerSecond: float64(batch) / m * 1e3,
	}
}

// table prints the results for people.
func (r Report) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "threads\taetrain ms\tPyTorch ms\taetrain examples/s\tPyTorch examples/s\tratio\t\n")
	for _, res := range r.Results {
		number := func(m map[string]float64, name, format string) string {
			if v, ok := m[name]; ok {
				return fmt.Sprintf(format, v)
			}
			return "-"
		}
		ratio := "-"
		if res.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f", res.Ratio)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t\n", res.Threads,
			number(res.MedianMS, oursName, "%.3f"), number(res.MedianMS, torchName, "%.3f"),
			number(res.Examples, oursName, "%.0f"), number(res.Examples, torchName, "%.0f"), ratio)
	}
	return t.Flush()
}
