package backendtest

import (
	"fmt"
	"math/rand/v2"

	"aetrain/graph"
	"aetrain/op"
)

// drawer builds random graphs from a sequence of choices.
type drawer struct {
	choose func(n int) int // 0 <= choose(n) < n
	g      *graph.Graph
	feed   map[string]graph.Tensor
	pool   []graph.Value // float32 values of any shape
	leaves []graph.Value // parameters, to differentiate by
	values int           // inputs and states so far
	path   int
}

// RandomGraph returns a graph of small values with outputs, gradients of first and second order and assigned states, together with
// what to feed inputs and states. Choices come from choose: 0 <= choose(n) < n. Compilers and backends are held to it alike.
func RandomGraph(choose func(n int) int) (*graph.Graph, map[string]graph.Value, map[string]graph.Tensor) {
	d := &drawer{choose: choose, g: graph.New(), feed: map[string]graph.Tensor{}}
	for range 2 + choose(3) {
		d.add(d.input(d.shape()))
		d.add(d.param(d.shape()))
	}
	for range 4 + choose(16) {
		defer d.g.Enter(fmt.Sprint(d.path))() // random draws want paths of their own
		d.path++
		d.step()
	}
	d.differentiate()
	d.assign()
	outs := map[string]graph.Value{}
	for i := range 1 + choose(4) {
		outs[fmt.Sprintf("out%d", i)] = d.pick()
	}
	if choose(3) == 0 { // a state as it was, and a state as it becomes
		states := d.g.States()
		st := states[choose(len(states))]
		outs["leaf"], outs["now"] = st.Leaf, st.Now
	}
	return d.g, outs, d.feed
}

func (d *drawer) add(v graph.Value) {
	if d.g.Err() == nil && v.Valid() && v.Shape().Size() <= 400 {
		d.pool = append(d.pool, v)
	}
}

// pick prefers late values.
func (d *drawer) pick() graph.Value {
	n := len(d.pool)
	if d.choose(2) == 0 {
		return d.pool[n-1-d.choose(min(n, 4))]
	}
	return d.pool[d.choose(n)]
}

func (d *drawer) dim() int {
	if d.choose(60) == 0 {
		return 0
	}
	return 1 + d.choose(4)
}

func (d *drawer) shape() graph.Shape {
	s := graph.Shape{}
	for range d.choose(5) {
		s = append(s, d.dim())
	}
	return s
}

func (d *drawer) fill(name string, s graph.Spec, from, to float64) {
	seed := uint64(d.values)*1000 + uint64(d.choose(1000))
	d.feed[name] = graph.Example{Args: []graph.Arg{{Spec: s, From: from, To: to}}}.Draw(seed)[0]
	d.values++
}

func (d *drawer) input(s graph.Shape) graph.Value {
	name := fmt.Sprintf("x%d", d.values)
	d.fill(name, graph.F32(s...), -1, 1)
	return d.g.Input(name, graph.F32(s...))
}

func (d *drawer) integers(s graph.Shape, t graph.DType, to int) graph.Value {
	name, spec := fmt.Sprintf("i%d", d.values), graph.Spec{Shape: s, DType: t}
	d.fill(name, spec, 0, float64(to))
	return d.g.Input(name, spec)
}

func (d *drawer) param(s graph.Shape) graph.Value {
	name := fmt.Sprintf("w%d", d.values)
	d.fill(name, graph.F32(s...), -1, 1)
	v := d.g.State(graph.Param, name, graph.F32(s...), nil)
	d.leaves = append(d.leaves, v)
	return v
}

// matching is a value that broadcasts with x: from the pool, or new with some axes of size 1 or left out.
func (d *drawer) matching(x graph.Value) graph.Value {
	for range 4 {
		if v := d.pick(); v.Shape().Equal(x.Shape()) {
			return v
		}
	}
	s := x.Shape().Clone()
	s = s[d.choose(len(s)+1):]
	for i := range s {
		if d.choose(3) == 0 {
			s[i] = 1
		}
	}
	if d.choose(2) == 0 {
		return d.param(s)
	}
	return d.input(s)
}

