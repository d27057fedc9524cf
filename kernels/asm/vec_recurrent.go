package main

import "slices"

// Bodies of the recurrent cells: cpu/vec/lstm.go, gru.go and rnn.go have the formulas, recurrent_amd64.go there the order of operands.

// cell has the places of the operands that every cell has: n gates side by side in products, input and bias (which may have more);
// the cell's own operands follow from rest on.
type cell struct{ n, products, input, bias, state, copies, rest int }

func newCell(gates, biases int) cell {
	state := 2*gates + biases
	return cell{gates, 0, gates, 2 * gates, state, state + 1, state + 3}
}

// cellGrad has those of its gradient: n gates side by side in gates, copies and sum (which may have more).
type cellGrad struct{ n, gates, copies, sum, dh, sequence, rest int }

func newCellGrad(gates, sums int) cellGrad {
	dh := 2*gates + sums
	return cellGrad{gates, 0, gates, 2 * gates, dh, dh + 1, dh + 2}
}

var (
	lstmCell, lstmCellGrad = newCell(4, 4), newCellGrad(4, 4)
	gruCell, gruCellGrad   = newCell(3, 4), newCellGrad(3, 4) // the candidate's biases are two
	rnnCell, rnnCellGrad   = newCell(1, 1), newCellGrad(1, 1)
)

var rowKernels = slices.Concat(
	[]rowKernel{
		lstmCell.kernel("lstm", 6, simd.lstm),
		gruCell.kernel("gru", 5, simd.gru),
		rnnCell.kernel("rnn", 0, simd.rnn),
	},
	lstmCellGrad.kernels("lstmGrad", 8, append(singles(lstmCellGrad.rest, 4), blocks{lstmCellGrad.rest + 5, 1}), lstmGrad),
	gruCellGrad.kernels("gruGrad", 9, append(singles(gruCellGrad.rest, 5), blocks{gruCellGrad.rest + 5, 3}), gruGrad),
	rnnCellGrad.kernels("rnnGrad", 1, singles(rnnCellGrad.rest, 1), rnnGrad),
)

// singles are n operands from first on, each by itself.
func singles(first, n int) (list []blocks) {
	for i := range n {
		list = append(list, blocks{first + i, 1})
	}
	return list
}

// kernel is a time of the cell, with some operands of its own. Of the next time only the input is asked for: to ask for what is
// written, too, gave nothing.
func (c cell) kernel(name string, own int, body func(m simd, get getter, put putter)) rowKernel {
	return rowKernel{name, c.rest + own, []blocks{{c.input, c.n}}, body}
}

// kernels are a time of the cell's gradient, without the gradient of a sequence of states and with it. It computes little for what it
// reads and writes, so all of the next time's is asked for that this one does not touch: copies, the sequence, and what ahead names.
func (c cellGrad) kernels(name string, own int, ahead []blocks, body func(sequence bool) func(m simd, get getter, put putter)) []rowKernel {
	ahead = append([]blocks{{c.copies, c.n}}, ahead...)
	return []rowKernel{
		{name, c.rest + own, ahead, body(false)},
		{name + "Sequence", c.rest + own, append([]blocks{{c.sequence, 1}}, ahead...), body(true)},
	}
}

// gate is gate g before its activation.
func (c cell) gate(m simd, get getter, g int) V {
	return m.add(m.add(get(c.products+g), get(c.input+g)), get(c.bias+g))
}

// put writes the state to all places.
func (c cell) put(put putter, h V) {
	for _, k := range []int{c.state, c.copies, c.copies + 1} {
		put(k, h)
	}
}

// gradient is that of the state, with the one of a sequence of states or without.
func (c cellGrad) gradient(m simd, get getter, put putter, sequence bool) V {
	dh := get(c.dh)
	if sequence {
		dh = m.add(dh, get(c.sequence))
		put(c.dh, dh)
	}
	return dh
}

// put writes the gradient of gate g to both places.
func (c cellGrad) put(put putter, g int, d V) {
	put(c.gates+g, d)
	put(c.copies+g, d)
}

