package trainer_test

import (
	"context"
	"testing"

	"aetrain/trainer"
)

// Which validation is the best depends on the way in which the monitored figure gets better.
func TestBest(t *testing.T) {
	values := []float64{0.5, 0.2, 0.9, 0.4}
	for monitor, want := range map[string]float64{"loss": 0.2, "kl": 0.2, "nll": 0.2, "accuracy": 0.9, "psnr": 0.9} {
		b := &trainer.BestSoFar{BestOptions: trainer.BestOptions{Monitor: monitor}}
		r := &trainer.Run{}
		for _, v := range values {
			r.Validation = map[string]float64{monitor: v, "other": -v}
			if err := b.On(context.Background(), trainer.Validated, r); err != nil {
				t.Fatal(err)
			}
		}
		if r.Best == nil || r.Best.Value != want || r.Best.Metric != monitor {
			t.Errorf("%s: the best of %v is %+v, want %v", monitor, values, r.Best, want)
		}
	}
}
