package data

import (
	"fmt"

	"aetrain/internal/philox"
)

// blocks is an order of batches in which each label has an equal, contiguous block: label k of n the rows from k·batch/n. An epoch
// is as many batches as the largest label fills; the examples of smaller ones come again.
type blocks struct {
	shuffle bool
	rand    *philox.Rand
	epoch   int
	labels  [][]int // examples of each label
	each    int     // rows of a block
	at      []int
}

// newBlocks reads the labels of s, the field of that name.
func newBlocks(s Source, field string, batch int, shuffle bool, seed uint64) (*blocks, error) {
	at := FieldIndex(s.Fields(), field)
	if at < 0 || s.Fields()[at].Classes == 0 {
		return nil, fmt.Errorf("the data has no labels %s to share batches out by", field)
	}
	classes := s.Fields()[at].Classes
	if batch%classes != 0 {
		return nil, mistake("data.batch", "%d is no multiple of %d: each batch holds as many examples of every label", batch, classes)
	}
	all, err := readField(s, at)
	if err != nil {
		return nil, err
	}
	b := &blocks{shuffle: shuffle, rand: philox.New(seed, philox.Stream("data/shuffle")), epoch: -1, labels: make([][]int, classes), each: batch / classes}
	without := 0
	for i, label := range all {
		if label >= 0 && int(label) < classes {
			b.labels[label] = append(b.labels[label], i)
		} else {
			without++
		}
	}
	if without > 0 {
		return nil, fmt.Errorf("%d training examples have no %s, and batches hold as many of each: leave them out", without, field)
	}
	most := 0
	for label, examples := range b.labels {
		if len(examples) == 0 {
			return nil, fmt.Errorf("no training example has %s %d: each of %d needs some", field, label, classes)
		}
		most = max(most, len(examples))
	}
	b.at = make([]int, max(1, most/b.each)*batch)
	return b, nil
}

// of returns the order of an epoch; it is valid until the next call.
func (b *blocks) of(epoch int) []int {
	if b.epoch == epoch || b.epoch >= 0 && !b.shuffle {
		return b.at
	}
	b.epoch = epoch
	r := b.rand.At(uint32(epoch))
	batch := b.each * len(b.labels)
	for k, examples := range b.labels {
		some := append([]int{}, examples...)
		if b.shuffle {
			r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		}
		for p := range len(b.at) / batch * b.each {
			b.at[p/b.each*batch+k*b.each+p%b.each] = some[p%len(some)]
		}
	}
	return b.at
}

// readField reads a field of whole numbers, of all examples.
func readField(s Source, at int) ([]int32, error) {
	indices := make([]int, s.Len())
	for i := range indices {
		indices[i] = i
	}
	return readNumbers(s, at, indices)
}
