package throughput

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// writeSection writes a machine's part of the page.
func (r *Report) writeSection(w io.Writer, chart string) {
	fmt.Fprintf(w, "## %s, %d cores\n\n", firstOf(r.CPU, r.System), r.Cores)
	for _, d := range r.Devices {
		fmt.Fprintf(w, "- %s: measured peak %s GFLOP/s, %s GB/s (%s)\n", d.Name, digits(d.Peaks.GFLOPS["float32"]), digits(d.Peaks.GBps), d.Device)
	}
	fmt.Fprintf(w, "- %s, %s", r.Go, r.System)
	for _, p := range r.Peers {
		fmt.Fprintf(w, "; %s", peerText(p))
	}
	fmt.Fprintf(w, "\n\n![examples a second, ours and each peer's best way](%s)\n\n", chart)
	for _, d := range r.deviceNames() {
		r.writeRatios(w, d)
	}
	r.writeStarts(w)
	r.writeLeftOut(w)
}

// firstOf is the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// peerText names a peer and its version.
func peerText(about json.RawMessage) string {
	var a struct{ Name, Torch, Python, Version string }
	_ = json.Unmarshal(about, &a) // what it does not say is not shown
	text := strings.TrimSpace(a.Name + " " + firstOf(a.Torch, a.Version))
	if a.Python != "" {
		text += " on Python " + a.Python
	}
	return text
}

// deviceNames are those of the results, in order.
func (r *Report) deviceNames() []string {
	var names []string
	for _, res := range r.Results {
		if !slices.Contains(names, res.Device) {
			names = append(names, res.Device)
		}
	}
	return names
}

// writeRatios writes the table of one device.
func (r *Report) writeRatios(w io.Writer, device string) {
	fmt.Fprintf(w, "### On %s\n\n", device)
	fmt.Fprint(w, "| row | aetrain ms | of peak | peers, ms (ratio) | ratio to the best | hand-over ns | measured |\n|---|---|---|---|---|---|---|\n")
	for _, group := range r.groups() {
		var ours *Result
		var peers []string
		var best *Result
		for _, res := range group {
			switch {
			case res.Device != device:
			case res.Side == Ours:
				ours = res
			default:
				if best == nil || res.ExamplesPerSecond > best.ExamplesPerSecond {
					best = res
				}
				peers = append(peers, fmt.Sprintf("%s %s (%.2f)", res.Side, digits(res.StepMS), res.Ratio))
			}
		}
		if ours == nil {
			continue
		}
		to := "-"
		if best != nil {
			to = fmt.Sprintf("**%.2f**", best.Ratio)
		}
		f := r.facts(ours.Row)
		fmt.Fprintf(w, "| `%s` %s | %s | %s | %s | %s | %s | %s |\n", ours.Row, f.Text, digits(ours.StepMS), percent(ours.PeakShare),
			firstOf(strings.Join(peers, ", "), "-"), to, span(f.HandOverNS), f.when())
	}
	fmt.Fprintln(w)
}

// facts are the circumstances of a row.
func (r *Report) facts(row string) *RowFacts {
	for _, f := range r.Rows {
		if f.Row == row {
			return f
		}
	}
	return &RowFacts{Row: row}
}

// when tells when and how long a row was measured.
func (f *RowFacts) when() string {
	return fmt.Sprintf("%s, %d × %s s", f.Time.Format("2006-01-02"), f.Rounds, digits(f.Seconds))
}

// span is the median of figures, with the least and the most of them.
func span(list []float64) string {
	if len(list) == 0 {
		return "-"
	}
	list = slices.Clone(list)
	m := median(list)
	return fmt.Sprintf("%s (%s–%s)", digits(m), digits(list[0]), digits(list[len(list)-1]))
}

// writeStarts writes the table of starts and memory.
func (r *Report) writeStarts(w io.Writer) {
	var lines []string
	for _, group := range r.groups() {
		var cells []string
		for _, res := range group {
			if res.StartMS > 0 {
				cells = append(cells, fmt.Sprintf("%s %s ms, %s MB", res.Side, digits(res.StartMS), digits(float64(res.PeakBytes)/1e6)))
			}
		}
		if len(cells) > 0 {
			lines = append(lines, fmt.Sprintf("| `%s` | %s |", group[0].Row, strings.Join(cells, " | ")))
		}
	}
	if len(lines) == 0 {
		return
	}
	columns := 0
	for _, l := range lines {
		columns = max(columns, strings.Count(l, "|")-2)
	}
	fmt.Fprintf(w, "### From the start of a process to the end of its first step, and its peak memory\n\n| row |%s\n|---|%s\n",
		strings.Repeat(" |", columns), strings.Repeat("---|", columns))
	for _, l := range lines {
		fmt.Fprintf(w, "%s%s\n", l, strings.Repeat(" |", columns-strings.Count(l, "|")+2))
	}
	fmt.Fprintln(w)
}

// writeLeftOut names what could not be measured, each reason once.
func (r *Report) writeLeftOut(w io.Writer) {
	var lines []string
	for _, s := range r.Skipped {
		line := fmt.Sprintf("- left out: %s: %s\n", strings.TrimSpace(s.Side+" "+s.Row), s.Reason)
		if s.Device != "" {
			line = fmt.Sprintf("- left out: %s, %s on %s: %s\n", s.Side, s.Row, s.Device, s.Reason)
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 {
		fmt.Fprintln(w, strings.Join(lines, ""))
	}
}
