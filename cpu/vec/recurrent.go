package vec

import "math"

// RecurrentArgs are what a time of every recurrent cell has, for some examples, a row each. G gates stand side by side in a row: what
// is added to the product of the states with the recurrent weights. All results have memory of their own, apart from the operands
// and from each other.
type RecurrentArgs struct {
	Rows, H   int
	Products  []float32    // Rows×GH
	Input     []float32    // the input's part of the gates, GH a row
	InputStep int          // floats from a row of Input to the next one
	Bias      []float32    // GH; of a GRU 4H
	H1        []float32    // Rows×H: states after
	Copies    [2][]float32 // more places for the states, H a row; nil: none
	CopyStep  int          // floats from a row of a copy to the next one
	Next      Next
}

// Next is where the next call's operands are, which kernels may ask for while they compute.
type Next struct {
	Time   int // 1 or -1: in a value of rows by time its piece follows this one's, or stands before it; 0: not known
	Stored int // floats from a block of what is kept for the gradient to the next call's, were it one block a time; 0: not known
}

// RecurrentGradArgs are what a time of every recurrent cell's gradient has, for some examples, a row each. With dh the gradient of the
// states, dh += dseq; what is left for the states before are the products of the gates' gradients with the recurrent weights.
// DH and Sum are updated in place; all other results have memory of their own, apart from the operands and from each other.
type RecurrentGradArgs struct {
	Rows, H      int
	DH           []float32 // Rows×H; becomes the sum
	Sequence     []float32 // H a row, what is added to DH; nil: nothing
	SequenceStep int       // floats from a row of Sequence to the next one
	Gates        []float32 // Rows×GH: the gates' gradients
	Sum          []float32 // what they are added to: Rows×GH; of a GRU Rows×4H
	Copy         []float32 // another place for Gates, GH a row; nil: none
	CopyStep     int       // floats from a row of Copy to the next one
	Next         Next
}

// product is gate g of the product.
func (a *RecurrentArgs) product(gates, r, g, j int) float32 { return a.Products[(r*gates+g)*a.H+j] }

// gate is gate g before its activation.
func (a *RecurrentArgs) gate(gates, r, g, j int) float32 {
	return a.product(gates, r, g, j) + a.Input[r*a.InputStep+g*a.H+j] + a.Bias[g*a.H+j]
}

// put writes a state to all places.
func (a *RecurrentArgs) put(r, j int, h float32) {
	a.H1[r*a.H+j] = h
	for _, to := range a.Copies {
		if to != nil {
			to[r*a.CopyStep+j] = h
		}
	}
}

// dh is a state's gradient, the sequence's part added.
func (a *RecurrentGradArgs) dh(r, j int) float32 {
	if a.Sequence != nil {
		a.DH[r*a.H+j] += a.Sequence[r*a.SequenceStep+j]
	}
	return a.DH[r*a.H+j]
}

// put writes the gates' gradients to all places.
func (a *RecurrentGradArgs) put(r, j int, gates ...float32) {
	for g, d := range gates {
		a.Gates[(r*len(gates)+g)*a.H+j] = d
		if a.Copy != nil {
			a.Copy[r*a.CopyStep+g*a.H+j] = d
		}
	}
}

// add adds gradients to their sums.
func (a *RecurrentGradArgs) add(r, j int, gates ...float32) {
	for g, d := range gates {
		a.Sum[(r*len(gates)+g)*a.H+j] += d
	}
}

// throughSigmoid is the gradient of a sigmoid's argument, from the result y and its gradient dy.
func throughSigmoid(y, dy float32) float32 { return float32(dy * float32(y*(1-y))) }

// throughTanh is the gradient of a tanh's argument, from the result y and its gradient dy.
func throughTanh(y, dy float32) float32 { return float32(dy * (1 - float32(y*y))) }

func sigmoid32(x float32) float32 { return float32(sigmoid(float64(x))) }

func tanh32(x float32) float32 { return float32(math.Tanh(float64(x))) }