// add adds d to sum g.
func (c cellGrad) add(m simd, get getter, put putter, g int, d V) {
	put(c.sum+g, m.add(d, get(c.sum+g)))
}

// lstm is a time of an LSTM.
func (m simd) lstm(get getter, put putter) {
	c := lstmCell
	acts, before, after := c.rest, c.rest+4, c.rest+5
	gate := func(g int, f func(V) V) V {
		y := f(c.gate(m, get, g))
		put(acts+g, y)
		return y
	}
	new := m.mul(gate(0, m.sigmoid), gate(2, m.tanh))
	new = m.fma(gate(1, m.sigmoid), get(before), new)
	put(after, new)
	c.put(put, m.mul(gate(3, m.sigmoid), m.tanh(new)))
}

// lstmGrad is a time of an LSTM's gradient.
func lstmGrad(sequence bool) func(m simd, get getter, put putter) {
	return func(m simd, get getter, put putter) {
		c := lstmCellGrad
		acts, cell, before, dc, newDC := c.rest, c.rest+4, c.rest+5, c.rest+6, c.rest+7
		gate := func(g int, d V) {
			c.put(put, g, d)
			c.add(m, get, put, g, d)
		}
		t, dh := m.tanh(get(cell)), c.gradient(m, get, put, sequence)
		o := get(acts + 3)
		gate(3, m.throughSigmoid(o, m.mul(dh, t)))
		d := m.add(m.throughTanh(t, m.mul(dh, o)), get(dc))
		i, g := get(acts), get(acts+2)
		gate(0, m.throughSigmoid(i, m.mul(d, g)))
		gate(2, m.throughTanh(g, m.mul(d, i)))
		f := get(acts + 1)
		gate(1, m.throughSigmoid(f, m.mul(d, get(before))))
		put(newDC, m.mul(d, f))
	}
}

// gru is a time of a GRU.
func (m simd) gru(get getter, put putter) {
	c := gruCell
	acts, before := c.rest, c.rest+4
	keep := func(g int, y V) V {
		put(acts+g, y)
		return y
	}
	r := keep(0, m.sigmoid(c.gate(m, get, 0)))
	u := keep(3, m.add(get(c.products+2), get(c.bias+3)))
	n := keep(2, m.tanh(m.fma(r, u, m.add(get(c.input+2), get(c.bias+2)))))
	z := keep(1, m.sigmoid(c.gate(m, get, 1)))
	c.put(put, m.fma(z, m.sub(get(before), n), n))
}

// gruGrad is a time of a GRU's gradient.
func gruGrad(sequence bool) func(m simd, get getter, put putter) {
	return func(m simd, get getter, put putter) {
		c := gruCellGrad
		acts, before, inputs, around := c.rest, c.rest+4, c.rest+5, c.rest+8
		dh, r, z, n := c.gradient(m, get, put, sequence), get(acts), get(acts+1), get(acts+2)
		put(around, m.mul(dh, z))
		both := func(g int, d V) { // the same for the input's part and the state's, which may have one place
			put(inputs+g, d)
			c.put(put, g, d)
			c.add(m, get, put, g, d)
		}
		both(1, m.throughSigmoid(z, m.mul(dh, m.sub(get(before), n))))
		dn := m.throughTanh(n, m.fnma(dh, z, dh))
		put(inputs+2, dn)
		c.add(m, get, put, 2, dn)
		both(0, m.throughSigmoid(r, m.mul(dn, get(acts+3))))
		du := m.mul(dn, r)
		c.put(put, 2, du)
		c.add(m, get, put, 3, du)
	}
}

// rnn is a time of a plain recurrent network.
func (m simd) rnn(get getter, put putter) { rnnCell.put(put, m.tanh(rnnCell.gate(m, get, 0))) }

// rnnGrad is a time of its gradient.
func rnnGrad(sequence bool) func(m simd, get getter, put putter) {
	return func(m simd, get getter, put putter) {
		c := rnnCellGrad
		d := m.throughTanh(get(c.rest), c.gradient(m, get, put, sequence))
		c.put(put, 0, d)
		c.add(m, get, put, 0, d)
	}
}
