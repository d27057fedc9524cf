// Command gorgonia is Gorgonia's side of "aetrain bench -peers bin/bench-gorgonia": the first row, the VAE of PyTorch's examples, on
// its tape machine with its Adam. It answers the protocol of bench/throughput/torch/bench.py.
package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"

	_ "go4.org/unsafe/assume-no-moving-gc" // Gorgonia's own pin is too old for this Go
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"aetrain/bench/throughput"
)

// The network: pixels, hidden units of encoder and decoder, latents.
const (
	pixels  = 784
	hidden  = 400
	latents = 20
)

// batches lie in memory and are taken in turn.
const batches = 16

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := &throughput.Server{
		About: map[string]any{"name": "gorgonia", "version": version()},
		Ways: func(row, device string) []string {
			if row != "vae-128" || device != "cpu" {
				return nil
			}
			return []string{""}
		},
		Open: open,
	}
	if err := s.Serve(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gorgonia:", err)
		os.Exit(1)
	}
}

// version is Gorgonia's, as this binary was built with it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "gorgonia.org/gorgonia" {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return "unknown"
}

// open makes the network.
func open(_ context.Context, q throughput.Question) (*throughput.Served, error) {
	n := max(1, q.Batch)
	v, err := newVAE(n)
	if err != nil {
		return nil, err
	}
	loss, err := v.step()
	if err != nil {
		return nil, err
	}
	parameters := 0
	for _, w := range v.weights {
		parameters += w.Shape().TotalSize()
	}
	step := func(context.Context) error {
		if q.Threads > 0 && runtime.GOMAXPROCS(0) != q.Threads {
			runtime.GOMAXPROCS(q.Threads)
		}
		_, err := v.step()
		return err
	}
	return &throughput.Served{Side: throughput.Steps(n, step), Parameters: parameters, Loss: loss}, nil
}

// vae is the network with its machine and its optimiser.
type vae struct {
	x       *gorgonia.Node
	loss    *gorgonia.Node
	weights gorgonia.Nodes
	machine gorgonia.VM
	adam    gorgonia.Solver
	data    []tensor.Tensor
	steps   int
}

// newVAE builds the graph for batches of n.
func newVAE(n int) (v *vae, err error) {
	defer func() {
		if r := recover(); r != nil { // what gorgonia.Must does with an error
			err = fmt.Errorf("building the graph: %v", r)
		}
	}()
	g := gorgonia.NewGraph()
	v = &vae{x: gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName("x"), gorgonia.WithShape(n, pixels))}
	h := must(gorgonia.Rectify(v.dense("encoder", v.x, pixels, hidden)))
	mu, logVar := v.dense("mu", h, hidden, latents), v.dense("log_var", h, hidden, latents)
	eps := gorgonia.GaussianRandomNode(g, tensor.Float32, 0, 1, n, latents)
	half := gorgonia.NewConstant(float32(0.5))
	z := must(gorgonia.Add(mu, must(gorgonia.HadamardProd(eps, must(gorgonia.Exp(must(gorgonia.HadamardProd(logVar, half))))))))
	logits := v.dense("out", must(gorgonia.Rectify(v.dense("decoder", z, latents, hidden))), hidden, pixels)

	nats := must(gorgonia.Sum(must(gorgonia.Sub(must(gorgonia.Softplus(logits)), must(gorgonia.HadamardProd(v.x, logits))))))
	kl := must(gorgonia.Sum(must(gorgonia.Sub(must(gorgonia.Add(must(gorgonia.Square(mu)), must(gorgonia.Exp(logVar)))), logVar))))
	// Σ (mu² + exp(logVar) - logVar - 1) / 2; the constant has no gradient
	kl = must(gorgonia.Mul(must(gorgonia.Sub(kl, gorgonia.NewConstant(float32(n*latents)))), half))
	v.loss = must(gorgonia.Div(must(gorgonia.Add(nats, kl)), gorgonia.NewConstant(float32(n))))
	if _, err := gorgonia.Grad(v.loss, v.weights...); err != nil {
		return nil, err
	}
	v.machine = gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(v.weights...))
	v.adam = gorgonia.NewAdamSolver(gorgonia.WithLearnRate(1e-3))
	r := rand.New(rand.NewPCG(1, 1))
	for range batches {
		backing := make([]float32, n*pixels)
		for i := range backing {
			backing[i] = r.Float32()
		}
		v.data = append(v.data, tensor.New(tensor.WithShape(n, pixels), tensor.WithBacking(backing)))
	}
	return v, nil
}

// dense is x·W + b.
func (v *vae) dense(name string, x *gorgonia.Node, in, out int) *gorgonia.Node {
	g, bound := x.Graph(), 1/math.Sqrt(float64(in))
	w := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName(name+".weight"), gorgonia.WithShape(in, out), gorgonia.WithInit(gorgonia.Uniform(-bound, bound)))
	b := gorgonia.NewVector(g, tensor.Float32, gorgonia.WithName(name+".bias"), gorgonia.WithShape(out), gorgonia.WithInit(gorgonia.Zeroes()))
	v.weights = append(v.weights, w, b)
	return must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w)), b, nil, []byte{0}))
}

// step trains on the next batch and returns its loss.
func (v *vae) step() (float64, error) {
	if err := gorgonia.Let(v.x, v.data[v.steps%batches]); err != nil {
		return 0, err
	}
	v.steps++
	if err := v.machine.RunAll(); err != nil {
		return 0, err
	}
	loss := 0.0
	if s, ok := v.loss.Value().Data().(float32); ok {
		loss = float64(s)
	}
	if err := v.adam.Step(gorgonia.NodesToValueGrads(v.weights)); err != nil {
		return 0, err
	}
	v.machine.Reset()
	return loss, nil
}

// must is gorgonia.Must, whose panic newVAE makes an error.
func must(n *gorgonia.Node, err error) *gorgonia.Node { return gorgonia.Must(n, err) }
