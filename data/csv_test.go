package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aetrain/graph"
)

// openCSV opens tables with further keys of [data]. FOLDER in them is where the files are.
func openCSV(t testing.TB, keys string, files map[string]string) (*Splits, *Config, error) {
	t.Helper()
	all := map[string][]byte{}
	for name, text := range files {
		if all[name] = []byte(text); strings.HasSuffix(name, ".gz") {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			z.Write([]byte(text))
			z.Close()
			all[name] = b.Bytes()
		}
	}
	dir := writeFiles(t, all)
	c, err := readConfig(t, strings.ReplaceAll("[data]\nsource = \"csv\"\nfile = 'FOLDER/a.*'\n"+keys, "FOLDER", dir))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, c, err
}

// payments is a table with all that makes one hard.
const payments = "\xef\xbb\xbfid,amount,country,remark,is_fraud\n" +
	"1,10,DE,hello,0\n2,,FR,\"well, no\",0\n3,30,DE,x,1\n4,20,,y,0\n5,1e3,IT,z,0\n"

func TestCSVColumns(t *testing.T) {
	s, _, err := openCSV(t, "label = \"is_fraud\"\nvalidation = 0\n[data.columns]\nid = \"ignore\"\n[[data.transforms]]\nkind = \"log1p\"\ncolumns = [\"amount\"]\n"+
		"[[data.transforms]]\nkind = \"impute\"\nindicator = true\n[[data.transforms]]\nkind = \"one_hot\"\nmin_count = 2", map[string]string{"a.csv": payments})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range s.Columns() {
		names = append(names, c.Name+" "+c.Kind+" "+strings.Join(c.Words, ","))
	}
	if want := []string{"amount numeric ", "country one-hot DE,(other)", "amount missing flag "}; !slices.Equal(names, want) {
		t.Errorf("got the columns %q, want %q", names, want)
	}
	l := func(v float64) float32 { return float32(math.Log1p(v)) }
	median := (l(20) + l(30)) / 2
	want := []float32{l(10), 1, 0, 0, median, 0, 1, 1, l(30), 1, 0, 0, l(20), 0, 1, 0, l(1000), 0, 1, 0}
	got := readAll(t, s.Train)
	if !near(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if labels, err := readLabels(s.Train, []int{1, 2}); err != nil || !slices.Equal(labels, []int32{0, 1}) {
		t.Errorf("got labels %v, %v", labels, err)
	}
	x := NewBatch(s.Train.Fields(), 5, nil)
	if err := ReadRange(s.Train, 0, 5, x); err != nil {
		t.Fatal(err)
	}
	if err := s.Pipeline.Invert(x[0], x[0]); err != nil || math.Abs(float64(x[0].Float32s()[16]-1000)) > 1e-2 || x[0].Float32s()[1] != 1 {
		t.Errorf("in data units: got %v, %v", x[0].Float32s(), err)
	}
}

// TestCSVDefaults imputes, standardizes and encodes where the config says nothing, and undoes what can be.
func TestCSVDefaults(t *testing.T) {
	s, _, err := openCSV(t, "validation = 0", map[string]string{"a.tsv.gz": "v\tk\n1\ta\n3\tb\n?\ta\n2\tb\n"})
	if err != nil {
		t.Fatal(err)
	}
	r := float32(math.Sqrt(0.5)) // the deviation of 1, 3, 2 and 2
	if got, want := readAll(t, s.Train), []float32{-1 / r, 1, 0, 0, 1 / r, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0}; !near(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := strings.Join(s.Pipeline.Kinds(), " "); got != "impute standardize one-hot" {
		t.Errorf("got the transforms %s", got)
	}
	x := NewBatch(s.Train.Fields(), 4, nil)
	if err := ReadRange(s.Train, 0, 4, x); err != nil {
		t.Fatal(err)
	}
	if err := s.Pipeline.Invert(x[0], x[0]); err != nil || !near(x[0].Float32s()[:8], []float32{1, 1, 0, 0, 3, 0, 1, 0}) {
		t.Errorf("in data units: got %v, %v", x[0].Float32s(), err)
	}
}

// TestCSVInput reads another table as the first one was read: other words, other order of columns, no label, what looked like a number.
func TestCSVInput(t *testing.T) {
	keys := "label = \"y\"\nvalidation = 0\ncolumns = { code = \"categorical\" }"
	s, c, err := openCSV(t, keys, map[string]string{"a.csv": "v,code,y\n1,10,ok\n3,20,bad\n5,10,ok\n", "b.csv": "code,extra,v\n20,hello,3\n99,?,\n"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(c.Source.(*CSV).File[0]), "b.csv")
	fed := s.Fields()[0].Spec
	fresh, err := readConfig(t, "[data]\nsource = \"csv\"\nfile = 'gone.csv'\n"+keys)
	if fresh == nil {
		t.Fatal(err)
	}
	src, p, err := OpenInput(context.Background(), fresh, path, fed, OpenOptions{Fitted: s.Pipeline.State()})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if got, want := readAll(t, src), []float32{0, 0, 1, 0, 0, 0, 0, 1}; !near(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(src.Fields()) != 1 || len(p.Columns()) != 2 {
		t.Errorf("got the fields %v, columns %v", src.Fields(), p.Columns())
	}
	again, err := Open(context.Background(), c, OpenOptions{Seed: 1, Fitted: s.Pipeline.State()})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if a, b := readAll(t, s.Train), readAll(t, again.Train); !slices.Equal(a, b) {
		t.Errorf("opened again: got %v, want %v", b, a)
	}
}

func TestCSVMistakes(t *testing.T) {
	for _, c := range []struct{ name, keys, text, want string }{
		{"text among numbers", "[data.columns]\ncountry = \"numeric\"", payments, `data.columns.country: 4 values are text ("DE" in row 2): make it categorical or ignore`},
		{"no such label", `label = "is_fruad"`, payments, "data.label: no column is_fruad; did you mean is_fraud?"},
		{"no such column", "[data.columns]\ncuntry = \"categorical\"", payments, "data.columns.cuntry: no column cuntry; did you mean country?"},
		{"no such time", `time = "when"`, payments, "data.time: no column when"},
		{"no such column of a transform", "transforms = [{ kind = \"log1p\", columns = [\"amuont\"] }]", payments, "data.transforms[0]: log1p no column amuont; did you mean amount?"},
		{"wrong kind of column", "transforms = [{ kind = \"log1p\", columns = [\"country\"] }]", payments, "log1p is for numeric columns, country is categorical"},
		{"a category is left", "transforms = [{ kind = \"impute\" }]", payments, `data.transforms: column country is categorical: add { kind = "one-hot" }`},
		{"holes", "transforms = [{ kind = \"standardize\" }, { kind = \"one-hot\" }]", payments, `column amount has holes or values that are not finite: put { kind = "impute" } before`},
		{"lengths differ", "", "a,b\n1,2\n3\n", "wrong number of fields"},
		{"two of a name", "", "a,a\n1,2\n", `two columns are called "a"`},
		{"empty", "", "", "it is empty"},
		{"only a header", "", "a,b\n", "it has no rows"},
		{"nothing is an input", "[data.columns]\na = \"ignore\"", "a\n1\n", "no column is left as an input"},
		{"few for windows", "transforms = [{ kind = \"windows\", length = 30 }]", "a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "windows of 30 rows: train has no 30 rows in a row"},
		{"windows need their columns first", "transforms = [{ kind = \"noise\" }, { kind = \"windows\", length = 2 }]", "a\n1\n2\n", "stand before noise"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := openCSV(t, c.keys, map[string]string{"a.csv": c.text})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestCSVKeys(t *testing.T) {
	for _, c := range []struct{ keys, want string }{
		{"delimiter = \"ab\"", `data.delimiter: "ab" is not one character`},
		{"columns = { a = \"number\" }", `data.columns.a: "number" is none of numeric, categorical, ignore`},
		{"label_windows = '.'", "data.label_windows: windows are of times"},
	} {
		if _, err := readConfig(t, "[data]\nsource = \"csv\"\nfile = '.'\n"+c.keys); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func TestCSVForms(t *testing.T) {
	for _, c := range []struct{ name, keys, text string }{
		{"semicolons", "", "a;b\n1;2\n3;4\n"},
		{"a pipe by key", "delimiter = \"|\"", "a|b\n1|2\n3|4\n"},
		{"no header", "header = false", "1,2\n3,4\n"},
		{"spaces and CRLF", "", "a, b\r\n1, 2\r\n3 ,4\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, err := openCSV(t, c.keys+"\nvalidation = 0\ntransforms = [{ kind = \"impute\" }]", map[string]string{"a.csv": c.text})
			if err != nil {
				t.Fatal(err)
			}
			if got := readAll(t, s.Train); !slices.Equal(got, []float32{1, 2, 3, 4}) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// series is a table of times and values, value = row.
func seriesCSV(n, from int) string {
	var b strings.Builder
	b.WriteString("when,v,g\n")
	for i := range n {
		b.WriteString(strings.Join([]string{"2020-01-01 00:00:" + string(rune('0'+i/10)) + string(rune('0'+i%10)), string(rune('0'+(from+i)/10)) + string(rune('0'+(from+i)%10)), string(rune('a' + i%2))}, ",") + "\n")
	}
	return b.String()
}

// TestWindows cuts files, groups and splits one by one.
func TestWindows(t *testing.T) {
	first := func(s Source) []float32 { // the first value of each window
		x, size := readAll(t, s), s.Fields()[0].Spec.Shape.Size()
		var all []float32
		for at := 0; at < len(x); at += size {
			all = append(all, x[at])
		}
		return all
	}
	for _, c := range []struct {
		name, keys        string
		files             map[string]string
		train, validation []float32
	}{
		{"the tail validates", "time = \"when\"\nvalidation = 8\ncolumns = { g = \"ignore\" }", map[string]string{"a.csv": seriesCSV(20, 0)},
			[]float32{0, 3, 6}, []float32{12, 15}},
		{"files are apart", "time = \"when\"\nvalidation = 0\ncolumns = { g = \"ignore\" }", map[string]string{"a.1.csv": seriesCSV(6, 0), "a.2.csv": seriesCSV(7, 50)},
			[]float32{0, 50, 53}, nil},
		{"each file's tail", "time = \"when\"\nvalidation = 0.5\ncolumns = { g = \"ignore\" }", map[string]string{"a.1.csv": seriesCSV(8, 0), "a.2.csv": seriesCSV(8, 50)},
			[]float32{0, 50}, []float32{4, 54}},
		{"groups are apart", "group = \"g\"\nvalidation = 0\ncolumns = { when = \"ignore\" }", map[string]string{"a.csv": seriesCSV(20, 0)},
			[]float32{0, 6, 12, 1, 7, 13}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, err := openCSV(t, c.keys+"\n[[data.transforms]]\nkind = \"windows\"\nlength = 4\nstride = 3", c.files)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Train.Fields()[0].Spec.String(); got != "4x1" {
				t.Errorf("windows are %s", got)
			}
			if got := first(s.Train); !slices.Equal(got, c.train) {
				t.Errorf("train begins at %v, want %v", got, c.train)
			}
			if c.validation != nil {
				if got := first(s.Validation); !slices.Equal(got, c.validation) {
					t.Errorf("validation begins at %v, want %v", got, c.validation)
				}
			}
		})
	}
}

// TestWindowsFit standardizes by training rows only, labels windows by NAB's times, and undoes the first.
func TestWindowsFit(t *testing.T) {
	json := `{"x/a.csv": [], "a.csv": [["2020-01-01 00:00:03.000000", "2020-01-01 00:00:05"]]}`
	s, _, err := openCSV(t, "time = \"when\"\nvalidation = 10\nlabel_windows = 'FOLDER/w.json'\ncolumns = { g = \"ignore\" }\ntransforms = [{ kind = \"standardize\" }, { kind = \"windows\", length = 2, stride = 2 }]",
		map[string]string{"a.csv": seriesCSV(20, 0), "w.json": json})
	if err != nil {
		t.Fatal(err)
	}
	std := math.Sqrt(8.25) // of 0 to 9
	if got := readAll(t, s.Validation); math.Abs(float64(got[0])-(10-4.5)/std) > 1e-5 {
		t.Errorf("validation begins with %v", got[0])
	}
	labels, err := readLabels(s.Train, []int{0, 1, 2, 3, 4})
	if err != nil || !slices.Equal(labels, []int32{0, 1, 1, 0, 0}) {
		t.Errorf("got labels %v, %v", labels, err)
	}
	if got := ExampleName(s.Train, 1); got != "2020-01-01 00:00:02" {
		t.Errorf("window 1 is called %s", got)
	}
	x := NewBatch(s.Train.Fields(), 5, nil)
	if err := ReadRange(s.Train, 0, 5, x); err != nil {
		t.Fatal(err)
	}
	if err := s.Pipeline.Invert(x[0], x[0]); err != nil || !near(x[0].Float32s(), []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("in data units: got %v, %v", x[0].Float32s(), err)
	}
	var names []string
	for _, v := range s.Pipeline.State() {
		names = append(names, v.Name)
	}
	if want := []string{"transforms.0.mean", "transforms.0.std", "source.facts"}; !slices.Equal(names, want) {
		t.Errorf("the checkpoint holds %v, want %v", names, want)
	}
}

func TestGroups(t *testing.T) {
	s, _, err := openCSV(t, "group = \"g\"\nvalidation = 0.5\ncolumns = { when = \"ignore\" }", map[string]string{"a.csv": seriesCSV(20, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if s.Train.Len() != 10 || s.Validation.Len() != 10 {
		t.Fatalf("got %d and %d rows", s.Train.Len(), s.Validation.Len())
	}
	of := grouped(base(s.Validation))
	for i := range 10 {
		if at := s.Validation.(*transformed).Source.(*subset).at[i]; of(at) != of(s.Validation.(*transformed).Source.(*subset).at[0]) {
			t.Errorf("row %d is of another group", at)
		}
	}
}

func TestLabelWindows(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"pairs", `[["2020-01-01", "2020-01-02"]]`, ""},
		{"lines", "start,end\n1,2\n", ""},
		{"no end", `[["1"]]`, "a start and an end"},
		{"no time", `[["one", "2"]]`, `"one" is not a time`},
		{"empty", " ", "it is empty"},
		{"broken", `{"a": 1}`, "want {"},
	} {
		if _, err := parseLabelWindows([]byte(c.text)); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(payments), "is_fraud")
	f.Add([]byte("a;b\n1;x\n;y\n"), "")
	f.Add([]byte("\"a\",b\n\"1\n2\",3\n"), "b")
	f.Fuzz(func(t *testing.T, text []byte, label string) {
		o := &CSV{Header: true, tableFiles: newTableFiles()}
		c := newCells(&o.tableKeys, label, nil)
		if err := o.read(context.Background(), bytes.NewReader(text), "a.csv", c, Env{Progress: func(Progress) {}}); err != nil {
			return
		}
		table, err := c.table(&o.opened)
		if err != nil {
			return
		}
		for i, v := range table.values {
			if len(v) != table.rows {
				t.Fatalf("column %d has %d of %d rows", i, len(v), table.rows)
			}
		}
		p, err := newPipeline(nil, table, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.fit(context.Background(), table, func(Progress) {}); err == nil {
			readAll(t, p.transform(table))
		}
	})
}

func FuzzLabelWindows(f *testing.F) {
	f.Add([]byte(`{"a": [["1", "2020-01-01"]]}`))
	f.Add([]byte("start,end\n1,2\n"))
	f.Fuzz(func(_ *testing.T, b []byte) { parseLabelWindows(b) })
}

// TestRealNAB is shared/examples/04-lstm-anomaly.toml's data.
func TestRealNAB(t *testing.T) {
	dir := realData(t, "nab")
	c, err := readConfig(t, strings.ReplaceAll(`[data]
source = "csv"
file = "DIR/data/artificialNoAnomaly/art_daily_small_noise.csv"
test = "DIR/data/artificialWithAnomaly/art_daily_jumpsup.csv"
time = "timestamp"
label_windows = "DIR/labels/combined_windows.json"
batch = 64
validation = 0.1
transforms = [{ kind = "standardize" }, { kind = "windows", length = 288, stride = 12 }]`, "DIR", dir))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// 4,032 rows: 3,629 train, 403 validate.
	if s.Train.Len() != (3629-288)/12+1 || s.Validation.Len() != (403-288)/12+1 || s.Test.Len() != (4032-288)/12+1 {
		t.Errorf("got %d, %d, %d windows", s.Train.Len(), s.Validation.Len(), s.Test.Len())
	}
	if f := s.Train.Fields()[0].Spec; !f.Equal(graph.F32(288, 1)) {
		t.Errorf("windows are %v", f)
	}
	train, err := Measure(context.Background(), s.Train, "x", 0)
	if err != nil || train.Labels[0] != s.Train.Len() {
		t.Errorf("train: %+v, %v", train, err)
	}
	test, err := Measure(context.Background(), s.Test, "x", 0)
	if err != nil || test.Labels[1] < 40 || test.Labels[1] > 80 {
		t.Errorf("test: %+v, %v", test, err)
	}
}
