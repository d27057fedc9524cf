package data

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// openParquet opens testdata/typed.parquet (see testdata/parquet.py) with further keys of [data].
func openParquet(t *testing.T, keys string) (*Splits, *Config, error) {
	t.Helper()
	c, err := readConfig(t, "[data]\nsource = \"parquet\"\nfile = 'testdata/typed.parquet'\nvalidation = 0\n"+keys)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, c, err
}

// Every type that pyarrow writes comes as it is: numbers as numbers, nulls as holes, categories as words, times as times, over the
// border of a row group.
func TestParquetTypes(t *testing.T) {
	s, _, err := openParquet(t, "label = \"label\"\ntime = \"when\"\ncolumns = { user = \"categorical\" }\ntransforms = [{ kind = \"impute\", with = \"zero\" }, { kind = \"one-hot\" }]\n")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range s.Columns() {
		names = append(names, c.Name+" "+c.Kind+" "+strings.Join(c.Words, ","))
	}
	want := []string{"amount numeric ", "small numeric ", "count numeric ", "big numeric ", "ok numeric ", "price numeric ", "country one-hot DE,FR,(missing),(other)",
		"place.x numeric ", "place.y numeric ", "user one-hot 1000000000000,1000000000001,(other)"}
	if !slices.Equal(names, want) {
		t.Errorf("got the columns %q\nwant %q", names, want)
	}
	got := readAll(t, s.Train)
	rows := [][]float32{
		{10.5, 0.5, 1, 1 << 40, 1, 1.25, 1, 0, 0, 0, 1, 2, 1, 0, 0},
		{0, 1.5, 2, 0, 0, -2.5, 0, 1, 0, 0, 0, 0, 0, 1, 0},
		{30.25, 0, 3, 3, 0, 0, 0, 0, 1, 0, 3, 0, 1, 0, 0},
		{0, 2.5, 4, 4, 1, 99.99, 1, 0, 0, 0, 4, 5, 0, 1, 0},
		{-1000, 65504, 5, 5, 1, 3, 0, 0, 1, 0, 6, 7, 1, 0, 0},
	}
	if want := slices.Concat(rows...); !near(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if labels, err := readLabels(s.Train, []int{0, 1, 4}); err != nil || !slices.Equal(labels, []int32{0, 1, 1}) {
		t.Errorf("got labels %v, %v", labels, err)
	}
	if got, want := ExampleName(s.Train, 3), "2020-01-01 12:00:03.5"; got != want {
		t.Errorf("the fourth row is of %s, want %s", got, want)
	}
}

func TestParquetMistakes(t *testing.T) {
	for _, c := range []struct{ keys, want string }{
		{"label = \"lable\"\n", "data.label: no column lable; did you mean label?"},
		{"columns = { tags = \"categorical\" }\n", "typed.parquet: column tags: holds lists, which are no column of a table: make it ignore"},
		{"columns = { country = \"numeric\" }\n", `data.columns.country: 3 values are text ("DE" in row 0): make it categorical or ignore`},
	} {
		if _, _, err := openParquet(t, c.keys); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant %s", c.keys, err, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "a.parquet")
	whole, err := os.ReadFile("testdata/typed.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"empty": nil, "no parquet": []byte("a,b\n1,2\n"), "cut": whole[:len(whole)/2], "damaged": damagedPages(whole),
		"large end": append(bytes.Clone(whole[:len(whole)-8]), "\xff\xff\xff\xffPAR1"...), "LZ4": lz4Of(t)} {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := (&Parquet{tableFiles{File: Paths{path}, tableKeys: tableDefaultKeys()}}).Open(context.Background(), Env{Progress: func(Progress) {}}); err == nil || !strings.Contains(err.Error(), "a.parquet: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lz4Of is a file that is not read.
func lz4Of(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.Write(&b, []struct{ A float32 }{{1}}, parquet.Compression(&parquet.Lz4Raw)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// damagedPages has other bytes where the first pages stand.
func damagedPages(whole []byte) []byte {
	b := bytes.Clone(whole)
	for i := 4; i < 200; i++ {
		b[i] ^= 0x5a
	}
	return b
}

// A table that was trained from is read in the same way from another file.
func TestParquetInput(t *testing.T) {
	type row struct {
		Country string   `parquet:"country"`
		Amount  *float32 `parquet:"amount,optional"`
	}
	number := func(v float32) *float32 { return &v }
	dir := t.TempDir()
	for name, rows := range map[string][]row{
		"a.parquet": {{"DE", number(1)}, {"FR", number(3)}, {"DE", nil}, {"FR", number(5)}},
		"b.parquet": {{"IT", number(3)}, {"FR", nil}},
	} {
		var b bytes.Buffer
		if err := parquet.Write(&b, rows); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, err := readConfig(t, "[data]\nsource = \"parquet\"\nfile = '"+filepath.ToSlash(dir)+"/a.parquet'\nvalidation = 0\n")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	src, _, err := OpenInput(context.Background(), c, filepath.Join(dir, "b.parquet"), s.Fields()[0].Spec, OpenOptions{Fitted: s.Pipeline.State()})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if got, want := readAll(t, src), []float32{0, 0, 1, 0, 0, 0, 1, 0}; len(got) != len(want) || !near(got[1:4], want[1:4]) && !near(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Numbers that stand for missing values are holes, as they are in CSV, and those beside them are none.
func TestParquetHoles(t *testing.T) {
	type row struct {
		Heat  float32 `parquet:"heat"`
		Count int64   `parquet:"count"`
		Price int32   `parquet:"price,decimal(2:9)"`
		Exact float64 `parquet:"exact"`
	}
	var b bytes.Buffer
	if err := parquet.Write(&b, []row{{-999.9, -999, -99990, -999.9}, {-999, 1 << 24, 150, 16777217}, {1.5, -998, -99900, -999.8999999}}); err != nil {
		t.Fatal(err)
	}
	keys := tableDefaultKeys()
	keys.Missing = []string{"-999.9", "-999.0", "16777217", "unknown", "NaN"}
	into := newCells(&keys, "", nil)
	if err := readParquet(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()), "a.parquet", into, func(Progress) {}); err != nil {
		t.Fatal(err)
	}
	hole := float32(math.NaN())
	for i, want := range [][]float32{{hole, hole, 1.5}, {hole, 1 << 24, -998}, {hole, 1.5, hole}, {hole, hole, -999.8999999}} {
		for n, got := range into.columns[i].values {
			if got != want[n] && (got == got || want[n] == want[n]) {
				t.Errorf("%s of row %d is %v, want %v", into.columns[i].name, n, got, want[n])
			}
		}
	}
}

// A column that holds lists in one file and numbers in another is an error, in whatever order they come.
func TestParquetListsOfAnotherFile(t *testing.T) {
	write := func(path string, rows func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := rows(&b); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	numbers := func(b *bytes.Buffer) error {
		return parquet.Write(b, []struct {
			A float32 `parquet:"a"`
			B float32 `parquet:"b"`
		}{{1, 2}, {3, 4}})
	}
	lists := func(b *bytes.Buffer) error {
		return parquet.Write(b, []struct {
			A float32   `parquet:"a"`
			B []float32 `parquet:"b"`
		}{{5, []float32{6, 7}}})
	}
	for name, order := range map[string][2]func(*bytes.Buffer) error{"numbers, then lists": {numbers, lists}, "lists, then numbers": {lists, numbers}} {
		dir := t.TempDir()
		first, second := filepath.Join(dir, "a.parquet"), filepath.Join(dir, "b.parquet")
		write(first, order[0])
		write(second, order[1])
		o := &Parquet{tableFiles{File: Paths{first, second}, tableKeys: tableDefaultKeys()}}
		if _, err := o.Open(context.Background(), Env{Progress: func(Progress) {}}); err == nil || !strings.Contains(err.Error(), "b.parquet: column b: holds lists") {
			t.Errorf("%s: %v", name, err)
		}
		o.Columns = map[string]string{"b": Ignored}
		if _, err := o.Open(context.Background(), Env{Progress: func(Progress) {}}); err != nil {
			t.Errorf("%s, ignored: %v", name, err)
		}
	}
}

func TestDecimalsAndHalves(t *testing.T) {
	number, text := parquetDecimal(parquet.FixedLenByteArray, 2)
	for want, b := range map[float64][]byte{-2.5: {0xff, 0xff, 0x06}, 655.36: {0x01, 0x00, 0x00}} {
		v := parquet.FixedLenByteArrayValue(b)
		if got := number(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("%x is %v, want %v", b, got, want)
		}
		if got := text(v); !strings.HasSuffix(got, "0") && !strings.HasSuffix(got, ".36") {
			t.Errorf("%x is written %s", b, got)
		}
	}
}

// A damaged file is an error, never a crash.
func FuzzParquet(f *testing.F) {
	whole, err := os.ReadFile("testdata/typed.parquet")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(damagedPages(whole))
	f.Add(whole[:len(whole)-20])
	f.Add(append(bytes.Clone(whole[:len(whole)-8]), "\xff\xff\xff\xffPAR1"...))
	var plain bytes.Buffer
	if err := parquet.Write(&plain, []struct{ A, B float32 }{{1, 2}, {3, 4}}); err != nil {
		f.Fatal(err)
	}
	f.Add(plain.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			t.Skip()
		}
		keys := tableDefaultKeys()
		into := newCells(&keys, "", nil)
		if err := readParquet(context.Background(), bytes.NewReader(b), int64(len(b)), "a.parquet", into, func(Progress) {}); err != nil {
			return
		}
		for _, k := range into.columns {
			if n := len(k.values); k.kind != Ignored && n != into.rows && len(k.codes) != into.rows {
				t.Fatalf("column %s has %d values for %d rows", k.name, n, into.rows)
			}
		}
		var facts *tableFacts
		_, _ = into.table(&facts)
	})
}
