package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"aetrain/graph"
)

// wavBytes is a file of one channel.
func wavBytes(format, bits int, data any) []byte {
	var body, b bytes.Buffer
	binary.Write(&body, little, data)
	b.WriteString("RIFF\x00\x00\x00\x00WAVELIST\x03\x00\x00\x00abc\x00fmt \x10\x00\x00\x00")
	binary.Write(&b, little, []uint16{uint16(format), 1})
	binary.Write(&b, little, []uint32{8000, uint32(8000 * bits / 8)})
	binary.Write(&b, little, []uint16{uint16(bits / 8), uint16(bits)})
	b.WriteString("data")
	binary.Write(&b, little, uint32(body.Len()))
	b.Write(body.Bytes())
	return b.Bytes()
}

func TestWAVFormats(t *testing.T) {
	for _, c := range []struct {
		name         string
		format, bits int
		data         any
		want         []float32
	}{
		{"8 bits", 1, 8, []uint8{0, 128, 192}, []float32{-1, 0, 0.5}},
		{"16 bits", 1, 16, []int16{-32768, 0, 16384}, []float32{-1, 0, 0.5}},
		{"24 bits", 1, 24, []uint8{0, 0, 0x80, 0, 0, 0x40}, []float32{-1, 0.5}},
		{"32 bits", 1, 32, []int32{math.MinInt32, 1 << 30}, []float32{-1, 0.5}},
		{"floats", 3, 32, []float32{-1, 0.5}, []float32{-1, 0.5}},
		{"doubles", 3, 64, []float64{-1, 0.5}, []float32{-1, 0.5}},
	} {
		w, err := parseWAV(wavBytes(c.format, c.bits, c.data))
		if err != nil || !slices.Equal(w.samples, c.want) || w.rate != 8000 {
			t.Errorf("%s: got %+v, %v, want %v", c.name, w, err, c.want)
		}
	}
	for want, b := range map[string][]byte{
		"not a WAV file": []byte("hello"), "format 7 with 8 bits": wavBytes(7, 8, []uint8{1}), "it has no sound": wavBytes(1, 8, []uint8{1})[:30],
	} {
		if _, err := parseWAV(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestWAVFolder(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{"7_b.wav": wavBytes(3, 32, []float32{1, 2, 3}), "3_a.wav": wavBytes(3, 32, []float32{5}), "notes.txt": nil})
	for _, c := range []struct {
		keys   string
		x      []float32
		labels []int32
		err    string
	}{
		{`label = "^([0-9])_"`, []float32{5, 0, 0, 1, 2, 3}, []int32{0, 1}, ""},
		{"length = 2", []float32{5, 0, 1, 2}, nil, ""},
		{`label = "["`, nil, nil, "data.label: "},
		{`label = "(x)"`, nil, nil, "finds nothing in 3_a.wav"},
	} {
		cfg, err := readConfig(t, "[data]\nsource = \"wav\"\nvalidation = 0\ndir = '"+dir+"'\n"+c.keys)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), cfg, OpenOptions{})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %v, want %q", c.keys, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got := readAll(t, s.Train); !slices.Equal(got, c.x) {
			t.Errorf("%s: got %v, want %v", c.keys, got, c.x)
		}
		if c.labels == nil {
			continue
		}
		if labels, err := readLabels(s.Train, []int{0, 1}); err != nil || !slices.Equal(labels, c.labels) || !slices.Equal(s.LabelNames(), []string{"3", "7"}) {
			t.Errorf("got labels %v of %v, %v", labels, s.LabelNames(), err)
		}
	}
}

