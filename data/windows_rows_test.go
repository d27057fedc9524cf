package data

import (
	"fmt"
	"slices"
	"testing"
)

// Windows lead back to the rows that they were cut of, in every split and over all of them.
func TestWindowRows(t *testing.T) {
	var b []byte
	for i := range 100 {
		b = fmt.Appendf(b, "%d,%d\n", i, 10*i)
	}
	s, _, err := openCSV(t, "time = \"t\"\nvalidation = 20\ntransforms = [{ kind = \"windows\", length = 8, stride = 5 }]", map[string]string{"a.csv": "t,v\n" + string(b)})
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range []string{"train", "validation", "all"} {
		src, _, err := s.Named(split)
		if err != nil {
			t.Fatal(err)
		}
		rows, of, ok := WindowRows(src)
		if !ok {
			t.Fatalf("%s has no windows", split)
		}
		windows, values := NewBatch(src.Fields(), src.Len(), nil), NewBatch(rows.Fields(), rows.Len(), nil)
		if err := ReadRange(src, 0, src.Len(), windows); err != nil {
			t.Fatal(err)
		}
		if err := ReadRange(rows, 0, rows.Len(), values); err != nil {
			t.Fatal(err)
		}
		for i := range src.Len() {
			var want []float32
			for _, row := range of(i) {
				want = append(want, values[0].Float32s()[row])
			}
			if got := windows[0].Float32s()[i*8 : (i+1)*8]; !slices.Equal(got, want) {
				t.Errorf("%s: window %d is %v, its rows %v", split, i, got, want)
			}
			if got, want := ExampleName(rows, of(i)[0]), ExampleName(src, i); got != want {
				t.Errorf("%s: window %d is called %s, its first row %s", split, i, want, got)
			}
		}
	}
	if _, _, ok := WindowRows(&table{}); ok {
		t.Error("a table is windows")
	}
}

// The field x of a table says what its numbers are, before and behind windows; that of labels has their names.
func TestColumnsOfFields(t *testing.T) {
	text := "a,c,y\n"
	for i := range 60 {
		text += fmt.Sprintf("%d,%s,%s\n", i*i, []string{"u", "v"}[i%2], []string{"bad", "good"}[i%2])
	}
	for _, windows := range []string{"", `, { kind = "windows", length = 4 }`} {
		s, _, err := openCSV(t, "label = \"y\"\ntransforms = [{ kind = \"standardize\" }, { kind = \"one-hot\" }"+windows+"]", map[string]string{"a.csv": text})
		if err != nil {
			t.Fatal(err)
		}
		x, label := s.Fields()[0], s.Fields()[1]
		if len(x.Columns) != 2 || x.Columns[0].Kind != Numeric || x.Columns[1].Kind != OneHotGroup || !slices.Equal(x.Columns[1].Words, []string{"u", "v", "(other)"}) {
			t.Errorf("with windows %q: columns are %+v", windows, x.Columns)
		}
		if !slices.Equal(label.Words, []string{"bad", "good"}) {
			t.Errorf("with windows %q: labels are %v", windows, label.Words)
		}
	}
}

// FedAs goes the way that Invert goes back.
func TestFedAs(t *testing.T) {
	text := "a,b,c\n"
	for i := range 60 {
		text += fmt.Sprintf("%d,%d,%s\n", i*i, 100-i, []string{"u", "v"}[i%2])
	}
	s, _, err := openCSV(t, "transforms = [{ kind = \"log1p\", columns = [\"a\"] }, { kind = \"standardize\" }, { kind = \"one-hot\" }]", map[string]string{"a.csv": text})
	if err != nil {
		t.Fatal(err)
	}
	row := Dense(s.Fields()[0].batch(1))
	for at, name := range []string{"a", "b"} {
		if row.Float32s()[at], err = s.Pipeline.FedAs(name, 77); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Pipeline.Invert(row, row); err != nil {
		t.Fatal(err)
	}
	for at := range 2 {
		if v := row.Float32s()[at]; v < 76.99 || v > 77.01 {
			t.Errorf("column %d: 77 goes there and comes back as %v", at, v)
		}
	}
	if _, err := s.Pipeline.FedAs("d", 1); err == nil {
		t.Error("there is a column d")
	}
}
