package data

import (
	"context"
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/philox"

	"gorgonia.org/tensor"
)

func init() {
	sources.Add("waves", func() SourceOptions {
		return &Waves{Length: 100, Channels: 1, Examples: 5000, Noise: 0.05}
	})
}

// Waves is synthetic series, Length×Channels: in each example sines of one frequency, 1 to 5 periods, and for each channel an amplitude,
// 0.5 to 1, and a phase of its own, with normal noise. The field factors holds frequency (in periods), then amplitudes, then
// phases (0 to 1, in periods). The same seed draws the same series.
type Waves struct {
	Length   int     `toml:"length" min:"2" doc:"times of a series" example:"200"`
	Channels int     `toml:"channels" min:"1" doc:"values at each time"`
	Examples int     `toml:"examples" min:"1" doc:"how many there are"`
	Noise    float64 `toml:"noise" min:"0" doc:"standard deviation of the noise"`
	Draw     uint64  `toml:"draw" doc:"seed of the series: other numbers are other ones"`
}

// Validate holds the whole set to what memory takes.
func (w *Waves) Validate() error {
	size := int64(w.Examples)
	for _, d := range []int{w.Length, w.Channels, 4} {
		if size *= int64(d); size > largestRandom {
			return configs.KeyError("examples", "%d series of %dx%d take more than %d GB", w.Examples, w.Length, w.Channels, largestRandom>>30)
		}
	}
	return nil
}

// Open implements SourceOptions.
func (w *Waves) Open(ctx context.Context, _ Env) (*Parts, error) {
	s := &series{
		fields: []Field{{Name: "x", Spec: graph.F32(w.Length, w.Channels)}, {Name: "factors", Spec: graph.F32(1 + 2*w.Channels)}},
		values: [][]float32{make([]float32, w.Examples*w.Length*w.Channels), make([]float32, w.Examples*(1+2*w.Channels))},
		count:  w.Examples,
	}
	stream := philox.Stream("data/waves")
	parallel(w.Examples, func(i int) {
		if ctx.Err() == nil {
			w.draw(s.row(0, i), s.row(1, i), uint32(i), stream)
		}
	})
	return &Parts{Train: s}, ctx.Err()
}

// draw makes one series and its factors.
func (w *Waves) draw(x, factors []float32, row, stream uint32) {
	const slowest, fastest, quietest, loudest = 1, 5, 0.5, 1
	philox.Uniforms(factors, w.Draw, 0, row, 0, stream)
	frequency := slowest + float64((fastest-slowest)*float64(factors[0]))
	factors[0] = float32(frequency)
	philox.NormalsRow(x, w.Draw, 0, row, 1, stream)
	for c := range w.Channels {
		amplitude := quietest + float64((loudest-quietest)*float64(factors[1+c]))
		factors[1+c] = float32(amplitude)
		phase := float64(factors[1+w.Channels+c])
		for t := range w.Length {
			at := t*w.Channels + c
			periods := float64(frequency*float64(t)/float64(w.Length)) + phase
			x[at] = float32(float64(amplitude*math.Sin(2*math.Pi*periods)) + float64(w.Noise*float64(x[at])))
		}
	}
}

// series is a Source of float32 fields, and a label each where there are labels, in memory.
type series struct {
	fields []Field
	values [][]float32 // by field: all examples, one after the other
	labels []int32     // the field behind them; nil: none
	count  int
}

func (s *series) Len() int        { return s.count }
func (s *series) Fields() []Field { return s.fields }
func (s *series) Close() error    { return nil }

// row is example i of a field.
func (s *series) row(field, i int) []float32 {
	size := s.fields[field].Spec.Shape.Size()
	return s.values[field][i*size : (i+1)*size]
}

func (s *series) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	for f := range s.values {
		to := dst[f].Float32s()
		for n, i := range indices {
			row := s.row(f, i)
			copy(to[n*len(row):], row)
		}
	}
	if s.labels != nil {
		to := dst[len(s.values)].Int32s()
		for n, i := range indices {
			to[n] = s.labels[i]
		}
	}
	return nil
}
