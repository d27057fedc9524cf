package op

import "aetrain/graph"

// SelfAttentionGrad is the gradient of y in [SelfAttention]: of qkv, the weights N×Heads×T×T, dy N×T×D and maybe the mask it makes
// dqkv, N×T×3D. Its own gradient comes from its expansion.
type SelfAttentionGrad SelfAttention

// Name returns "AttentionGrad".
func (SelfAttentionGrad) Name() string { return "AttentionGrad" }

// Arguments returns the names of the inputs.
func (SelfAttentionGrad) Arguments() []string { return []string{"qkv", "weights", "dy", "mask"} }

// Infer wants what [SelfAttention] took and gave.
func (o SelfAttentionGrad) Infer(in []graph.Spec) ([]graph.Spec, error) {
	forward, err := SelfAttention(o).Infer(append([]graph.Spec{in[0]}, in[3:]...))
	if err == nil {
		err = firstError(wantSpec("weights", in[1], forward[1].Shape...), wantSpec("dy", in[2], forward[0].Shape...))
	}
	if err != nil {
		return nil, err
	}
	return in[:1], nil
}

// VJP follows the expansion.
func (SelfAttentionGrad) VJP(n *graph.Node, dOut []graph.Value) []graph.Value {
	return expandVJP(n, dOut)
}

// Expand is the definition in small ops. With p the weights and dp = dy·vᵀ:
//
//	ds = p·(dp - Σ dp·p)/√(D/heads),  dq = ds·k,  dk = dsᵀ·q,  dv = pᵀ·dy
func (o SelfAttentionGrad) Expand(n *graph.Node) []graph.Value {
	at := SelfAttention(o)
	qkv, p := n.In[0], n.In[1]
	x := at.split(qkv)
	size, times := x[0].Shape(), qkv.Dim(1)
	dy := Transpose(Reshape(n.In[2], size[0], times, o.Heads, size[3]), 0, 2, 1, 3)
	dp := MatMul(dy, x[2], false, true)
	ds := Scale(Mul(p, Sub(dp, sumLast(Mul(dp, p)))), at.scale(qkv.Dim(2)/3))
	if seen := at.seen(qkv, n.In[3:]); seen.Valid() {
		ds = Select(seen, ds, filled(ds, 0))
	}
	dq, dk, dv := MatMul(ds, x[1], false, false), MatMul(ds, x[0], true, false), MatMul(p, dy, true, false)
	return []graph.Value{Concat(2, at.join(dq), at.join(dk), at.join(dv))}
}

// Eval is the definition.
func (o SelfAttentionGrad) Eval(out, in []graph.Tensor) {
	at := SelfAttention(o)
	n, t, d, _ := at.sizes(in[0].Spec)
	size, row := d/o.Heads, 3*d
	for g := range n * o.Heads {
		x, dx := in[0].Data[g/o.Heads*t*row+g%o.Heads*size:], out[0].Data[g/o.Heads*t*row+g%o.Heads*size:]
		dy := in[2].Data[g/o.Heads*t*d+g%o.Heads*size:]
		for i := range t {
			p, dp, mean := in[1].Data[(g*t+i)*t:][:t], make([]float64, t), 0.0
			for j := range p {
				dp[j] = dot(dy[i*d:][:size], x[j*row+2*d:])
				mean += dp[j] * p[j]
			}
			for j := range p {
				for k := range size {
					dx[j*row+2*d+k] += p[j] * dy[i*d+k]
				}
				if !at.sees(in[3:], g/o.Heads, t, i, j) {
					continue
				}
				ds := p[j] * (dp[j] - mean) * at.scale(d)
				for k := range size {
					dx[i*row+k] += ds * x[j*row+d+k]
					dx[j*row+d+k] += ds * x[i*row+k]
				}
			}
		}
	}
}

// Examples draw all inputs independently.
func (SelfAttentionGrad) Examples() []graph.Example {
	return attentionExamples(func(o SelfAttention, n, t, d int) graph.Example {
		return graph.Example{Op: SelfAttentionGrad(o), Args: []graph.Arg{f32(n, t, 3*d), f32(n, o.Heads, t, t), f32(n, t, d)}}
	})
}
