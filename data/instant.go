package data

import "gorgonia.org/tensor"

// FieldReader writes a field of some examples to dst, whose rows they are. Any number of goroutines may call it.
type FieldReader func(dst *tensor.Dense, indices []int)

// Instant returns what reads a field of s alone, about as fast as memory is read: a device may do that when it comes to the batch,
// and nobody has to read ahead. It is nil where s is not in memory as it is wanted.
func Instant(s Source, field int) FieldReader {
	switch s := s.(type) {
	case *images:
		return func(dst *tensor.Dense, indices []int) { s.read(field, dst, indices) }
	case *relabelled:
		return Instant(s.Source, field)
	case *subset:
		read := Instant(s.Source, field)
		if read == nil {
			return nil
		}
		return func(dst *tensor.Dense, indices []int) { s.through(dst, indices, read) }
	}
	return nil
}

// through reads examples by their places in the whole source.
func (s *subset) through(dst *tensor.Dense, indices []int, read FieldReader) {
	mapped := borrow(&s.pool, len(indices))
	defer s.pool.Put(mapped)
	for n, i := range indices {
		(*mapped)[n] = s.at[i]
	}
	read(dst, *mapped)
}
