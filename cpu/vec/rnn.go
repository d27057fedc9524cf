package vec

// RNNArgs are a time of a plain recurrent network. With z the products, x the input's part and b the bias: h' = tanh(z+x+b).
// Source: Elman 1990, "Finding Structure in Time"; torch.nn.RNN.
type RNNArgs struct{ RecurrentArgs }

// RNNGradArgs are a time of its gradient: with dh the gradient of the state, that of the gate is dh·(1-h²).
type RNNGradArgs struct {
	RecurrentGradArgs
	States     []float32 // those of this time, H a row
	StatesStep int       // floats from a row of States to the next one
}

func rnnGo(a *RNNArgs) {
	for r := range a.Rows {
		for j := range a.H {
			a.put(r, j, tanh32(a.gate(1, r, 0, j)))
		}
	}
}

func rnnGradGo(a *RNNGradArgs) {
	for r := range a.Rows {
		for j := range a.H {
			d := throughTanh(a.States[r*a.StatesStep+j], a.dh(r, j))
			a.put(r, j, d)
			a.add(r, j, d)
		}
	}
}
