package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/configs"
	"aetrain/data"
	"aetrain/internal/cachedir"
	"aetrain/internal/grid"
)

// dataPreview shows the first training batch as the network will see it: a picture, or rows of a table or a text.
func dataPreview(ctx context.Context, o dataOptions, t *talk, stdout io.Writer) error {
	if o.N < 1 {
		return usagef("-n %d: it is 1 or more", o.N)
	}
	if o.Out != "" && !isPicture(o.Out) && !slices.Contains([]string{".csv", ".txt"}, filepath.Ext(o.Out)) {
		return usagef("-out %s: preview writes .png, of a table .csv, of a text .txt", o.Out)
	}
	e, splits, err := o.open(ctx, t)
	if err != nil {
		return err
	}
	defer splits.Close()
	x, err := firstBatch(ctx, e, splits, o.N)
	if err != nil {
		return err
	}
	text := splits.Vocabulary() != nil
	switch {
	case text && isPicture(o.Out):
		return usagef("-out %s: text is shown as text; leave -out away or name a .txt file", o.Out)
	case text:
		return o.show(splits, x, ".txt", previewText, stdout)
	case splits.FeatureNames() != nil && len(x.Shape()) == 2 && !isPicture(o.Out):
		return o.show(splits, x, ".csv", previewTable, stdout)
	case !isPicture(o.Out):
		return usagef("preview wants -out FILE.png")
	}
	return o.draw(ctx, e, splits, x, t, stdout)
}

// draw writes a picture; above what is corrupted the clean example.
func (o dataOptions) draw(ctx context.Context, e *experiment, splits *data.Splits, x *tensor.Dense, t *talk, stdout io.Writer) error {
	draw := func(w io.Writer) error { return grid.Write(w, x, greys(x)) }
	if o.Config != "" && e.model.Corrupts() {
		seen, err := corrupted(ctx, e, splits, x)
		if err != nil {
			return err
		}
		draw = func(w io.Writer) error { return grid.WritePairs(w, x, seen, greys(x)) }
		t.Linef("above the clean example, below what the encoder sees")
	}
	if err := cachedir.WriteFile(configs.ResolvePath(o.Out), draw); err != nil {
		return err
	}
	return o.written(splits, x, stdout)
}

// written tells what was written where.
func (o dataOptions) written(splits *data.Splits, x *tensor.Dense, stdout io.Writer) error {
	if o.Format == formatJSON {
		return writeJSON(stdout, map[string]any{"out": o.Out, "examples": x.Shape()[0]})
	}
	_, err := fmt.Fprintf(stdout, "%s: %d examples of %v\n", o.Out, x.Shape()[0], splits.Fields()[0].Spec)
	return err
}

// show writes rows to -out, or to stdout.
func (o dataOptions) show(splits *data.Splits, x *tensor.Dense, extension string, rows func(*data.Splits, *tensor.Dense) ([][]string, error), stdout io.Writer) error {
	if o.Out != "" && filepath.Ext(o.Out) != extension {
		return usagef("-out %s: this data is written as %s", o.Out, extension)
	}
	all, err := rows(splits, x)
	if err != nil {
		return err
	}
	if o.Out == "" && o.Format == formatJSON {
		return writeJSON(stdout, map[string]any{"rows": all})
	}
	var b bytes.Buffer
	if extension == ".txt" {
		for _, row := range all {
			b.WriteString(row[0] + "\n")
		}
	} else if err := csv.NewWriter(&b).WriteAll(all); err != nil {
		return err
	}
	if o.Out == "" {
		_, err := stdout.Write(b.Bytes())
		return err
	}
	if err := writeText(configs.ResolvePath(o.Out), b.Bytes()); err != nil {
		return err
	}
	return o.written(splits, x, stdout)
}

// previewText is a row of one text for each example, quoted so that it stays on its line.
func previewText(splits *data.Splits, x *tensor.Dense) ([][]string, error) {
	var rows [][]string
	for row := range slices.Chunk(x.Int32s(), x.Shape()[1]) {
		text, err := splits.Text(row)
		if err != nil {
			return nil, err
		}
		rows = append(rows, []string{strings.Trim(strconv.Quote(text), `"`)})
	}
	return rows, nil
}

// previewTable is a header and a row for each example, of the numbers that the network is fed.
func previewTable(splits *data.Splits, x *tensor.Dense) ([][]string, error) {
	rows := [][]string{splits.FeatureNames()}
	for row := range slices.Chunk(x.Float32s(), x.Shape()[1]) {
		var cells []string
		for _, v := range row {
			cells = append(cells, strconv.FormatFloat(float64(v), 'g', 6, 32))
		}
		rows = append(rows, cells)
	}
	return rows, nil
}
