package nn

import "errors"

// causal is implemented by layers of sequences that look at other times: Causal returns the layer such that no time sees a later one;
// the error is one sentence.
type causal interface{ Causal() (Layer, error) }

// Causal returns layers of sequences such that what they give at a time depends on that time and those before alone, as a model of
// the next element must. The error is a *LayerError.
func Causal(layers []Layer) ([]Layer, error) {
	var list []Layer
	for i, l := range layers {
		c, err := lookingBack(l)
		if err != nil {
			return nil, &LayerError{Index: i, Kind: l.Kind(), Err: err}
		}
		list = append(list, c)
	}
	return list, nil
}

// lookingBack is one layer that sees no later time; the error is one sentence.
func lookingBack(l Layer) (Layer, error) {
	switch l := l.(type) {
	case causal:
		return l.Causal()
	case recurrent:
		if l.keys().Bidirectional || !l.keys().ReturnSequences {
			return nil, errors.New("it has to walk ahead over whole sequences: leave bidirectional and return_sequences out")
		}
		return l, nil
	case *Dense, *Dropout, *Activation, *LayerNorm:
		return l, nil
	}
	return nil, errors.New("it may see later elements of a sequence: take dense, rnn, gru, lstm, conv1d, attention, transformer or residual layers")
}
