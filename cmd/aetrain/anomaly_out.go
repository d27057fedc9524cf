package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/cachedir"
	"aetrain/internal/grid"
	"aetrain/tasks"
	"aetrain/trainer"
)

// checkAnomalyOut refuses forms that hold no rows of scores.
func checkAnomalyOut(out string) error {
	forms := []string{".csv", ".jsonl", ".parquet", ".npy", ".png"}
	if out != "" && !slices.Contains(forms, strings.ToLower(filepath.Ext(out))) {
		return usagef("-out %s: scores are written as %s", out, strings.Join(forms, ", "))
	}
	return nil
}

// writeAnomalies writes a row an example, or a picture of all, in the form that the extension names.
func writeAnomalies(found *tasks.Anomalies, out string) error {
	path := configs.ResolvePath(out)
	switch strings.ToLower(filepath.Ext(path)) {
	case ".jsonl":
		return cachedir.WriteFile(path, func(w io.Writer) error { return anomalyLines(w, found) })
	case ".parquet":
		return cachedir.WriteFile(path, func(w io.Writer) error { return anomalyParquet(w, found) })
	case ".npy":
		return cachedir.WriteFile(path, anomalyArray(found).npy)
	case ".png":
		return cachedir.WriteFile(path, func(w io.Writer) error { return anomalyHistogram(w, found) })
	}
	return cachedir.WriteFile(path, func(w io.Writer) error { return anomalyTable(w, found) })
}

// anomalyTable writes CSV: example, score, anomaly, label where there are labels, features where there are features.
func anomalyTable(w io.Writer, found *tasks.Anomalies) error {
	featured := anomaliesFeatured(found)
	header := []string{"example", "score", "anomaly"}
	if found.Labelled {
		header = append(header, "label")
	}
	if featured {
		header = append(header, "features")
	}
	c := csv.NewWriter(w)
	if err := c.Write(header); err != nil {
		return err
	}
	for _, r := range found.Rows {
		record := []string{r.Name, strconv.FormatFloat(r.Score, 'g', 7, 64), strconv.Itoa(flag01(r.Anomaly))}
		if found.Labelled {
			record = append(record, labelText(r.Label))
		}
		if featured {
			record = append(record, strengths(r.Strength))
		}
		if err := c.Write(record); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// anomaliesFeatured reports whether features are named.
func anomaliesFeatured(found *tasks.Anomalies) bool {
	return slices.ContainsFunc(found.Rows, func(r tasks.AnomalyRow) bool { return r.Strength != nil })
}

// anomalyLines writes an object a line.
func anomalyLines(w io.Writer, found *tasks.Anomalies) error {
	b := bufio.NewWriter(w)
	for _, r := range found.Rows {
		line, err := json.Marshal(anomalyObject(r, found.Labelled))
		if err != nil {
			return err
		}
		if _, err := b.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return b.Flush()
}

// anomalyObject is a row as JSON.
func anomalyObject(r tasks.AnomalyRow, labelled bool) map[string]any {
	o := map[string]any{"example": r.Name, "score": trainer.Number(r.Score), "anomaly": flag01(r.Anomaly)}
	if labelled && r.Label >= 0 {
		o["label"] = r.Label
	}
	if r.Strength != nil {
		o["features"] = r.Strength
	}
	return o
}

// anomalyArray is the scores as rows of one number.
func anomalyArray(found *tasks.Anomalies) rows {
	out := rows{n: len(found.Rows), shape: graph.Shape{1}}
	out.produce = func(emit func([]string, *tensor.Dense) error) error {
		x := tensor.New(tensor.WithShape(out.n, 1), tensor.Of(tensor.Float32))
		names := make([]string, out.n)
		for i, r := range found.Rows {
			names[i], x.Float32s()[i] = r.Name, float32(r.Score)
		}
		return emit(names, x)
	}
	return out
}

// anomalyHistogram draws the scores of what is normal, or has no label, and of what is not, with the threshold between.
func anomalyHistogram(w io.Writer, found *tasks.Anomalies) error {
	var normal, anomalous []float64
	for _, r := range found.Rows {
		if r.Anomalous {
			anomalous = append(anomalous, r.Score)
		} else {
			normal = append(normal, r.Score)
		}
	}
	return grid.WriteHistogram(w, [][]float64{normal, anomalous}, found.Threshold)
}

func flag01(b bool) int {
	if b {
		return 1
	}
	return 0
}

// labelText is empty where a label is not known.
func labelText(label int32) string {
	if label < 0 {
		return ""
	}
	return strconv.Itoa(int(label))
}

// strengths are the strongest features with their shares: "amount 0.91; hour 0.05".
func strengths(features []tasks.Feature) string {
	var parts []string
	for _, f := range features {
		parts = append(parts, f.Name+" "+number(f.Share))
	}
	return strings.Join(parts, "; ")
}
