package nn

import "fmt"

// causal is implemented by layers of sequences that look at other times: Causal returns the layer such that no time sees a later one;
// the error is one sentence.
type causal interface{ Causal() (Layer, error) }

// Causal returns layers of sequences such that what they give at a time depends on that time and those before alone, as a model of
// the next element must. The error is a *LayerError.
func Causal(layers []Layer) ([]Layer, error) {
	var list []Layer
	for i, l := range layers {
		var err error
		switch c := l.(type) {
		case causal:
			l, err = c.Causal()
		case recurrent:
			if c.keys().Bidirectional || !c.keys().ReturnSequences {
				err = fmt.Errorf("it has to walk ahead over whole sequences: leave bidirectional and return_sequences out")
			}
		case *Dense, *Dropout, *Activation, *LayerNorm:
		default:
			err = fmt.Errorf("it may see later elements of a sequence: take dense, rnn, gru, lstm or transformer layers")
		}
		if err != nil {
			return nil, &LayerError{Index: i, Kind: layers[i].Kind(), Err: err}
		}
		list = append(list, l)
	}
	return list, nil
}