// TestSpectrogram finds a sine in its bin, and its amplitude.
func TestSpectrogram(t *testing.T) {
	x := make([]float32, 256)
	for i := range x {
		x[i] = float32(math.Sin(2 * math.Pi * 8 * float64(i) / 64)) // 8 periods a piece
	}
	src := newVectors(graph.Shape{256, 1}, x)
	p := pipelineOver(t, src, &Spectrogram{Size: 64, Hop: 64})
	got := readAll(t, p.transform(src))
	if shape := p.Fields()[0].Spec.String(); shape != "4x33" || math.Abs(float64(got[33+8]-0.5)) > 1e-6 || got[33+20] > 1e-6 {
		t.Errorf("got %s, bin 8: %v, bin 20: %v", shape, got[33+8], got[33+20])
	}
	p = pipelineOver(t, src, &Spectrogram{Size: 64}, &DB{Floor: -60})
	got = readAll(t, p.transform(src))
	if math.Abs(float64(got[8])+6.02) > 0.01 || got[20] != -60 {
		t.Errorf("in decibels: bin 8: %v, bin 20: %v", got[8], got[20])
	}
	for _, c := range []struct {
		shape graph.Shape
		want  string
	}{{graph.Shape{64}, "wants series of one channel"}, {graph.Shape{10, 1}, "takes pieces of 64 samples, the examples have 10"}} {
		if _, err := (&Spectrogram{Size: 64}).Bind(graph.F32(c.shape...)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func TestUCR(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{"README.md": nil, "A_TRAIN.tsv": []byte("1\t0.5\t1\n2\t2\t3e0\n"), "A_TEST.txt": []byte("  1.0000000e+00  4  5\r\n")})
	p, err := (&UCR{Dir: dir}).Open(context.Background(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, p.Train); !slices.Equal(got, []float32{0.5, 1, 2, 3}) || p.Train.Fields()[0].Spec.String() != "2x1" || p.Test.Len() != 1 {
		t.Errorf("got %v", got)
	}
	for want, text := range map[string]string{"all are to be of one length": "1 2 3\n1 2\n", "is no class": "a,1,2\n", `"x" is not a number`: "1 x\n", "it is empty": "\n"} {
		dir := writeFiles(t, map[string][]byte{"a.txt": []byte(text)})
		if _, err := (&UCR{File: Paths{dir + "/a.txt"}}).Open(context.Background(), Env{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func FuzzWAV(f *testing.F) {
	f.Add(wavBytes(1, 16, []int16{1, 2, 3}))
	f.Add(wavBytes(1, 24, []uint8{1, 2, 3}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := parseWAV(b); err == nil && len(w.samples)%w.channels != 0 {
			t.Fatalf("%d samples of %d channels", len(w.samples), w.channels)
		}
	})
}

func FuzzUCR(f *testing.F) {
	f.Add([]byte("1 2 3\n2,3,4\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &labelledSeries{}
		if err := s.read(bytes.NewReader(b)); err == nil && len(s.values) != len(s.labels)*s.length {
			t.Fatalf("%d values of %d series of %d", len(s.values), len(s.labels), s.length)
		}
	})
}

func TestRealECG(t *testing.T) {
	dir := realData(t, "ecg5000")
	cfg, err := readConfig(t, "[data]\nsource = \"ucr\"\ndir = '"+dir+"'\nnormal = [1]\ntrain_on = \"normal\"\ntransforms = [{ kind = \"standardize\", axis = \"channel\" }]")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), cfg, OpenOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := Measure(context.Background(), s.Train, "x", 0)
	if err != nil || st.Spec.String() != "140x1" || s.Train.Len()+s.Validation.Len() != 292 || s.Test.Len() != 1500 || math.Abs(st.Std-1) > 1e-3 {
		t.Errorf("got %+v, %d, %v", st, s.Test.Len(), err)
	}
}

func TestRealFSDD(t *testing.T) {
	dir := realData(t, "fsdd")
	cfg, err := readConfig(t, "[data]\nsource = \"wav\"\ndir = '"+dir+"'\nlabel = \"^([0-9])_\"\nlength = 8192\ntransforms = [{ kind = \"spectrogram\", size = 256, hop = 128 }, { kind = \"db\" }]")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), cfg, OpenOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := Measure(context.Background(), s.Train, "x", 0)
	if err != nil || st.Spec.String() != "63x129" || s.Train.Len() != 540 || len(st.Labels) != 10 || st.Min != -80 || st.Max > 0 {
		t.Errorf("got %+v, %d, %v", st, s.Train.Len(), err)
	}
}
