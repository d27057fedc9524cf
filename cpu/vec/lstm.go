package vec

// LSTMArgs are a time of an LSTM. With z the products, x the input's part and b the bias, gates in the order i, f, g, o:
//
//	i, f, o = σ(z+x+b)   g = tanh(z+x+b)   c' = f·c + i·g   h' = o·tanh(c')
//
// Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000; torch.nn.LSTM.
type LSTMArgs struct {
	RecurrentArgs
	Acts    [4][]float32 // the gates, Rows×H each
	C, NewC []float32    // Rows×H: cells before and after
}

// LSTMGradArgs are a time of an LSTM's gradient. With the gradients dh and dc of state and cell:
//
//	dc' = dc + dh·o·(1-tanh²c)
//	do = dh·tanh(c)·o(1-o)        di = dc'·g·i(1-i)
//	df = dc'·c_before·f(1-f)      dg = dc'·i·(1-g²)      dc_before = dc'·f
type LSTMGradArgs struct {
	RecurrentGradArgs
	Acts      [4][]float32 // the gates, Rows×H each
	C, Before []float32    // cells at this time and before, Rows×H
	DC, NewDC []float32    // Rows×H: the cells' gradients, and those of the cells before
}

func lstmGo(a *LSTMArgs) {
	for r := range a.Rows {
		for j := range a.H {
			at := r*a.H + j
			i, f, o := sigmoid32(a.gate(4, r, 0, j)), sigmoid32(a.gate(4, r, 1, j)), sigmoid32(a.gate(4, r, 3, j))
			g := tanh32(a.gate(4, r, 2, j))
			c := float32(f*a.C[at]) + float32(i*g)
			a.Acts[0][at], a.Acts[1][at], a.Acts[2][at], a.Acts[3][at] = i, f, g, o
			a.NewC[at] = c
			a.put(r, j, o*tanh32(c))
		}
	}
}

func lstmGradGo(a *LSTMGradArgs) {
	for r := range a.Rows {
		for j := range a.H {
			at := r*a.H + j
			dh, t := a.dh(r, j), tanh32(a.C[at])
			i, f, g, o := a.Acts[0][at], a.Acts[1][at], a.Acts[2][at], a.Acts[3][at]
			dc := a.DC[at] + throughTanh(t, dh*o)
			di, df := throughSigmoid(i, dc*g), throughSigmoid(f, dc*a.Before[at])
			dg, do := throughTanh(g, dc*i), throughSigmoid(o, dh*t)
			a.put(r, j, di, df, dg, do)
			a.add(r, j, di, df, dg, do)
			a.NewDC[at] = dc * f
		}
	}
}
