package data

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// timeLayouts are the forms in which times are written. Those without a zone are taken as they are.
var timeLayouts = []string{
	"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", time.RFC3339, "2006-01-02 15:04:05Z07:00",
	"2006-01-02", "2006/01/02 15:04:05", "2006/01/02 15:04", "2006/01/02", "01/02/2006 15:04:05", "01/02/2006 15:04", "01/02/2006",
}

// parseTime reads a time, or a number of seconds or rows, as seconds.
func parseTime(s string) (float64, error) {
	s = strings.TrimSpace(s)
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return v, nil
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil { // fractions of seconds are taken where the layout has none
			return float64(t.Unix()) + float64(t.Nanosecond())*1e-9, nil
		}
	}
	return 0, fmt.Errorf("%q is not a time", s)
}

// span is from the first to the last moment of an anomaly, both included.
type span struct{ from, to float64 }

// windowLabels labels the rows whose time lies in one of the windows with 1, the others with 0.
func (c *cells) windowLabels(t *table) error {
	name := c.keys.LabelWindows
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	windows, err := parseLabelWindows(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	byFile := make([][]span, len(c.files))
	for i, file := range c.files {
		spans, ok := windows.of(file)
		if !ok {
			return mistake("data.label_windows", "%s has no windows for %s, not even an empty list", name, file)
		}
		byFile[i] = spans
	}
	t.labels = make([]int32, t.rows)
	for i, text := range t.times {
		at, err := parseTime(text)
		if err != nil {
			return mistake("data.time", "row %d: %v", i, err)
		}
		for _, s := range byFile[c.fileOf[i]] {
			if at >= s.from && at <= s.to {
				t.labels[i] = 1
			}
		}
	}
	return nil
}

// labelWindows are windows by file; "" is for any.
type labelWindows map[string][]span

// of returns the windows of a file: NAB names files by the end of their path.
func (w labelWindows) of(file string) ([]span, bool) {
	if all, ok := w[""]; ok {
		return all, true
	}
	path := filepath.ToSlash(file)
	for name, spans := range w {
		if path == name || strings.HasSuffix(path, "/"+name) {
			return spans, true
		}
	}
	return nil, false
}

// parseLabelWindows reads {"folder/file.csv": [["start", "end"], ...]}, [["start", "end"], ...], or lines of start,end.
func parseLabelWindows(text []byte) (labelWindows, error) {
	byFile, pairs := map[string][][]string{}, [][]string{}
	first := strings.TrimSpace(string(text))
	if first == "" {
		return nil, errors.New("it is empty")
	}
	if first[0] == '{' {
		if err := json.Unmarshal(text, &byFile); err != nil {
			return nil, fmt.Errorf(`want {"file.csv": [["start", "end"], ...], ...}: %w`, err)
		}
	} else if first[0] == '[' {
		if err := json.Unmarshal(text, &pairs); err != nil {
			return nil, fmt.Errorf(`want [["start", "end"], ...]: %w`, err)
		}
		byFile[""] = pairs
	} else {
		records, err := csv.NewReader(strings.NewReader(first)).ReadAll()
		if err != nil {
			return nil, err
		}
		if len(records[0]) > 1 {
			if _, err := parseTime(records[0][0]); err != nil { // a header
				records = records[1:]
			}
		}
		byFile[""] = records
	}
	all := labelWindows{}
	for name, pairs := range byFile {
		all[name] = []span{}
		for _, p := range pairs {
			if len(p) < 2 {
				return nil, fmt.Errorf("a window has a start and an end, not %q", p)
			}
			from, err := parseTime(p[0])
			if err != nil {
				return nil, err
			}
			to, err := parseTime(p[1])
			if err != nil {
				return nil, err
			}
			all[name] = append(all[name], span{from, to})
		}
	}
	return all, nil
}
