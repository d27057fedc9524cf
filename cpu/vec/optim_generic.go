package vec

import "math"

// Optimiser updates; the formulas stand at the Args types. Every product is rounded on its own.

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func adamGo(p1, m1, v1, p, m, v, g []float32, h *AdamArgs) {
	n := min(len(p1), len(m1), len(v1), len(p), len(m), len(v), len(g))
	for i := range n {
		p1[i], m1[i], v1[i] = adamStep(p[i], m[i], v[i], g[i]+float32(h.WeightDecay*p[i]), h)
	}
}

func adamWGo(p1, m1, v1, p, m, v, g []float32, h *AdamArgs) {
	n := min(len(p1), len(m1), len(v1), len(p), len(m), len(v), len(g))
	for i := range n {
		p1[i], m1[i], v1[i] = adamStep(p[i]-float32(h.Decay*p[i]), m[i], v[i], g[i], h)
	}
}

func adamStep(p, m, v, g float32, h *AdamArgs) (p1, m1, v1 float32) {
	m1 = m + float32(h.OneMinusBeta1*(g-m))
	v1 = float32(h.Beta2*v) + float32(float32(h.OneMinusBeta2*g)*g)
	d := float32(sqrt32(v1)*h.InvSqrtBias2) + h.Eps
	return p - float32(h.StepSize*(m1/d)), m1, v1
}

func sgdGo(p1, p, g []float32, h *SGDArgs) {
	p1, p, g = cut3(p1, p, g)
	for i := range p1 {
		d := g[i] + float32(h.WeightDecay*p[i])
		p1[i] = p[i] - float32(h.LearningRate*d)
	}
}

func momentumGo(p1, buf1, p, buf, g []float32, h *MomentumArgs) {
	n := min(len(p1), len(buf1), len(p), len(buf), len(g))
	for i := range n {
		d := g[i] + float32(h.WeightDecay*p[i])
		b := float32(h.Momentum*buf[i]) + float32(h.OneMinusDampening*d)
		p1[i] = p[i] - float32(h.LearningRate*(float32(h.UseGrad*d)+float32(h.UseBuf*b)))
		buf1[i] = b
	}
}

func rmspropGo(p1, v1, p, v, g []float32, h *RMSpropArgs) {
	n := min(len(p1), len(v1), len(p), len(v), len(g))
	for i := range n {
		d := g[i] + float32(h.WeightDecay*p[i])
		w := float32(h.Alpha*v[i]) + float32(float32(h.OneMinusAlpha*d)*d)
		p1[i] = p[i] - float32(h.LearningRate*(d/(sqrt32(w)+h.Eps)))
		v1[i] = w
	}
}
