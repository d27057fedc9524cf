package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"aetrain/internal/cachedir"
)

// TestDigitsArtist draws a few digits and holds them to what makes them look like MNIST.
func TestDigitsArtist(t *testing.T) {
	a, err := newDigitArtist()
	if err != nil {
		t.Fatal(err)
	}
	const n = 2000
	pixels, labels := a.drawDigits(context.Background(), digitsSeed, 0, n, func(int) {})
	t.Run("mean and spread are MNIST's", func(t *testing.T) {
		var m moments
		for _, v := range pixels {
			m.add(float64(v) / 255)
		}
		if mean, std := m.meanStd(); math.Abs(mean-0.1307) > 0.01 || math.Abs(std-0.3081) > 0.02 {
			t.Errorf("got mean %.4f, deviation %.4f, want about 0.1307, 0.3081", mean, std)
		}
	})
	t.Run("every digit is there about as often", func(t *testing.T) {
		var count [10]int
		for _, l := range labels {
			count[l]++
		}
		if slices.Min(count[:]) < n/20 {
			t.Errorf("got %v", count)
		}
	})
	t.Run("the same whatever is drawn with it", func(t *testing.T) {
		var one [digitPixels]uint8
		if label := a.draw(one[:], digitsSeed, 1234); label != int32(labels[1234]) || !slices.Equal(one[:], pixels[1234*digitPixels:1235*digitPixels]) {
			t.Error("example 1234 drawn alone differs")
		}
	})
	t.Run("another seed draws others", func(t *testing.T) {
		var one [digitPixels]uint8
		a.draw(one[:], digitsSeed+1, 0)
		if slices.Equal(one[:], pixels[:digitPixels]) {
			t.Error("example 0 is the same")
		}
	})
}

// TestDigits draws the whole set, twice read: drawn, and from the cache; then it damages the cache.
func TestDigits(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 70,000 images")
	}
	cache := t.TempDir()
	t.Setenv(cachedir.Variable, cache)
	drawn := 0
	open := func() *Parts {
		t.Helper()
		p, err := (&Digits{}).Open(context.Background(), Env{Progress: func(Progress) { drawn++ }})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := open()
	if first.Train.Len() != digitsTrain || first.Test.Len() != digitsTest {
		t.Fatalf("got %d and %d examples", first.Train.Len(), first.Test.Len())
	}
	files, _ := filepath.Glob(filepath.Join(cache, "data", "*", "*"))
	if len(files) != 4 {
		t.Fatalf("the cache has %v, want four files", files)
	}
	for _, f := range digitsFiles {
		file, err := os.ReadFile(filepath.Join(filepath.Dir(files[0]), f.name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != f.sha256 {
			t.Errorf("%s has SHA-256 %x, want %s: what is drawn has changed", f.name, sum, f.sha256)
		}
	}
	drawn = 0
	second := open()
	if drawn > 0 {
		t.Error("the cached set was drawn again")
	}
	if !slices.Equal(first.Train.(*images).pixels, second.Train.(*images).pixels) || !slices.Equal(first.Test.(*images).labels, second.Test.(*images).labels) {
		t.Error("the cached set differs from the drawn one")
	}
	if err := os.Truncate(files[1], 100); err != nil {
		t.Fatal(err)
	}
	if cachedDigits(filepath.Dir(files[0])) != nil {
		t.Error("a damaged cache was taken")
	}
}

// TestDigitsUnwritable opens the set where nothing can be kept.
func TestDigitsUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	keepDigits(filepath.Join(file, "folder"), [4]*idxArray{}) // must not fail
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	t.Setenv(cachedir.Variable, file)
	if _, err := (&Digits{}).Open(ctx, Env{Progress: func(Progress) {}}); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func BenchmarkDigits(b *testing.B) {
	a, err := newDigitArtist()
	if err != nil {
		b.Fatal(err)
	}
	var one [digitPixels]uint8
	b.ResetTimer()
	for i := range b.N {
		a.draw(one[:], digitsSeed, i)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
