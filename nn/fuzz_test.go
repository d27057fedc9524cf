package nn

import (
	"encoding/binary"
	"testing"

	"aetrain/configs"
	"aetrain/graph"
)

// FuzzStack lets shape rules and mirrors meet any sizes that a configuration can hold: they refuse, or they agree with the graph's
// own rules; they never panic.
func FuzzStack(f *testing.F) {
	f.Add([]byte{0, 3, 0, 0, 0, 1, 0, 0, 0}, uint16(3), uint16(28), uint16(28))
	f.Add([]byte{1, 255, 255, 255, 127, 255, 255, 255, 127, 2, 9, 9, 9}, uint16(1), uint16(1), uint16(1))
	f.Add([]byte{7, 0, 0, 0, 0, 5, 2, 0, 0, 0, 3, 0, 0, 0}, uint16(2), uint16(5), uint16(0))
	f.Fuzz(func(t *testing.T, code []byte, c, h, w uint16) {
		in := graph.Shape{int(c) + 1, int(h) + 1, int(w) + 1}
		number := func(low int) int { // of what a configuration takes: low to 2^31-1
			var b [4]byte
			code = code[copy(b[:], code):]
			return max(low, int(binary.LittleEndian.Uint32(b[:])&0x7fffffff))
		}
		var layers []Layer
		for len(code) > 0 && len(layers) < 6 {
			kind := code[0]
			code = code[1:]
			switch kind % 8 {
			case 0:
				l := NewConv2D(number(1), number(1))
				l.Stride, l.Dilation = configs.Ints{number(1)}, configs.Ints{number(1)}
				l.Padding.Ints = configs.Ints{number(0)}
				layers = append(layers, l)
			case 1:
				l := NewConvTranspose2D(number(1), number(1))
				l.Stride, l.OutputPadding.Ints = configs.Ints{number(1)}, configs.Ints{number(0)}
				if l.Validate() == nil {
					layers = append(layers, l)
				}
			case 2:
				layers = append(layers, NewDense(number(1)))
			case 3:
				layers = append(layers, &MaxPool2D{Pool{Kernel: configs.Ints{number(1)}, Stride: configs.Ints{number(1)}}})
			case 4:
				layers = append(layers, &Upsample2D{Scale: configs.Ints{number(1)}, Mode: "nearest"})
			case 5:
				layers = append(layers, &Reshape{Shape: []int{number(0), -1, number(0)}})
			case 6:
				layers = append(layers, &GroupNorm{Groups: number(0), Eps: normEps})
			default:
				layers = append(layers, &Flatten{})
			}
		}
		st, err := NewStack(layers, in, true)
		if err != nil {
			return
		}
		mirror, err := st.Mirror(MirrorOptions{})
		if err != nil {
			return
		}
		if back, err := NewStack(mirror, st.Out, false); err == nil && back.Out.Size() != in.Size() {
			t.Errorf("%s of %v mirrors to %v", describe(layers), in, back.Out)
		}
	})
}
