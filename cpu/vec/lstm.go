package vec

import "math"

// LSTMArgs are a time of an LSTM for some examples, a row each: what follows the products of the state with the recurrent weights.
// With z the products, x the input's part and b the bias, gates in the order i, f, g, o:
//
//	i, f, o = σ(z+x+b)   g = tanh(z+x+b)   c' = f·c + i·g   h' = o·tanh(c')
type LSTMArgs struct {
	Rows, H     int
	Products    []float32    // Rows×4H
	Input       []float32    // 4H a row
	InputStep   int          // from a row's to the next one's
	Ahead       []float32    // the input of the next call, to be brought near; nil: not known
	Bias        []float32    // 4H
	Acts        [4][]float32 // the gates, Rows×H each
	C, NewC, H1 []float32    // Rows×H: cells before and after, states after
	Copies      [2][]float32 // more places for the states; nil: none
	CopyStep    int          // from a row's to the next one's
}

// LSTMGradArgs are a time of an LSTM's gradient for some examples, a row each. With the gradients dh and dc of state and cell:
//
//	dh += dseq                    dc' = dc + dh·o·(1-tanh²c)
//	do = dh·tanh(c)·o(1-o)        di = dc'·g·i(1-i)
//	df = dc'·c_before·f(1-f)      dg = dc'·i·(1-g²)      dc_before = dc'·f
//
// What is left for dh before are the products of the gates' gradients with the recurrent weights.
type LSTMGradArgs struct {
	Rows, H      int
	Acts         [4][]float32 // the gates, Rows×H each
	C, Before    []float32    // cells at this time and before, Rows×H
	DH, DC       []float32    // Rows×H; DH becomes the sum
	Sequence     []float32    // H a row, what is added to DH; nil: nothing
	SequenceStep int          // from a row's to the next one's
	Gates, Sum   []float32    // Rows×4H: the gates' gradients, and what they are added to
	Copy         []float32    // another place for Gates; nil: none
	CopyStep     int          // from a row's to the next one's
	NewDC        []float32    // Rows×H: the cells' before
}

func lstmGo(a *LSTMArgs) {
	for r := range a.Rows {
		z, x := a.Products[r*4*a.H:(r+1)*4*a.H], a.Input[r*a.InputStep:]
		gate := func(g, j int) float32 { return z[g*a.H+j] + x[g*a.H+j] + a.Bias[g*a.H+j] }
		for j := range a.H {
			at := r*a.H + j
			i, f, o := sigmoid32(gate(0, j)), sigmoid32(gate(1, j)), sigmoid32(gate(3, j))
			g := tanh32(gate(2, j))
			c := float32(f*a.C[at]) + float32(i*g)
			h := o * tanh32(c)
			a.Acts[0][at], a.Acts[1][at], a.Acts[2][at], a.Acts[3][at] = i, f, g, o
			a.NewC[at], a.H1[at] = c, h
			for _, to := range a.Copies {
				if to != nil {
					to[r*a.CopyStep+j] = h
				}
			}
		}
	}
}

func lstmGradGo(a *LSTMGradArgs) {
	for r := range a.Rows {
		for j := range a.H {
			at := r*a.H + j
			dh, t := a.DH[at], tanh32(a.C[at])
			if a.Sequence != nil {
				dh += a.Sequence[r*a.SequenceStep+j]
				a.DH[at] = dh
			}
			i, f, g, o := a.Acts[0][at], a.Acts[1][at], a.Acts[2][at], a.Acts[3][at]
			dc := a.DC[at] + float32(float32(dh*o)*(1-float32(t*t)))
			d := [4]float32{
				float32(dc*g) * (i - float32(i*i)), float32(dc*a.Before[at]) * (f - float32(f*f)),
				float32(dc*i) * (1 - float32(g*g)), float32(dh*t) * (o - float32(o*o)),
			}
			for k, v := range d {
				a.Gates[(4*r+k)*a.H+j] = v
				a.Sum[(4*r+k)*a.H+j] += v
				if a.Copy != nil {
					a.Copy[r*a.CopyStep+k*a.H+j] = v
				}
			}
			a.NewDC[at] = dc * f
		}
	}
}

func sigmoid32(x float32) float32 { return float32(sigmoid(float64(x))) }

func tanh32(x float32) float32 { return float32(math.Tanh(float64(x))) }
