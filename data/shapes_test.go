package data

import (
	"context"
	"hash/crc32"
	"math"
	"testing"
)

func TestShapes(t *testing.T) {
	p, err := (&Shapes{}).Open(context.Background(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	s := p.Train
	if s.Len() != 51840 {
		t.Errorf("got %d examples, want 51840", s.Len())
	}
	dst := NewBatch(s.Fields(), 1, nil)
	x, label, factors := dst[0].Float32s(), dst[1].Int32s(), dst[2].Float32s()
	sum := crc32.NewIEEE()
	for i := 0; i < s.Len(); i += 97 {
		if err := s.Read(dst, []int{i}); err != nil {
			t.Fatal(err)
		}
		var mass, mx, my float64
		for at, v := range x {
			if v < 0 || v > 1 {
				t.Fatalf("example %d: pixel %d is %v", i, at, v)
			}
			mass += float64(v)
			mx += float64(v) * float64(at%shapeSide)
			my += float64(v) * float64(at/shapeSide)
			sum.Write([]byte{byte(v * 255)})
		}
		if int32(factors[0]) != label[0] || label[0] != int32(i/(shapeCount/3)) {
			t.Fatalf("example %d: label %d, shape %v", i, label[0], factors[0])
		}
		// The middle goes where x and y say, from 15 to 48 pixels.
		if dx := mx/mass - (15 + 33*float64(factors[3])); math.Abs(dx) > 0.5 {
			t.Errorf("example %d: x is %v, its middle is off by %v", i, factors[3], dx)
		}
		if dy := my/mass - (15 + 33*float64(factors[4])); math.Abs(dy) > 0.5 {
			t.Errorf("example %d: y is %v, its middle is off by %v", i, factors[4], dy)
		}
		if mass < 60 || mass > 560 {
			t.Errorf("example %d has %v white pixels", i, mass)
		}
	}
	if got, want := sum.Sum32(), uint32(0xccb11f45); got != want {
		t.Errorf("checksum %08x, want %08x: what is drawn has changed", got, want)
	}
}

func TestRandom(t *testing.T) {
	open := func() Source {
		p, err := (&Random{Shape: []int{3, 5}, Examples: 1000}).Open(context.Background(), Env{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Train
	}
	st, err := Measure(context.Background(), open(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if st.Examples != 1000 || st.Spec.String() != "3x5" || math.Abs(st.Mean-0.5) > 0.02 || math.Abs(st.Std-0.2887) > 0.01 {
		t.Errorf("got %+v", st)
	}
	again, _ := Measure(context.Background(), open(), "x", 0)
	if again.Mean != st.Mean {
		t.Error("the noise is not always the same")
	}
	if err := (&Random{Shape: []int{1 << 30, 1 << 30}, Examples: 1 << 30}).Validate(); err == nil {
		t.Error("a giant set is accepted")
	}
}
