package trainer

import (
	"fmt"
	"io"
	"strings"

	"gorgonia.org/tensor"
)

// sentences are what the rows of tokens say, integers or what a model gives, N×T.
func (r *Run) sentences(tokens *tensor.Dense) ([]string, error) {
	n, length := tokens.Shape()[0], tokens.Shape()[1]
	row := make([]int32, length)
	var all []string
	for i := range n {
		for t := range row {
			switch v := tokens.Data().(type) {
			case []int32:
				row[t] = v[i*length+t]
			case []float32:
				row[t] = int32(v[i*length+t])
			default:
				return nil, fmt.Errorf("tokens are %v", tokens.Dtype())
			}
		}
		text, err := r.Splits.Text(row)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

// writeText writes examples of text, the arrays one under the other, with an empty line between examples where there are several.
func (r *Run) writeText(w io.Writer, arrays ...*tensor.Dense) error {
	var lines [][]string
	for _, a := range arrays {
		s, err := r.sentences(a)
		if err != nil {
			return err
		}
		lines = append(lines, s)
	}
	for i := range lines[0] {
		for _, l := range lines {
			if _, err := fmt.Fprintln(w, strings.ReplaceAll(l[i], "\n", "↵")); err != nil {
				return err
			}
		}
		if len(lines) > 1 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
	}
	return nil
}
