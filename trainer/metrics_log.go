package trainer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"
)

func init() { add("metrics-log", func() Callback { return &MetricsLog{} }) }

// MetricsFile is the name of the metrics in a run's folder.
const MetricsFile = "metrics.jsonl"

// MetricsLog writes metrics.jsonl: a row of the training terms each log_every_steps and at each epoch's end, a row of each validation.
type MetricsLog struct{ clock clock }

// Row is a line of metrics.jsonl.
type Row struct {
	Time    time.Time         `json:"time"`
	Step    int               `json:"step"`
	Epoch   float64           `json:"epoch"`           // epochs done, fractions included
	Stage   string            `json:"stage,omitempty"` // its name, where training has several
	Split   string            `json:"split"`           // train, validation or test
	Metrics map[string]Number `json:"metrics"`
}

// Number is a float64 whose NaN and infinities are written as null.
type Number float64

// MarshalJSON writes null for what JSON has no number for.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// On writes rows.
func (m *MetricsLog) On(_ context.Context, e Event, r *Run) error {
	if r.Dir == "" {
		return nil
	}
	switch e {
	case Begin:
		m.clock = clock{since: time.Now(), examples: r.Seen}
		return dropRows(filepath.Join(r.Dir, MetricsFile), r.Step) // of steps that a resumed run makes again
	case TermsRead:
		row := numbers(r.Row)
		row["learning_rate"] = Number(r.Rate)
		row["examples_per_second"] = Number(m.clock.rate(r.Seen))
		return m.write(r, "train", row)
	case Validated:
		m.clock.rate(r.Seen) // validation is no training time
		return m.write(r, "validation", numbers(r.Validation))
	}
	return nil
}

func (m *MetricsLog) write(r *Run, split string, metrics map[string]Number) error {
	return AppendRow(r.Dir, Row{Time: time.Now(), Step: r.Step, Epoch: r.EpochsDone(), Stage: r.StageName(), Split: split, Metrics: metrics})
}

// AppendRow adds a row to the metrics of the run in dir. The file is opened for each: going back to a checkpoint replaces it.
func AppendRow(dir string, row Row) error {
	f, err := os.OpenFile(filepath.Join(dir, MetricsFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	if err := writeRow(f, row); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// writeRow writes a line in one call, so that readers never see half of it.
func writeRow(w io.Writer, row Row) error {
	line, err := json.Marshal(row)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// ReadRows reads the metrics of the run in dir. A last line that a crash has cut off is passed over.
func ReadRows(dir string) ([]Row, error) {
	f, err := os.Open(filepath.Join(dir, MetricsFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows []Row
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for n := 1; s.Scan(); n++ {
		var row Row
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			if !s.Scan() {
				break
			}
			return nil, fmt.Errorf("%s:%d: %w", f.Name(), n, err)
		}
		rows = append(rows, row)
	}
	return rows, s.Err()
}

// dropRows rewrites a file of metrics without the rows of steps after step; there may be no file.
func dropRows(path string, step int) error {
	rows, err := ReadRows(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var kept bytes.Buffer
	for _, row := range rows {
		if row.Step <= step {
			if err := writeRow(&kept, row); err != nil {
				return err
			}
		}
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, kept.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// numbers makes metrics that JSON can hold.
func numbers(m map[string]float64) map[string]Number {
	out := make(map[string]Number, len(m)+2)
	for k, v := range m {
		out[k] = Number(v)
	}
	return out
}
