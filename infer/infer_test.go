package infer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"aetrain/backend"
	"aetrain/data"
	"aetrain/graph"
)

const tinyVAE = `
[model]
preset = "vae"
latent_dim = 3
encoder = [{ layer = "dense", units = 5, activation = "tanh" }]
`

const tinyAE = `
[model]
latent_dim = 3
encoder = [{ layer = "dense", units = 5, activation = "tanh" }]
[model.corruption]
kind = "gaussian"
sigma = 0.3
`

const convVAE = `
[model]
preset = "vae"
latent_dim = 2
encoder = [{ layer = "conv2d", filters = 3, kernel = 3, stride = 2, padding = 1, norm = "batch", activation = "relu" }, { layer = "flatten" }, { layer = "dense", units = 7, dropout = 0.5 }]
[model.reconstruction]
kind = "gaussian"
variance = "learned"
`

// Every function against the float64 definition, for rows that make several batches and a short one.
func TestFunctions(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		text string
		src  *table
	}{
		"vae":      {tinyVAE, noise(7, 1, 2, 3)},
		"ae":       {tinyAE, noise(7, 6)},
		"conv vae": {convVAE, noise(7, 1, 6, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			m := live(t, c.text, c.src, 3)
			x := c.src.values[0]
			fn, err := m.model.Reconstruct(7)
			if err != nil {
				t.Fatal(err)
			}
			want := reference(t, m, fn, c.src, 0, fn.Outputs["recon"], fn.Outputs["z"])
			recon, err := m.Reconstruct(ctx, x)
			if err != nil {
				t.Fatal(err)
			}
			z, err := m.Encode(ctx, x)
			if err != nil {
				t.Fatal(err)
			}
			nearAll(t, "recon", recon.Float32s(), want[0].Data, 1e-5)
			nearAll(t, "z", z.Float32s(), want[1].Data, 1e-5)
			if !recon.Shape().Eq(x.Shape()) {
				t.Errorf("recon is %v, x is %v", recon.Shape(), x.Shape())
			}
			decoded, err := m.Decode(ctx, z)
			if err != nil {
				t.Fatal(err)
			}
			nearAll(t, "decoded", decoded.Float32s(), want[0].Data, 1e-5)

			if fn, err = m.model.Denoise(7); err != nil {
				t.Fatal(err)
			}
			want = reference(t, m, fn, c.src, 0, fn.Outputs["input"], fn.Outputs["recon"])
			input, recon, err := m.Denoise(ctx, x, 0)
			if err != nil {
				t.Fatal(err)
			}
			nearAll(t, "corrupted", input.Float32s(), want[0].Data, 1e-5)
			nearAll(t, "denoised", recon.Float32s(), want[1].Data, 1e-5)
		})
	}
}

func TestPosterior(t *testing.T) {
	src := noise(4, 6)
	m := live(t, tinyVAE, src, 3)
	fn, err := m.model.Encode(4)
	if err != nil {
		t.Fatal(err)
	}
	want := reference(t, m, fn, src, 0, fn.Outputs["mu"], fn.Outputs["log_var"])
	mu, logVar, err := m.Posterior(context.Background(), src.values[0])
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "mu", mu.Float32s(), want[0].Data, 1e-5)
	nearAll(t, "log_var", logVar.Float32s(), want[1].Data, 1e-5)
}

// Random numbers belong to rows: how rows are cut into batches, and where one begins, changes nothing.
func TestBatchesChangeNothing(t *testing.T) {
	ctx := context.Background()
	src := noise(11, 6)
	x := src.values[0]
	whole, cut := live(t, tinyAE, src, 11), live(t, tinyAE, src, 4)
	a, _, err := whole.Denoise(ctx, x, 5)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := cut.Denoise(ctx, x, 5)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Float32s(), b.Float32s()) {
		t.Error("corruption depends on the batch size")
	}
	c, _, err := cut.Denoise(ctx, backend.Rows(x, 2, 11), 7)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(backend.Rows(a, 2, 11).Float32s(), c.Float32s()) {
		t.Error("corruption depends on the row that a call begins with")
	}

	whole, cut = live(t, tinyVAE, src, 11), live(t, tinyVAE, src, 4)
	few, err := cut.Sample(ctx, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	many, err := whole.Sample(ctx, 11, 1)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "samples", few.Float32s(), widen(backend.Rows(many, 0, 5).Float32s()), 1e-6)
	other, err := whole.Sample(ctx, 11, 2)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(other.Float32s(), many.Float32s()) {
		t.Error("another seed gives the same samples")
	}
}

