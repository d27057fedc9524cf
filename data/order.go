package data

import "aetrain/internal/philox"

// order is the sequence of examples of an epoch: a function of seed and epoch alone.
type order struct {
	shuffle bool
	rand    *philox.Rand
	epoch   int
	at      []int
}

func newOrder(n int, shuffle bool, seed uint64) *order {
	o := &order{shuffle: shuffle, rand: philox.New(seed, philox.Stream("data/shuffle")), epoch: -1, at: make([]int, n)}
	for i := range o.at {
		o.at[i] = i
	}
	return o
}

// of returns the order of an epoch; it is valid until the next call.
func (o *order) of(epoch int) []int {
	if !o.shuffle || o.epoch == epoch {
		return o.at
	}
	for i := range o.at {
		o.at[i] = i
	}
	o.rand.At(uint32(epoch)).Shuffle(len(o.at), func(i, j int) { o.at[i], o.at[j] = o.at[j], o.at[i] })
	o.epoch = epoch
	return o.at
}
