//go:build amd64 && !noasm

package vec

import "runtime"

//go:noescape
func lstmAVX2(p *rowsBlock)

//go:noescape
func lstmGradAVX2(p *rowsBlock)

//go:noescape
func lstmGradSequenceAVX2(p *rowsBlock)

//go:noescape
func gruAVX2(p *rowsBlock)

//go:noescape
func gruGradAVX2(p *rowsBlock)

//go:noescape
func gruGradSequenceAVX2(p *rowsBlock)

//go:noescape
func rnnAVX2(p *rowsBlock)

//go:noescape
func rnnGradAVX2(p *rowsBlock)

//go:noescape
func rnnGradSequenceAVX2(p *rowsBlock)

//go:noescape
func lstmAVX512(p *rowsBlock)

//go:noescape
func lstmGradAVX512(p *rowsBlock)

//go:noescape
func lstmGradSequenceAVX512(p *rowsBlock)

//go:noescape
func gruAVX512(p *rowsBlock)

//go:noescape
func gruGradAVX512(p *rowsBlock)

//go:noescape
func gruGradSequenceAVX512(p *rowsBlock)

//go:noescape
func rnnAVX512(p *rowsBlock)

//go:noescape
func rnnGradAVX512(p *rowsBlock)

//go:noescape
func rnnGradSequenceAVX512(p *rowsBlock)

// recurrentKernels are a tier's. They name what they call: through a function value the block would be allocated at each call.
func recurrentKernels(wide bool) func(*Kernels) {
	return func(k *Kernels) {
		lstmKernels(k, wide)
		gruKernels(k, wide)
		rnnKernels(k, wide)
	}
}

// lstmKernels are those of an LSTM.
func lstmKernels(k *Kernels, wide bool) {
	k.LSTM = func(a *LSTMArgs) {
		b := rowsBlock{}
		switch {
		case !b.lstm(a):
		case wide:
			lstmAVX512(&b)
		default:
			lstmAVX2(&b)
		}
		runtime.KeepAlive(a)
	}
	k.LSTMGrad = func(a *LSTMGradArgs) {
		b := rowsBlock{}
		switch {
		case !b.lstmGrad(a):
		case wide && a.Sequence != nil:
			lstmGradSequenceAVX512(&b)
		case wide:
			lstmGradAVX512(&b)
		case a.Sequence != nil:
			lstmGradSequenceAVX2(&b)
		default:
			lstmGradAVX2(&b)
		}
		runtime.KeepAlive(a)
	}
}

// gruKernels are those of a GRU.
func gruKernels(k *Kernels, wide bool) {
	k.GRU = func(a *GRUArgs) {
		b := rowsBlock{}
		switch {
		case !b.gru(a):
		case wide:
			gruAVX512(&b)
		default:
			gruAVX2(&b)
		}
		runtime.KeepAlive(a)
	}
	k.GRUGrad = func(a *GRUGradArgs) {
		b := rowsBlock{}
		switch {
		case !b.gruGrad(a):
		case wide && a.Sequence != nil:
			gruGradSequenceAVX512(&b)
		case wide:
			gruGradAVX512(&b)
		case a.Sequence != nil:
			gruGradSequenceAVX2(&b)
		default:
			gruGradAVX2(&b)
		}
		runtime.KeepAlive(a)
	}
}

// rnnKernels are those of a plain recurrent network.
func rnnKernels(k *Kernels, wide bool) {
	k.RNN = func(a *RNNArgs) {
		b := rowsBlock{}
		switch {
		case !b.recurrent(&a.RecurrentArgs, 1, 1):
		case wide:
			rnnAVX512(&b)
		default:
			rnnAVX2(&b)
		}
		runtime.KeepAlive(a)
	}
	k.RNNGrad = func(a *RNNGradArgs) {
		b := rowsBlock{}
		switch {
		case !b.rnnGrad(a):
		case wide && a.Sequence != nil:
			rnnGradSequenceAVX512(&b)
		case wide:
			rnnGradAVX512(&b)
		case a.Sequence != nil:
			rnnGradSequenceAVX2(&b)
		default:
			rnnGradAVX2(&b)
		}
		runtime.KeepAlive(a)
	}
}