func TestInputs(t *testing.T) {
	ctx := context.Background()
	src := noise(3, 1, 2, 3)
	m := live(t, tinyVAE, src, 2)
	want, err := m.Encode(ctx, src.values[0])
	if err != nil {
		t.Fatal(err)
	}
	flat := tensor.New(tensor.WithShape(3, 6), tensor.WithBacking(widen(src.values[0].Float32s())))
	got, err := m.Encode(ctx, flat) // flat, and float64
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "z", got.Float32s(), widen(want.Float32s()), 0)

	turned := tensor.New(tensor.WithShape(6, 3), tensor.WithBacking(slices.Clone(src.values[0].Float32s())))
	if err := turned.T(); err != nil { // a view that is not row-major
		t.Fatal(err)
	}
	copied := turned.Materialize().(*tensor.Dense)
	a, err := m.Encode(ctx, turned)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Encode(ctx, copied)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "z of a view", a.Float32s(), widen(b.Float32s()), 0)
}

func TestMistakes(t *testing.T) {
	ctx := context.Background()
	src := noise(3, 6)
	vae, ae := live(t, tinyVAE, src, 2), live(t, tinyAE, src, 2)
	x := src.values[0]
	bad := tensor.New(tensor.WithShape(3, 5), tensor.Of(tensor.Float32))
	masked := live(t, tinyAE, noise(3, 6).with("mask", 3, graph.U8(6), coin), 2)
	cases := map[string]struct {
		run  func() error
		want string
	}{
		"width":   {func() error { _, err := vae.Encode(ctx, bad); return err }, "encode: x is (3, 5); want N examples of 6"},
		"nothing": {func() error { _, err := vae.Encode(ctx, nil); return err }, "x is no array"},
		"type": {func() error {
			_, err := vae.Encode(ctx, tensor.New(tensor.WithShape(3, 6), tensor.Of(tensor.Uint8)))
			return err
		}, "x holds uint8; want float32"},
		"code":        {func() error { _, err := vae.Decode(ctx, x); return err }, "decode: z is (3, 6); want N examples of 3"},
		"samples":     {func() error { _, err := vae.Sample(ctx, 0, 1); return err }, "want 1 or more"},
		"no array":    {func() error { _, err := vae.Sample(ctx, 1<<61, 1); return err }, "do not fit into one array"},
		"no steps":    {func() error { _, err := vae.Interpolate(ctx, x, x, 1<<61, ""); return err }, "do not fit into one array"},
		"prior":       {func() error { _, err := ae.Sample(ctx, 1, 1); return err }, "no prior"},
		"posterior":   {func() error { _, _, err := ae.Posterior(ctx, x); return err }, "the model has no mu"},
		"steps":       {func() error { _, err := vae.Interpolate(ctx, x, x, 1, ""); return err }, "2 or more"},
		"way":         {func() error { _, err := vae.Interpolate(ctx, x, x, 3, "scenic"); return err }, `"scenic" is unknown`},
		"ends":        {func() error { _, err := vae.Interpolate(ctx, x, backend.Rows(x, 0, 2), 3, ""); return err }, "from 3 examples to 2"},
		"function":    {func() error { return vae.Each(ctx, src, "dream", 0, nil) }, `nothing is called "dream"`},
		"metric":      {func() error { _, err := vae.Evaluate(ctx, src, EvaluateOptions{Metrics: []string{"psrn"}}); return err }, "did you mean psnr"},
		"ssim":        {func() error { _, err := vae.Evaluate(ctx, src, EvaluateOptions{Metrics: []string{"ssim"}}); return err }, "ssim: "},
		"nll":         {func() error { _, err := ae.NLL(ctx, src, EvaluateOptions{}); return err }, "needs a likelihood"},
		"other data":  {func() error { _, err := vae.Evaluate(ctx, noise(3, 5), EvaluateOptions{}); return err }, "input x"},
		"other field": {func() error { _, err := Read(ctx, src, "label", 0); return err }, "no field label"},
		"mask":        {func() error { _, err := masked.Evaluate(ctx, src, EvaluateOptions{}); return err }, "no field mask"},
		"live":        {func() error { _, err := vae.OpenData(ctx, nil); return err }, "live"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := c.run(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	src := noise(3, 6)
	m := live(t, tinyVAE, src, 2)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Encode(ctx, src.values[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("encode: %v", err)
	}
	if _, err := m.Evaluate(ctx, src, EvaluateOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("evaluate: %v", err)
	}
	<-m.turn // somebody computes
	if _, err := m.Sample(ctx, 2, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for others: %v", err)
	}
	m.release()
}

func TestGoroutines(t *testing.T) {
	src := noise(9, 6)
	m := live(t, tinyVAE, src, 4)
	want, err := m.Encode(context.Background(), src.values[0])
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			got, err := m.Encode(context.Background(), src.values[0])
			if err != nil || !slices.Equal(got.Float32s(), want.Float32s()) {
				t.Errorf("another result, or %v", err)
			}
		})
	}
	all.Wait()
}

// A model with another prior works over the same weights: both may be used at once.
func TestPriorsAtOnce(t *testing.T) {
	src := noise(40, 6)
	ctx := context.Background()
	m := live(t, tinyVAE, src, 16)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if _, err := m.Encode(ctx, src.values[0]); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			mixed, err := m.WithPrior(ctx, "gaussian-mixture", src)
			if err == nil {
				_, err = mixed.Sample(ctx, 3, 1)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	normal, err := m.WithPrior(ctx, "normal", nil)
	if err == nil {
		_, err = normal.Sample(ctx, 3, 1)
	}
	if err == nil {
		err = m.acquire(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer m.release()
	soon, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := normal.Sample(soon, 3, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("sampling while the other model computes: %v", err)
	}
}

// Programs of many sizes do not pile up.
func TestEviction(t *testing.T) {
	src := noise(40, 6)
	m := live(t, tinyVAE, src, 64)
	want, err := m.Encode(context.Background(), src.values[0])
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 40; n++ {
		got, err := m.Encode(context.Background(), backend.Rows(src.values[0], 0, n))
		if err != nil {
			t.Fatal(err)
		}
		nearAll(t, fmt.Sprint(n, " rows"), got.Float32s(), widen(backend.Rows(want, 0, n).Float32s()), 1e-6)
	}
	if n := len(m.runners); n > mostRunners {
		t.Errorf("%d programs are loaded", n)
	}
}

// A live model sees the weights change.
func TestLive(t *testing.T) {
	src := noise(3, 6)
	m := live(t, tinyVAE, src, 2)
	before, err := m.Encode(context.Background(), src.values[0])
	if err != nil {
		t.Fatal(err)
	}
	zero := backend.NewHost(graph.F32(3, 5))
	if err := m.State().Write("encoder.mu.weight", graph.Param, zero); err != nil {
		t.Fatal(err)
	}
	bias := backend.NewHost(graph.F32(3))
	if err := m.State().Read("encoder.mu.bias", bias); err != nil {
		t.Fatal(err)
	}
	after, err := m.Encode(context.Background(), src.values[0])
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(before.Float32s(), after.Float32s()) || !slices.Equal(after.Float32s()[:3], bias.Float32s()) {
		t.Errorf("codes are %v; without weights they should be the bias, %v", after.Float32s(), bias.Float32s())
	}
}

func TestEach(t *testing.T) {
	ctx := context.Background()
	src := noise(7, 6)
	m := live(t, tinyAE, src, 3)
	want, _, err := m.Denoise(ctx, src.values[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	seen := 0
	err = m.Each(ctx, src, "denoise", 5, func(r *Rows) error {
		if r.Row0 != seen || r.Out["recon"].Shape()[0] != r.N || r.Batch.Size != r.N {
			t.Errorf("rows from %d, %d of them, recon %v", r.Row0, r.N, r.Out["recon"].Shape())
		}
		seen += r.N
		got = append(got, r.Out["input"].Float32s()...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "corrupted", got, widen(backend.Rows(want, 0, 5).Float32s()), 0)
	stop := errors.New("enough")
	if err := m.Each(ctx, src, "encode", 0, func(*Rows) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestRead(t *testing.T) {
	src := noise(300, 2).with("mask", 300, graph.U8(2), coin)
	x, err := Read(context.Background(), src, "x", 290)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "x", x.Float32s(), widen(backend.Rows(src.values[0], 0, 290).Float32s()), 0)
	if mask, err := Read(context.Background(), src, "mask", 0); err != nil || mask.Shape()[0] != 300 || mask.Dtype() != tensor.Uint8 {
		t.Errorf("mask: %v", err)
	}
	if got := data.ExampleName(head(src, 3), 2); got != "2" {
		t.Errorf("example 2 is called %s", got)
	}
}

func TestDescribe(t *testing.T) {
	m := live(t, tinyVAE, noise(2, 1, 2, 3), 2)
	var b bytes.Buffer
	if err := m.Describe(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"input 1x2x3, code 3", "encoder.0", "dense", "127 parameters: encoder 71, decoder 56"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, b.String())
		}
	}
}
