package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// wave is a decoded WAV file: samples of all channels in turn, in [-1,1].
type wave struct {
	rate, channels int
	samples        []float32
}

// Formats of samples. Source: Microsoft, "Multiple Channel Audio Data and WAVE Files" and RFC 2361.
const (
	wavePCM        = 1
	waveFloat      = 3
	waveExtensible = 0xfffe
)

// parseWAV reads whole numbers of 8, 16, 24 and 32 bits, and floats of 32 and 64.
func parseWAV(b []byte) (*wave, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, errors.New("not a WAV file")
	}
	w, format, bits := &wave{}, 0, 0
	for at := 12; at+8 <= len(b); {
		kind, size := string(b[at:at+4]), int(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		body = body[:min(size, len(body))] // streams say more than there is
		switch kind {
		case "fmt ":
			if len(body) < 16 {
				return nil, errors.New("damaged: a format of a few bytes")
			}
			format, w.channels = int(binary.LittleEndian.Uint16(body)), int(binary.LittleEndian.Uint16(body[2:]))
			w.rate, bits = int(binary.LittleEndian.Uint32(body[4:])), int(binary.LittleEndian.Uint16(body[14:]))
			if format == waveExtensible && len(body) >= 26 {
				format = int(binary.LittleEndian.Uint16(body[24:]))
			}
		case "data":
			if w.channels == 0 || w.rate == 0 {
				return nil, errors.New("damaged: sound before its format")
			}
			return w, w.decode(body, format, bits)
		}
		at += 8 + (size+1)/2*2 // chunks are padded to an even size
	}
	return nil, errors.New("truncated: it has no sound")
}

// decode reads samples; a last one that is cut is left out.
func (w *wave) decode(b []byte, format, bits int) error {
	var read func([]byte) float32
	switch {
	case format == wavePCM && bits == 8:
		read = func(b []byte) float32 { return (float32(b[0]) - 128) / 128 }
	case format == wavePCM && bits == 16:
		read = func(b []byte) float32 { return float32(int16(binary.LittleEndian.Uint16(b))) / (1 << 15) }
	case format == wavePCM && bits == 24:
		read = func(b []byte) float32 { return float32(int32(b[0])<<8|int32(b[1])<<16|int32(b[2])<<24) / (1 << 31) }
	case format == wavePCM && bits == 32:
		read = func(b []byte) float32 { return float32(int32(binary.LittleEndian.Uint32(b))) / (1 << 31) }
	case format == waveFloat && bits == 32:
		read = func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
	case format == waveFloat && bits == 64:
		read = func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }
	default:
		return fmt.Errorf("samples of format %d with %d bits are not known: save it as PCM with 16 bits", format, bits)
	}
	each := bits / 8
	n := len(b) / each / w.channels * w.channels
	w.samples = make([]float32, n)
	for i := range w.samples {
		w.samples[i] = read(b[i*each:])
	}
	return nil
}
