package data

import (
	"context"
	"fmt"
	"io"
	"math"
	"sort"
	"strings"

	"aetrain/graph"
)

// Stats are figures of one field of a source.
type Stats struct {
	Examples  int           // of the source
	Measured  int           // of them, evenly spread
	Spec      graph.Spec    // of one example
	Min, Max  float64       // of the finite values
	Mean, Std float64       // of the finite values
	Finite    bool          // no NaN and no infinity was met
	NotFinite string        // the name of the first example that holds one
	Labels    map[int32]int // how often each label occurs among the measured; nil: there are none
}

// firstBad is the index of the first number that is NaN or infinite.
func firstBad(x []float32) int {
	for i, v := range x {
		if v-v != 0 {
			return i
		}
	}
	return 0
}

// Measure computes Stats over at most that many examples; 0 measures all.
func Measure(ctx context.Context, s Source, field string, most int) (Stats, error) {
	fields := s.Fields()
	at, label := FieldIndex(fields, field), FieldIndex(fields, "label")
	if at < 0 {
		return Stats{}, fmt.Errorf("the data has no field %s; it has %s", field, strings.Join(fieldNames(fields), ", "))
	}
	st := Stats{Examples: s.Len(), Spec: fields[at].Spec, Min: math.Inf(1), Max: math.Inf(-1), Finite: true}
	if label >= 0 {
		st.Labels = map[int32]int{}
	}
	st.Measured = s.Len()
	if most > 0 {
		st.Measured = min(most, s.Len())
	}
	const batch = 256
	var m moments
	indices := make([]int, 0, batch)
	for from := 0; from < st.Measured; from += batch {
		if err := ctx.Err(); err != nil {
			return st, err
		}
		indices = indices[:0]
		for i := from; i < min(from+batch, st.Measured); i++ {
			indices = append(indices, int(int64(i)*int64(st.Examples)/int64(st.Measured)))
		}
		dst := NewBatch(fields, len(indices), nil)
		if err := s.Read(dst, indices); err != nil {
			return st, err
		}
		switch st.Spec.DType {
		case graph.Float32:
			finite := st.Finite
			observe(&st, &m, dst[at].Float32s())
			if finite && !st.Finite {
				st.NotFinite = ExampleName(s, indices[firstBad(dst[at].Float32s())*len(indices)/dst[at].Shape().TotalSize()])
			}
		case graph.Int32:
			observe(&st, &m, dst[at].Int32s())
		case graph.Uint8:
			observe(&st, &m, dst[at].Uint8s())
		}
		if label >= 0 {
			for _, l := range dst[label].Int32s() {
				st.Labels[l]++
			}
		}
	}
	st.Mean, st.Std = m.meanStd()
	return st, nil
}

func observe[T float32 | int32 | uint8](st *Stats, m *moments, values []T) {
	for _, v := range values {
		f := float64(v)
		if f-f != 0 { // NaN or infinite
			st.Finite = false
			continue
		}
		st.Min, st.Max = min(st.Min, f), max(st.Max, f)
		m.add(f)
	}
}

// describeExamples is how many examples Describe measures: enough to see range and mean, in a moment.
const describeExamples = 2000

// Describe writes the splits, the fields and what the network is fed, as -dry-run and data stats print them.
func Describe(w io.Writer, s *Splits) error {
	var b strings.Builder
	for _, name := range []string{"train", "validation", "test"} {
		if src := s.byName(name); src != nil {
			same := ""
			if name == "validation" && s.Validation == s.Test {
				same = " (the test split)"
			}
			fmt.Fprintf(&b, "%-12s %d examples%s\n", name, src.Len(), same)
		} else {
			fmt.Fprintf(&b, "%-12s none\n", name)
		}
	}
	for _, f := range s.Fields() {
		spec := f.Spec.String()
		if len(f.Spec.Shape) == 0 {
			spec = "one " + f.Spec.DType.String()
		}
		fmt.Fprintf(&b, "%-12s %s%s\n", f.Name, spec, channelsLast(f.Spec.Shape))
	}
	if kinds := s.Pipeline.Kinds(); len(kinds) > 0 {
		fmt.Fprintf(&b, "%-12s %s\n", "transforms", strings.Join(kinds, ", "))
	}
	st, err := Measure(context.Background(), s.Train, "x", describeExamples)
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "%-12s %.4g to %.4g, mean %.4g, deviation %.4g", "range of x", st.Min, st.Max, st.Mean, st.Std)
	if !st.Finite {
		b.WriteString(", and values that are not finite")
	}
	b.WriteString("\n")
	if len(st.Labels) > 0 {
		fmt.Fprintf(&b, "%-12s %s\n", "labels", describeLabels(st.Labels, s.LabelNames()))
	}
	if words := s.Vocabulary(); words != nil {
		fmt.Fprintf(&b, "%-12s %d tokens\n", "vocabulary", len(words))
	}
	for _, note := range s.Notes() {
		fmt.Fprintf(&b, "%-12s %s\n", "note", note)
	}
	if err := describeColumns(&b, s); err != nil {
		return err
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// channelsLast warns of images that look as if their channels came last, as many libraries write them: such a model would train,
// on columns of pixels as channels.
func channelsLast(s graph.Shape) string {
	const most = 4 // channels that a picture has
	if len(s) != 3 || s[0] <= most || s[1] <= most || s[2] != 1 && s[2] != 3 && s[2] != 4 {
		return ""
	}
	return fmt.Sprintf(", which is %d channels of %dx%d; if these are images of %dx%d, save them with the channels first", s[0], s[1], s[2], s[0], s[1])
}

// describeLabels lists up to 20 labels in order, with their names where they have any.
func describeLabels(labels map[int32]int, names []string) string {
	keys := make([]int, 0, len(labels))
	for l := range labels {
		keys = append(keys, int(l))
	}
	sort.Ints(keys)
	var parts []string
	for i, l := range keys {
		if i == 20 {
			parts = append(parts, fmt.Sprintf("and %d more", len(keys)-i))
			break
		}
		name := fmt.Sprint(l)
		if l >= 0 && l < len(names) {
			name += " " + names[l]
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, ", ")
}

// Kinds lists the transforms in order.
func (p *Pipeline) Kinds() []string {
	kinds := []string{}
	if p.rows != nil {
		kinds = append(p.rows.Kinds(), "windows")
	}
	if p.sizing != nil {
		for _, t := range p.sizing.list {
			kinds = append(kinds, kindOf(t))
		}
	}
	for _, s := range p.steps {
		kinds = append(kinds, s.kind)
	}
	return kinds
}
