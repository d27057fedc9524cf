package program_test

import (
	"testing"

	"aetrain/graph"
	"aetrain/op"
)

// Assignments whose order of reads and writes matters.
func TestStates(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value // a, b: states of 3x4, x: an input of 3x4
		want  string
	}{
		{"updated in place", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(a, op.Sub(a, op.Tanh(x)))
			return nil
		}, "chain<12> t2=Tanh(x); t3=Sub(a,t2); a:=t3"},
		{"updated by an epilogue", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(a, op.Sub(a, op.MatMul(op.Tanh(op.Slice(x, 1, 0, 3)), b, true, false)))
			return nil
		}, "b3 = Slice{Axis:1 From:0 To:3}(x) 3x3; chain<9> t1=Tanh(b3); b3:=t1; MatMul{TransA:true TransB:false}(b3, b) 3x4 then chain<12> t2=Sub(a,y); a:=t2"},
		{"a sum of the old value beside the update", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			sum := op.SumAll(a)
			g.Assign(a, op.Tanh(a))
			return map[string]graph.Value{"sum": sum}
		}, "chain<12> t1=Tanh(a); b1:=t1; b2[/1%1]+=a; chain<12> a:=b1   # a"},
		{"a sum of an operand that is overwritten otherwise", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			y := op.Softmax(x)
			return map[string]graph.Value{"sum": op.SumPerExample(y), "y": op.Tanh(y)}
		}, "b1 = Softmax{}(x) 3x4; chain<12> t1=Tanh(b1); b2:=t1; b3[/4%3]+=b1"},
		{"the old value is fetched", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(a, op.Add(a, x))
			return map[string]graph.Value{"old": a, "new": g.Lookup("a").Now}
		}, "chain<12> t2=Add(a,x); b2:=t2; chain<12> b3:=a; chain<12> a:=b2   # a"},
		{"swapped", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(a, b)
			g.Assign(b, a)
			return nil
		}, "chain<12> b2:=b; chain<12> b3:=a; chain<12> a:=b2   # a; chain<12> b:=b3   # b"},
		{"two states are assigned one value", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			v := op.Tanh(x)
			g.Assign(a, v)
			g.Assign(b, v)
			return nil
		}, "chain<12> t1=Tanh(x); a:=t1; chain<12> b:=a   # b"},
		{"shifted: b takes a, a something new", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(b, a)
			g.Assign(a, op.Add(a, x))
			return nil
		}, "chain<12> t2=Add(a,x); b3:=t2; chain<12> b4:=a; chain<12> a:=b3   # a; chain<12> b:=b4   # b"},
		{"assigned an input, a constant", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(a, x)
			g.Assign(b, g.Constant(b.Spec(), 2))
			return nil
		}, "chain<12> a:=x   # a; chain<12> b:=const3   # b"},
		{"assigned a transpose of itself", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(a, op.Reshape(op.Transpose(a), 3, 4))
			return nil
		}, "b1 = Transpose{Perm:[1 0]}(a) 4x3; chain<12> a:=b1   # a"},
		{"assigned, then read by what comes later", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(a, op.Add(a, x))
			return map[string]graph.Value{"y": op.MatMul(g.Lookup("a").Now, b, false, true)}
		}, "chain<12> t2=Add(a,x); a:=t2; b3 = MatMul{TransA:false TransB:true}(a, b) 3x3"},
		{"read late by a product", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(a, op.Add(a, x))
			return map[string]graph.Value{"y": op.MatMul(op.Softmax(x), a, false, true)}
		}, "chain<12> t2=Add(a,x); b2:=t2; b3 = Softmax{}(x) 3x4; b4 = MatMul{TransA:false TransB:true}(b3, a) 3x3; chain<12> a:=b2   # a"},
		{"assigned to itself", func(g *graph.Graph, a, b, x graph.Value) map[string]graph.Value {
			g.Assign(a, op.Stop(a))
			return map[string]graph.Value{"a": a}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := graph.New()
			spec := graph.F32(3, 4)
			a, b := g.State(graph.Param, "a", spec, nil), g.State(graph.Buffer, "b", spec, nil)
			outs := c.build(g, a, b, g.Input("x", spec))
			feed := map[string]graph.Tensor{}
			for i, name := range []string{"a", "b", "x"} {
				feed[name] = graph.Example{Args: []graph.Arg{{Spec: spec, From: -2, To: 2}}}.Draw(uint64(i))[0]
			}
			checkEqual(t, g, outs, feed)
			p := compile(t, g, outs)
			if got := steps(p); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