// step adds a value to the pool.
func (d *drawer) step() {
	x := d.pick()
	moves := []func(graph.Value) graph.Value{
		d.unary, d.unary, d.binary, d.binary, d.binary, d.reduce, d.reduce, d.reshape, d.transpose, d.multiply, d.blocks, d.special,
		d.integer, d.image, d.normalise, d.random, d.constant,
	}
	d.add(moves[d.choose(len(moves))](x))
}

func (d *drawer) unary(x graph.Value) graph.Value {
	switch d.choose(11) {
	case 0:
		return op.Tanh(x)
	case 10: // the last two who read x are an op and a sum
		d.add(op.SumPerExample(x))
		return op.Tanh(x)
	case 1:
		return op.Sigmoid(x)
	case 2:
		return op.Scale(x, []float64{1, 0.5, -2, 0}[d.choose(4)])
	case 3:
		return op.AddConst(x, 0.1234)
	case 4:
		return op.ReLU(op.AddConst(x, 0.0321))
	case 5:
		return op.Square(op.Tanh(x))
	case 6:
		return op.Sqrt(op.AddConst(op.Square(x), 0.7))
	case 7:
		return op.Neg(x)
	case 8:
		return op.Stop(x)
	}
	return op.Softplus(x)
}

func (d *drawer) binary(x graph.Value) graph.Value {
	y := d.matching(x)
	switch d.choose(8) {
	case 0:
		return op.Add(x, y)
	case 1:
		return op.Sub(y, x)
	case 2:
		return op.Mul(op.Tanh(x), y)
	case 3:
		return op.Div(x, op.AddConst(op.Square(y), 1))
	case 4:
		return op.Maximum(x, op.AddConst(y, 0.0173))
	case 5:
		return op.Select(op.Greater(y, y.Graph().Scalar(0.1234)), x, op.Neg(x))
	case 6:
		return graph.SumOf(x, op.BroadcastTo(op.Tanh(x), x.Shape()...), x)
	}
	return op.BCEWithLogits(op.Add(x, y), op.Sigmoid(x))
}

func (d *drawer) reduce(x graph.Value) graph.Value {
	var axes []int
	for i := range x.Rank() {
		if d.choose(2) == 0 {
			axes = append(axes, i)
		}
	}
	r := op.ReduceMean(x, axes...)
	if d.choose(2) == 0 {
		r = op.ReduceSum(x, axes...)
	}
	if d.choose(3) == 0 { // back to x's shape
		kept := x.Shape().Clone()
		for _, a := range axes {
			kept[a] = 1
		}
		return op.Sub(x, op.Reshape(r, kept...))
	}
	return r
}

func (d *drawer) reshape(x graph.Value) graph.Value {
	n, s := x.Shape().Size(), graph.Shape{}
	for n > 1 {
		f := 2
		for n%f != 0 {
			f++
		}
		n /= f
		switch d.choose(4) {
		case 0:
			s = append(s, f, 1)
		case 1:
			if len(s) > 0 {
				s[len(s)-1] *= f
				continue
			}
			s = append(s, f)
		default:
			s = append(s, f)
		}
	}
	if n == 0 {
		s = append(s, 0)
	}
	return op.Reshape(x, s...)
}

func (d *drawer) transpose(x graph.Value) graph.Value {
	perm := make([]int, x.Rank())
	for i := range perm {
		perm[i] = i
	}
	for i := len(perm) - 1; i > 0; i-- {
		j := d.choose(i + 1)
		perm[i], perm[j] = perm[j], perm[i]
	}
	if len(perm) == 0 {
		return x
	}
	return op.Transpose(x, perm...)
}