// recurrent begins the block of a cell with some gates and biases; it reports whether there is anything to do.
func (b *rowsBlock) recurrent(a *RecurrentArgs, gates, biases int) bool {
	if a.Rows == 0 || a.H == 0 {
		return false
	}
	b.n, b.rows = uintptr(a.H), uintptr(a.Rows)
	b.add(a.Products, gates, gates*a.H, 0)
	b.add(a.Input, gates, a.InputStep, a.Next.Time*gates*a.H)
	b.add(a.Bias, biases, 0, 0)
	b.addEach(0, a.H1)
	for _, x := range a.Copies {
		if x != nil {
			b.add(x, 1, a.CopyStep, 0)
		} else {
			b.addEach(0, a.H1)
		}
	}
	return true
}

// recurrentGrad begins the block of a cell's gradient.
func (b *rowsBlock) recurrentGrad(a *RecurrentGradArgs, gates, sums int) bool {
	if a.Rows == 0 || a.H == 0 {
		return false
	}
	b.n, b.rows = uintptr(a.H), uintptr(a.Rows)
	b.add(a.Gates, gates, gates*a.H, 0)
	b.addGates(a, a.Copy, gates)
	b.add(a.Sum, sums, sums*a.H, 0)
	b.addEach(0, a.DH)
	if a.Sequence != nil {
		b.add(a.Sequence, 1, a.SequenceStep, a.Next.Time*a.H)
	} else {
		b.addEach(0, a.DH) // which the kernel without a sequence does not read twice
	}
	return true
}

// addGates appends a further place for gates' gradients, which is Gates itself where there is none.
func (b *rowsBlock) addGates(a *RecurrentGradArgs, x []float32, gates int) {
	if x != nil {
		b.add(x, gates, a.CopyStep, a.Next.Time*gates*a.H)
	} else {
		b.add(a.Gates, gates, gates*a.H, 0)
	}
}

func (b *rowsBlock) lstm(a *LSTMArgs) bool {
	if !b.recurrent(&a.RecurrentArgs, 4, 4) {
		return false
	}
	b.addEach(0, a.Acts[:]...)
	b.addEach(0, a.C, a.NewC)
	return true
}

func (b *rowsBlock) lstmGrad(a *LSTMGradArgs) bool {
	if !b.recurrentGrad(&a.RecurrentGradArgs, 4, 4) {
		return false
	}
	b.addEach(4*a.Next.Stored, a.Acts[:]...)
	b.addEach(0, a.C) // the next call's is this one's Before
	b.addEach(a.Next.Stored, a.Before)
	b.addEach(0, a.DC, a.NewDC)
	return true
}

func (b *rowsBlock) gru(a *GRUArgs) bool {
	if !b.recurrent(&a.RecurrentArgs, 3, 4) {
		return false
	}
	b.addEach(0, a.Acts[:]...)
	b.addEach(0, a.H0)
	return true
}

func (b *rowsBlock) gruGrad(a *GRUGradArgs) bool {
	if !b.recurrentGrad(&a.RecurrentGradArgs, 3, 4) {
		return false
	}
	b.addEach(4*a.Next.Stored, a.Acts[:]...)
	b.add(a.Before, 1, a.BeforeStep, a.Next.Time*a.H)
	b.addGates(&a.RecurrentGradArgs, a.Inputs, 3)
	b.addEach(0, a.Around)
	return true
}

func (b *rowsBlock) rnnGrad(a *RNNGradArgs) bool {
	if !b.recurrentGrad(&a.RecurrentGradArgs, 1, 1) {
		return false
	}
	b.add(a.States, 1, a.StatesStep, a.Next.Time*a.H)
	return true
}
