package vec

// GRUArgs are a time of a GRU. With z the products, x the input's part and b the bias, gates in the order r, z, n (the bias has
// those of the input, then n's of the state):
//
//	r, z = σ(z+x+b)   u = z+b of n's state   n = tanh(x+b + r·u)   h' = n + z·(h-n)
//
// Source: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder", in the form of torch.nn.GRU.
type GRUArgs struct {
	RecurrentArgs
	Acts [4][]float32 // r, z, n and u, Rows×H each
	H0   []float32    // Rows×H: states before
}

// GRUGradArgs are a time of a GRU's gradient. With the gradient dh of the state:
//
//	dn = dh·(1-z)·(1-n²)      dz = dh·(h_before-n)·z(1-z)      dr = dn·u·r(1-r)      du = dn·r
//
// Gates and Copy get dr, dz, du, Sum the sums of dr, dz, dn, du. What goes to the state before around the gates is dh·z.
type GRUGradArgs struct {
	RecurrentGradArgs
	Acts       [4][]float32 // r, z, n and u, Rows×H each
	Before     []float32    // states before, H a row
	BeforeStep int          // floats from a row of Before to the next one
	Inputs     []float32    // the gradients of the input's part, dr, dz, dn, 3H a row, CopyStep apart; nil: nobody wants them
	Around     []float32    // Rows×H: dh·z
}

func gruGo(a *GRUArgs) {
	for r := range a.Rows {
		for j := range a.H {
			at := r*a.H + j
			reset, update := sigmoid32(a.gate(3, r, 0, j)), sigmoid32(a.gate(3, r, 1, j))
			u := a.product(3, r, 2, j) + a.Bias[3*a.H+j]
			n := tanh32(a.Input[r*a.InputStep+2*a.H+j] + a.Bias[2*a.H+j] + float32(reset*u))
			a.Acts[0][at], a.Acts[1][at], a.Acts[2][at], a.Acts[3][at] = reset, update, n, u
			a.put(r, j, n+float32(update*(a.H0[at]-n)))
		}
	}
}

func gruGradGo(a *GRUGradArgs) {
	for r := range a.Rows {
		for j := range a.H {
			at, dh := r*a.H+j, a.dh(r, j)
			reset, update, n, u := a.Acts[0][at], a.Acts[1][at], a.Acts[2][at], a.Acts[3][at]
			dn := throughTanh(n, dh-float32(dh*update))
			dz := throughSigmoid(update, dh*(a.Before[r*a.BeforeStep+j]-n))
			dr, du := throughSigmoid(reset, dn*u), float32(dn*reset)
			a.Around[at] = dh * update
			a.put(r, j, dr, dz, du)
			a.add(r, j, dr, dz, dn, du)
			if a.Inputs != nil {
				to := a.Inputs[r*a.CopyStep+j:]
				to[0], to[a.H], to[2*a.H] = dr, dz, dn
			}
		}
	}
}