func (d *drawer) multiply(x graph.Value) graph.Value {
	if x.Rank() < 2 || x.Rank() > 3 || x.Shape().Size() == 0 {
		return graph.Value{}
	}
	transA, transB := d.choose(2) == 0, d.choose(2) == 0
	k, n := x.Dim(-1), 1+d.choose(4)
	if transA {
		k = x.Dim(-2)
	}
	w := d.param(graph.Shape{k, n})
	if transB {
		w = d.param(graph.Shape{n, k})
	}
	y := op.MatMul(x, w, transA, transB)
	switch d.choose(3) {
	case 0:
		y = op.Tanh(op.Add(y, d.param(graph.Shape{n})))
	case 1:
		y = op.ReLU(op.AddConst(op.Add(y, d.param(graph.Shape{n})), 0.0211))
	}
	return y
}

func (d *drawer) blocks(x graph.Value) graph.Value {
	if x.Rank() == 0 {
		return graph.Value{}
	}
	axis := d.choose(x.Rank())
	switch d.choose(3) {
	case 0:
		return op.Concat(axis, x, op.Tanh(x))
	case 1:
		return op.Slice(x, axis, 0, max(1, x.Dim(axis)-1))
	}
	return op.Pad(x, axis, d.choose(2), d.choose(2), 0)
}

func (d *drawer) special(x graph.Value) graph.Value {
	if x.Rank() == 0 || x.Shape().Size() == 0 {
		return graph.Value{}
	}
	switch d.choose(4) {
	case 0:
		return op.Softmax(x)
	case 1:
		return op.LogSoftmax(x)
	case 2:
		return op.StraightThrough(op.Round(op.AddConst(x, 0.0177)), x)
	}
	return op.LogSumExp(x, x.Rank()-1)
}

func (d *drawer) integer(x graph.Value) graph.Value {
	if x.Shape().Size() == 0 {
		return graph.Value{}
	}
	switch d.choose(4) {
	case 0:
		return op.Mul(x, op.Cast(d.integers(x.Shape(), graph.Uint8, 2), graph.Float32))
	case 1:
		if x.Rank() > 0 {
			return op.Gather(x, d.integers(graph.Shape{1 + d.choose(4)}, graph.Int32, x.Dim(0)))
		}
	case 2:
		label := d.integers(graph.Shape{3}, graph.Int32, 4)
		return op.OneHot(op.AddInt(label, op.Increment(label)), 5)
	case 3: // an integer that is repeated inside of a chain
		row := op.BroadcastTo(d.integers(graph.Shape{2, 1}, graph.Int32, 100), 2, 3)
		return op.Scale(op.Cast(op.AddInt(row, op.BroadcastTo(d.integers(graph.Shape{3}, graph.Int32, 100), 2, 3)), graph.Float32), 0.01)
	}
	return op.Cast(op.Increment(d.integers(nil, graph.Int32, 10)), graph.Float32)
}

func (d *drawer) image(x graph.Value) graph.Value {
	if x.Rank() != 4 || x.Shape().Size() == 0 {
		x = d.input(graph.Shape{1 + d.choose(2), 1 + d.choose(2), 3, 4})
	}
	channels := 1 + d.choose(2)
	switch d.choose(3) {
	case 0:
		return op.AvgPool2D(x, op.PoolConfig{KH: 1, KW: min(2, x.Dim(3)), StrideH: 1, StrideW: 1})
	case 1:
		c := op.ConvConfig{PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}
		return op.Tanh(op.AddBias(op.Conv2D(x, d.param(graph.Shape{channels, x.Dim(1), 2, 3}), c), d.param(graph.Shape{channels})))
	}
	return op.AddBias(op.ConvTranspose2D(x, d.param(graph.Shape{x.Dim(1), channels, 2, 2}), op.ConvConfig{StrideH: 2, StrideW: 1}), d.param(graph.Shape{channels}))
}

