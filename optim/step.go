package optim

import (
	"maps"
	"slices"

	"aetrain/graph"
	"aetrain/op"
)

// Names of states and inputs that [Step] declares.
const (
	StateBad          = "guard.bad"     // scratch: 1 once a step was not finite; nothing changes until the host writes 0
	InputLearningRate = "learning_rate" // of the loss called DefaultLoss; of others "learning_rate.NAME"
	InputDue          = "due"           // "due.NAME": 1 in steps in which a loss with Gated trains, else 0
	DefaultLoss       = "loss"
	Prefix            = "optimizer" // of all that optimisers keep
)

// Loss is what one set of parameters minimises in a step.
type Loss struct {
	Name   string
	Value  graph.Value    // scalar
	Params []*graph.State // what it trains
	Config *Config
	Gated  bool // it does not train in every step: its update waits for the input "due.NAME"

	// Owner says whose a parameter is, by its name, where several models are trained by one loss: each one's gradients are clipped by
	// their own norm. nil: all are one's.
	Owner func(param string) int
}

// RateInput is the input that takes the loss's learning rate.
func (l Loss) RateInput() string {
	if l.Name == DefaultLoss {
		return InputLearningRate
	}
	return graph.Join(InputLearningRate, l.Name)
}

// DueInput is the input of a gated loss.
func (l Loss) DueInput() string { return graph.Join(InputDue, l.Name) }

// Options of [Step].
type Options struct {
	ClipNorm float64       // norm that a loss's gradients, those of each owner together, are scaled down to; 0: none
	Finite   []graph.Value // what has to be finite beside losses and gradients: terms
	Counter  graph.Value   // int32 scalar state, counted up by a step that was good; the zero Value: none
}

// Result is what a step leaves to be fetched.
type Result struct {
	OK           graph.Value            // scalar: 1 if the step was made
	GradientNorm graph.Value            // scalar: of all losses' gradients together, before clipping
	Norms        map[string]graph.Value // by loss
}

// Step completes a training graph that holds losses of one phase: the gradients of all of them, each before any update; the guard;
// clipping; the updates. Where a loss, a term or a gradient is not finite, every state keeps its value, in this step and in those
// after it until the host sets StateBad back to 0, so that a step may be looked at later without a stall.
func Step(g *graph.Graph, losses []Loss, o Options) Result {
	r := Result{Norms: map[string]graph.Value{}}
	grads := make([][]graph.Value, len(losses))
	var all []graph.Value
	finite := append([]graph.Value(nil), o.Finite...)
	for i, l := range losses {
		grads[i] = Gradients(l.Value, l.Params)
		all = append(all, grads[i]...)
		norm := op.GlobalNorm(grads[i]...)
		if norm.Valid() {
			r.Norms[l.Name] = norm
			finite = append(finite, norm)
		}
		finite = append(finite, l.Value)
	}
	r.GradientNorm = op.GlobalNorm(all...)
	if len(losses) == 1 {
		r.GradientNorm = r.Norms[losses[0].Name]
	}
	r.OK = Guard(g, finite...)
	for i, l := range losses {
		Apply(g, l, l.Clip(grads[i], r.Norms[l.Name], o.ClipNorm), r.OK)
	}
	if o.Counter.Valid() {
		g.Assign(o.Counter, countIf(o.Counter, r.OK))
	}
	return r
}

// Gradients returns the gradient of a loss for each parameter; the zero Value where the loss does not depend on it.
func Gradients(loss graph.Value, params []*graph.State) []graph.Value {
	leaves := make([]graph.Value, len(params))
	for i, p := range params {
		leaves[i] = p.Leaf
	}
	return graph.Grad(loss, leaves...)
}

