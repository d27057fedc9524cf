package throughput

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"aetrain/internal/texttable"
)

// WriteTable prints the results for people.
func (r *Report) WriteTable(w io.Writer) error {
	if err := r.writeDevices(w); err != nil {
		return err
	}
	var t texttable.Table
	t.AlignRight(3, 4, 5, 6, 7, 8, 9)
	t.Row("row", "device", "side", "ms a step", "examples/s", "GFLOP/s", "of peak", "GB/s", "J/1000", "ratio")
	for _, res := range r.Results {
		device := res.Device
		if res.Precision != "float32" {
			device += " " + res.Precision
		}
		t.Row(res.Row, device, res.Side, digits(res.StepMS), digits(res.ExamplesPerSecond), digits(res.GFLOPS), percent(res.PeakShare),
			digits(res.GBps), digits(res.JoulesPerThousand), r.ratio(res))
	}
	if err := t.Write(w); err != nil {
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