func (d *drawer) normalise(x graph.Value) graph.Value {
	if x.Rank() < 2 || x.Shape().Size() == 0 {
		return graph.Value{}
	}
	if d.choose(2) == 0 {
		n := x.Dim(-1)
		return op.LayerNorm(x, d.param(graph.Shape{n}), d.param(graph.Shape{n}), 0.1)
	}
	c := graph.Shape{x.Dim(1)}
	y, mean, variance := op.BatchNorm(x, d.param(c), d.param(c), 0.1)
	d.add(mean)
	d.add(variance)
	return y
}

func (d *drawer) random(x graph.Value) graph.Value {
	r := op.RNG{Seed: d.g.Constant(graph.I32(2), 1, 2), Step: d.integers(nil, graph.Int32, 9), Row0: d.g.Constant(graph.I32(), 0)}
	if d.choose(2) == 0 {
		logVar := op.Tanh(x)
		if x.Rank() == 2 {
			d.add(op.KLNormal(x, logVar))
		}
		return op.GaussianSample(r, "z", x, logVar)
	}
	return op.Mul(x, op.Normal(r, "n", x.Shape()...))
}

func (d *drawer) constant(x graph.Value) graph.Value {
	c := d.g.Constant(x.Spec(), float64(d.choose(3)))
	if d.choose(2) == 0 {
		return op.Add(x, op.Tanh(op.Square(c)))
	}
	return graph.SumOf(x, op.Mul(c, c), op.Scale(c, 0))
}

// differentiate adds gradients of a loss, and now and then gradients of those.
func (d *drawer) differentiate() {
	for order := range d.choose(3) {
		loss := op.MeanAll(op.Square(op.Tanh(d.pick())))
		if order > 0 {
			loss = op.Add(loss, op.SumAll(op.Square(d.pick())))
		}
		if d.g.Err() != nil || loss.Shape().Size() != 1 {
			return
		}
		for _, v := range graph.Grad(loss, d.leaves...) {
			d.add(v)
		}
		d.add(loss)
	}
}

// assign updates parameters, swaps and copies states, writes one value to several, and counts.
func (d *drawer) assign() {
	for range d.choose(6) {
		st := d.g.States()[d.choose(len(d.g.States()))]
		switch d.choose(6) {
		case 0:
			d.g.Assign(st.Now, op.Sub(st.Now, op.Scale(st.Leaf, 0.5)))
		case 1: // another state of that shape, or a value, or a reshaped one
			for _, v := range d.pool {
				if v.Shape().Equal(st.Spec.Shape) && d.choose(2) == 0 {
					d.g.Assign(st.Now, v)
				} else if v.Shape().Size() == st.Spec.Shape.Size() && d.choose(3) == 0 {
					d.g.Assign(st.Now, op.Reshape(v, st.Spec.Shape...))
				}
			}
		case 2:
			for _, other := range d.g.States() {
				if other.Spec.Equal(st.Spec) && other != st {
					was := st.Now
					d.g.Assign(st.Now, other.Now)
					d.g.Assign(other.Now, was)
					break
				}
			}
		case 3:
			count := d.g.State(graph.Buffer, "count", graph.I32(), nil)
			d.g.Assign(count, op.Increment(count))
			d.add(op.Cast(count, graph.Float32))
		case 4: // read by a sum and overwritten by the chain that takes it
			if st.Spec.DType == graph.Float32 {
				d.add(op.SumAll(st.Now))
				d.g.Assign(st.Now, op.Tanh(st.Now))
			}
		case 5:
			if st.Spec.DType == graph.Float32 {
				d.g.Assign(st.Now, op.BroadcastTo(op.MeanAll(st.Now), st.Spec.Shape...))
				d.add(op.Tanh(st.Now))
			}
		}
	}
}

// FromSeed makes the choices of [RandomGraph].
func FromSeed(seed uint64) func(int) int {
	return rand.New(rand.NewPCG(seed, 7)).IntN
}
