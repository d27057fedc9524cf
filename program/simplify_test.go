package program_test

import (
	"strings"
	"testing"

	"aetrain/graph"
	"aetrain/op"
	"aetrain/program"
)

// What rules make of small formulas. want is the listing's steps, with "; " between them.
func TestSimplify(t *testing.T) {
	const big = 5000 // more than folding computes element by element
	for _, c := range []struct {
		name  string
		build func(g *graph.Graph, x graph.Value) graph.Value // x is 3x4
		want  string
	}{
		{"x+0 and x*1", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Tanh(op.Add(op.Mul(x, g.Scalar(1)), g.Scalar(0)))
		}, "chain<12> t1=Tanh(x); b1:=t1"},
		{"0*x stays: x may be infinite", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Mul(x, g.Scalar(0))
		}, "chain<12> t1=Scale0(x); b1:=t1"},
		{"factors merge", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Scale(op.Div(op.Scale(x, 6), g.Scalar(2)), 5)
		}, "chain<12> t1=Scale15(x); b1:=t1"},
		{"factors whose product leaves float32 do not", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Scale(op.Scale(x, 1e-30), 1e-30)
		}, "chain<12> t1=Scale1e-30(x); t2=Scale1e-30(t1); b1:=t2"},
		{"division by a tiny constant stays", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Div(x, g.Scalar(1e-40))
		}, "chain<12> t2=Div(x,1e-40[/1%1]); b2:=t2"},
		{"constants fold", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Add(x, op.Square(op.AddConst(g.Constant(graph.F32(3, 1), 1, 2, 3), 1)))
		}, "chain<12> t2=Add(x,const1[/4%3]); b2:=t2"},
		{"large constants of one number fold", func(g *graph.Graph, x graph.Value) graph.Value {
			ones := g.Constant(graph.F32(big, 2), 1)
			joined := op.Concat(0, op.Transpose(op.Pad(ones, 0, 1, 1, 1)), op.Transpose(op.Exp(g.Constant(graph.F32(big+2, 2), 0))))
			return op.Mul(x, op.SumAll(op.Reshape(joined, -1)))
		}, "chain<12> t1=Scale20008(x); b1:=t1"},
		{"zeros leave sums", func(g *graph.Graph, x graph.Value) graph.Value {
			return graph.SumOf(x, g.Constant(x.Spec(), 0), op.Tanh(x))
		}, "chain<12> t1=Tanh(x); t2=Sum(x,t1); b1:=t2"},
		{"a stopped gradient costs nothing", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Square(op.StraightThrough(op.Stop(op.Round(x)), x))
		}, "chain<12> t1=Round(x); t2=Square(t1); b1:=t2"},
		{"a sum over axes of size 1 is a reshape", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Exp(op.ReduceSum(op.Reshape(x, 3, 1, 4), 1))
		}, "chain<12> t1=Exp(x); b1:=t1"},
		{"a sum of repeated elements is a product", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.ReduceSum(op.BroadcastTo(op.Reshape(x, 3, 1, 4), 3, 5, 4), 0, 1)
		}, "chain<12> b1[/1%4]+=x; chain<4> t1=Scale5(b1); b1:=t1"},
		{"a reshape goes before a broadcast", func(g *graph.Graph, x graph.Value) graph.Value {
			row := op.BroadcastTo(op.SumPerExample(op.Reshape(x, 3, 4)), 4, 3)
			return op.Mul(op.Reshape(x, 2, 2, 3), op.Reshape(row, 2, 2, 3))
		}, "chain<12> b1[/4%3]+=x; chain<12> t2=Mul(x,b1[/1%3]); b2:=t2"},
		{"moving axes of size 1 is a reshape", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Neg(op.Transpose(op.Reshape(x, 3, 1, 4), 1, 0, 2))
		}, "chain<12> t1=Neg(x); b1:=t1"},
		{"transposes cancel", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Neg(op.Transpose(op.Transpose(x)))
		}, "chain<12> t1=Neg(x); b1:=t1"},
		{"products take transposed operands", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.MatMul(op.Transpose(x), x, false, false)
		}, "b1 = MatMul{TransA:true TransB:false}(x, x) 4x4"},
		{"products compute their transpose", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Transpose(op.MatMul(x, op.Tanh(x), false, true))
		}, "chain<12> t1=Tanh(x); b1:=t1; b2 = MatMul{TransA:false TransB:true}(b1, x) 3x3"},
		{"but not twice", func(g *graph.Graph, x graph.Value) graph.Value {
			y := op.MatMul(x, x, false, true)
			return op.Add(y, op.Transpose(y))
		}, "b1 = MatMul{TransA:false TransB:true}(x, x) 3x3; b2 = Transpose{Perm:[1 0]}(b1) 3x3; chain<9> t2=Add(b1,b2); b1:=t2"},
		{"equal nodes are one", func(g *graph.Graph, x graph.Value) graph.Value {
			return op.Add(op.Exp(x), op.Exp(op.Reshape(op.Flatten(x), 3, 4)))
		}, "chain<12> t1=Exp(x); t2=Add(t1,t1); b1:=t2"},
		{"scalar arithmetic stays scalar", func(g *graph.Graph, x graph.Value) graph.Value {
			s := op.BroadcastTo(op.SumAll(x), 3, 4)
			return op.Mul(x, op.Sqrt(op.AddConst(op.Square(s), 1)))
		}, "chain<12> b1[/1%1]+=x; chain<1> t1=Square(b1); t2=AddConst1(t1); t3=Sqrt(t2); b1:=t3; chain<12> t2=Mul(x,b1[/1%1]); b3:=t2"},
		{"integers are not repeated inside of a chain", func(g *graph.Graph, x graph.Value) graph.Value {
			i := g.Constant(graph.I32(3, 1), 1, 2, 3)
			return op.Add(x, op.Cast(op.AddInt(op.BroadcastTo(op.Cast(op.Slice(x, 1, 0, 1), graph.Int32), 3, 4), op.BroadcastTo(i, 3, 4)), graph.Float32))
		}, "b1 = Slice{Axis:1 From:0 To:1}(x) 3x1; chain<3> t2=Cast(b1); t3=AddInt(t2,const2); t4=Cast(t3); b1:=t4; chain<12> t2=Add(x,b1[/4%3]); b4:=t2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := graph.New()
			v := c.build(g, g.Input("x", graph.F32(3, 4)))
			p := compile(t, g, map[string]graph.Value{"y": v})
			if got := steps(p); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			x := graph.Example{Args: []graph.Arg{{Spec: graph.F32(3, 4), From: -2, To: 2}}}.Draw(1)[0]
			checkEqual(t, g, map[string]graph.Value{"y": v}, map[string]graph.Tensor{"x": x})
		})
	}
}

func compile(t *testing.T, g *graph.Graph, outs map[string]graph.Value) *program.Program {
	t.Helper()
	p, err := program.Compile(g, outs, device)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// steps are the lines of the listing that say what is done.
func steps(p *program.Program) string {
	var list []string
	for _, line := range strings.Split(p.String(), "\n") {
		if s := strings.TrimSpace(line); len(s) > 0 && s[0] >= '0' && s[0] <= '9' {
			list = append(list, strings.TrimSpace(s[strings.Index(s, " "):]))
		}
	}
	return strings.Join(list, "; ")
}
