package throughput

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// WriteTable prints the results for people.
func (r *Report) WriteTable(w io.Writer) error {
	if err := r.writeDevices(w); err != nil {
		return err
	}
	t := columns{left: 3}
	t.row("row", "device", "side", "ms a step", "examples/s", "GFLOP/s", "of peak", "GB/s", "J/1000", "ratio")
	for _, res := range r.Results {
		device := res.Device
		if res.Precision != "float32" {
			device += " " + res.Precision
		}
		t.row(res.Row, device, res.Side, digits(res.StepMS), digits(res.ExamplesPerSecond), digits(res.GFLOPS), percent(res.PeakShare),
			digits(res.GBps), digits(res.JoulesPerThousand), r.ratio(res))
	}
	if err := t.write(w); err != nil {
		return err
	}
	for _, s := range r.Skipped {
		if _, err := fmt.Fprintf(w, "left out: %s on %s, %s: %s\n", s.Side, s.Device, s.Row, s.Reason); err != nil {
			return err
		}
	}
	return r.writeNotes(w)
}

// writeDevices says what the figures are shares of.
func (r *Report) writeDevices(w io.Writer) error {
	for _, d := range r.Devices {
		var peaks []string
		for _, p := range []string{"float32", "tf32", "bf16"} {
			if v := d.Peaks.GFLOPS[p]; v > 0 {
				peaks = append(peaks, fmt.Sprintf("%s GFLOP/s %s", digits(v), p))
			}
		}
		if d.Peaks.GBps > 0 {
			peaks = append(peaks, digits(d.Peaks.GBps)+" GB/s")
		}
		limits := ""
		if len(peaks) > 0 {
			limits = fmt.Sprintf("; %s peak %s", d.Peaks.Source, strings.Join(peaks, ", "))
		}
		if _, err := fmt.Fprintf(w, "%s: %s%s\n", d.Name, d.Device, limits); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

// writeNotes explains the columns that need it.
func (r *Report) writeNotes(w io.Writer) error {
	var notes []string
	add := func(text string) {
		for _, n := range notes {
			if n == text {
				return
			}
		}
		notes = append(notes, text)
	}
	for _, res := range r.Results {
		switch {
		case res.Ratio > 0:
			add("ratio of a peer: aetrain's examples a second on that device over the peer's, the median of the rounds")
		case res.FirstRatio > 0:
			add("ratio of aetrain: its examples a second over those on " + r.Devices[0].Name)
		}
		if res.JoulesPerThousand > 0 {
			add("J/1000: joules that the device draws for a thousand examples")
		}
	}
	for i, n := range notes {
		if i == 0 {
			n = "\n" + n
		}
		if _, err := fmt.Fprintln(w, n); err != nil {
			return err
		}
	}
	return nil
}

// ratio is a result's ratio as a cell.
func (r *Report) ratio(res *Result) string {
	switch {
	case res.Ratio > 0:
		return fmt.Sprintf("%.2f", res.Ratio)
	case res.FirstRatio > 0:
		return fmt.Sprintf("%.2f", res.FirstRatio)
	}
	return "-"
}

// digits writes a figure with three digits that matter, whole numbers with commas; "-" where there is none.
func digits(x float64) string {
	switch {
	case x == 0 || x != x:
		return "-"
	case x < 1:
		return strconv.FormatFloat(x, 'g', 3, 64)
	case x < 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case x < 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	text := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// percent writes a share; "-" where there is none.
func percent(x float64) string {
	if x == 0 || x != x {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*x)
}

// columns is a table of text: the first ones and those that words asks for are set to the left, the others to the right.
type columns struct {
	left  int
	words int // columns at the end that are text again
	rows  [][]string
}

// row adds a line.
func (c *columns) row(cells ...string) { c.rows = append(c.rows, cells) }

// write writes the lines, two spaces between columns.
func (c *columns) write(w io.Writer) error {
	var width []int
	for _, r := range c.rows {
		for i, cell := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, r := range c.rows {
		var line strings.Builder
		for i, cell := range r {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line.WriteString("  ")
			}
			if i < c.left || i >= len(width)-c.words {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
