package ssim

import (
	"math"
	"testing"
)

// In Python: w = [math.exp(-(i-5)**2 / (2*1.5**2)) for i in range(11)]; [x / sum(w) for x in w].
func TestWindow(t *testing.T) {
	want := [Size]float64{0.00102838, 0.00759876, 0.03600077, 0.10936069, 0.21300554, 0.26601172, 0.21300554, 0.10936069, 0.03600077, 0.00759876, 0.00102838}
	for i, got := range Window() {
		if math.Abs(got-want[i]) > 5e-9 {
			t.Errorf("weight %d is %v, want %v", i, got, want[i])
		}
	}
}
