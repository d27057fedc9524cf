package data

import (
	"fmt"
	"math"
	"sync"

	"aetrain/graph"

	"gonum.org/v1/gonum/dsp/fourier"
)

func init() {
	transforms.Add("spectrogram", func() Transform { return &Spectrogram{Size: 256} })
	transforms.Add("db", func() Transform { return &DB{Floor: -80} })
}

// Spectrogram turns a series of one channel, T×1, into magnitudes of frequencies over time, frames×(Size/2+1): Fourier transforms of
// overlapping pieces under a Hann window, divided by the window's sum, so that a sine of amplitude 1 is about 0.5. Phases are lost.
type Spectrogram struct {
	Size int `toml:"size" min:"2" max:"1048576" doc:"samples of a piece" example:"512"`
	Hop  int `toml:"hop" min:"0" max:"1048576" doc:"samples from one piece to the next; 0: half of size" example:"128"`
}

// Bind implements Transform.
func (t *Spectrogram) Bind(in graph.Spec) (Step, error) {
	if len(in.Shape) != 2 || in.Shape[1] != 1 {
		return nil, fmt.Errorf("wants series of one channel (time, 1); the examples are %v", in.Shape)
	}
	if in.Shape[0] < t.Size {
		return nil, fmt.Errorf("takes pieces of %d samples, the examples have %d", t.Size, in.Shape[0])
	}
	s := &spectrogram{size: t.Size, hop: t.Hop, window: make([]float64, t.Size)}
	if s.hop == 0 {
		s.hop = max(1, t.Size/2)
	}
	s.frames = 1 + (in.Shape[0]-s.size)/s.hop
	sum := 0.0
	for i := range s.window {
		s.window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(s.size))
		sum += s.window[i]
	}
	for i := range s.window {
		s.window[i] /= sum
	}
	s.work.New = func() any {
		return &spectrumWork{fourier.NewFFT(s.size), make([]float64, s.size), make([]complex128, s.size/2+1)}
	}
	return s, nil
}

type spectrogram struct {
	size, hop, frames int
	window            []float64
	work              sync.Pool
}

// spectrumWork is what one reader needs: a transform keeps what it computes with.
type spectrumWork struct {
	fft    *fourier.FFT
	piece  []float64
	coeffs []complex128
}

func (s *spectrogram) Out() graph.Spec { return graph.F32(s.frames, s.size/2+1) }

func (s *spectrogram) Apply(dst, src []float32, _ Draw) {
	w := s.work.Get().(*spectrumWork)
	defer s.work.Put(w)
	bins := s.size/2 + 1
	for f := range s.frames {
		for i, v := range src[f*s.hop : f*s.hop+s.size] {
			w.piece[i] = float64(v) * s.window[i]
		}
		for k, c := range w.fft.Coefficients(w.coeffs, w.piece) {
			dst[f*bins+k] = float32(math.Hypot(real(c), imag(c)))
		}
	}
}

// DB takes 20·log10 of magnitudes; what is quieter than Floor becomes it.
type DB struct {
	Floor float64 `toml:"floor" max:"0" doc:"the least value, in decibels below a magnitude of 1" example:"-100"`
}

// Bind implements Transform.
func (t *DB) Bind(in graph.Spec) (Step, error) { return decibels{sameShape{in}, t.Floor}, nil }

type decibels struct {
	sameShape
	floor float64
}

func (s decibels) Apply(dst, src []float32, _ Draw) {
	for i, v := range src {
		dst[i] = float32(max(s.floor, 20*math.Log10(math.Abs(float64(v)))))
	}
}

func (decibels) Inverts(graph.Spec) bool { return true }

func (s decibels) Invert(dst, src []float32) {
	for i, v := range src {
		dst[i] = float32(math.Pow(10, float64(v)/20))
	}
}
