package backend

import "gorgonia.org/tensor"

// Filler is an Executable whose inputs may be written by the device's own threads at the beginning of a run. What is in memory
// already then needs no batch that somebody puts together beside the step, and no copy of it. Capabilities.Fills tells.
type Filler interface {
	Executable
	// Fill has every Run begin with calls of fill, on any goroutines, which together write all rows of an input, once each; dst is
	// rows from to to (exclusive). The input is not fed any more.
	Fill(input string, fill func(dst *tensor.Dense, from, to int)) error
}
