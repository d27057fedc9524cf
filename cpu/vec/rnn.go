package vec

// RNNArgs are a time of a plain recurrent network. With z the products, x the input's part and b the bias: h' = tanh(z+x+b).
type RNNArgs struct{ RecurrentArgs }

// RNNGradArgs are a time of its gradient: with dh the gradient of the state, that of the gate is dh·(1-h²).
type RNNGradArgs struct {
	RecurrentGradArgs
	States     []float32 // those of this time, H a row
	StatesStep int       // from a row's to the next one's
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
			d := throughTanh(a.dh(r, j), a.States[r*a.StatesStep+j])
			a.put(r, j, d)
			a.add(r, j, d)
		}
	}
}