// Clip is [Clip] for the gradients of l's parameters, whose norm is norm, those of each owner by their own.
func (l Loss) Clip(grads []graph.Value, norm graph.Value, limit float64) []graph.Value {
	of := map[int][]int{}
	for i, p := range l.Params {
		owner := 0
		if l.Owner != nil {
			owner = l.Owner(p.Name)
		}
		of[owner] = append(of[owner], i)
	}
	if limit == 0 || len(of) < 2 {
		return Clip(grads, norm, limit)
	}
	clipped := make([]graph.Value, len(grads))
	for _, owner := range slices.Sorted(maps.Keys(of)) {
		var own []graph.Value
		for _, i := range of[owner] {
			own = append(own, grads[i])
		}
		own = Clip(own, op.GlobalNorm(own...), limit)
		for k, i := range of[owner] {
			clipped[i] = own[k]
		}
	}
	return clipped
}

// clipEps keeps the division by a norm of 0 away, as PyTorch has it.
const clipEps = 1e-6

// Clip scales gradients so that their norm is at most limit; 0 leaves them alone.
// Source: Pascanu, Mikolov & Bengio 2013, "On the difficulty of training Recurrent Neural Networks", algorithm 1.
func Clip(grads []graph.Value, norm graph.Value, limit float64) []graph.Value {
	if limit == 0 || !norm.Valid() {
		return grads
	}
	g := norm.Graph()
	scale := op.Minimum(op.Div(g.Scalar(limit), op.AddConst(norm, clipEps)), g.Scalar(1))
	clipped := make([]graph.Value, len(grads))
	for i, d := range grads {
		if d.Valid() {
			clipped[i] = op.Mul(d, scale)
		}
	}
	return clipped
}

// Guard returns 1 if all of the values are finite and no step before was bad, else 0. Every state that has been assigned so far
// (running statistics, codebooks) keeps its old value where it is 0; updates take it as their ok.
func Guard(g *graph.Graph, values ...graph.Value) graph.Value {
	good := g.Scalar(1)
	for _, v := range values {
		if v.Rank() > 0 {
			v = op.SumAll(v)
		}
		good = op.Mul(good, op.IsFinite(v))
	}
	bad := g.State(graph.Scratch, StateBad, graph.F32(), nil)
	ok := op.Mul(good, op.AddConst(op.Neg(bad), 1))
	for _, s := range g.States() {
		if s.Now == s.Leaf {
			continue
		}
		if s.Spec.DType == graph.Float32 {
			g.Assign(s.Now, op.Select(ok, s.Now, s.Leaf))
		} else {
			g.Assign(s.Now, either(ok, s.Now, s.Leaf))
		}
	}
	g.Assign(bad, op.Maximum(bad, op.AddConst(op.Neg(good), 1)))
	return ok
}

// either returns a where ok is 1 and b where it is 0, of any type.
func either(ok, a, b graph.Value) graph.Value {
	rows := append([]int{1}, a.Shape()...)
	both := op.Concat(0, op.Reshape(b, rows...), op.Reshape(a, rows...))
	return op.Reshape(op.Gather(both, op.Cast(ok, graph.Int32)), a.Shape()...)
}

// countIf returns counter + ok.
func countIf(counter, ok graph.Value) graph.Value {
	return op.AddInt(counter, op.Cast(ok, graph.Int32))
}

// Apply adds the updates of a loss's parameters. A parameter without a gradient stays as it is.
func Apply(g *graph.Graph, l Loss, grads []graph.Value, ok graph.Value) {
	lr := g.Input(l.RateInput(), graph.F32())
	if l.Gated {
		ok = op.Mul(ok, g.Input(l.DueInput(), graph.F32()))
	}
	name := graph.Join(Prefix, l.Name)
	steps := g.State(graph.Buffer, graph.Join(name, "steps"), graph.I32(), nil)
	for i, p := range l.Params {
		if grads[i].Valid() {
			l.Config.Method.Update(&Slot{P: p.Now, G: grads[i], LR: lr, OK: ok, Steps: steps, g: g, prefix: graph.Join(name, p.Name)})
		}
	}
	g.Assign(steps, countIf(steps, ok))
}
