package main

import (
	"bufio"
	"io"
	"strings"

	"aetrain/data"
)

// saying is what a row of tokens says.
type saying func(values []float32) (string, error)

// inWords makes rows of the model's x texts again, where the data is text.
func (r *openedRun) inWords(out rows) rows {
	src := r.source
	if r.splits != nil {
		src = r.splits.Train
	}
	if src == nil || !data.IsText(src) {
		return out
	}
	out.says = func(values []float32) (string, error) {
		row := make([]int32, len(values))
		for i, v := range values {
			row[i] = int32(v)
		}
		return data.Sentence(src, row)
	}
	return out
}

// hasText reports whether x are tokens.
func (r *openedRun) hasText() bool {
	m := r.Model.Model()
	return len(m.X) == 1 && m.Vocabulary() > 0
}

// txt writes a text a line; breaks within one are drawn.
func (r rows) txt(w io.Writer) error {
	b := bufio.NewWriter(w)
	err := r.each(func(_ string, values []float32) error {
		text, err := r.says(values)
		if err != nil {
			return err
		}
		_, err = b.WriteString(strings.ReplaceAll(text, "\n", "↵") + "\n")
		return err
	})
	if err == nil {
		err = b.Flush()
	}
	return err
}
