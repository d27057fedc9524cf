package metrics

import "testing"

func TestDirectionOf(t *testing.T) {
	for name, want := range map[string]Direction{
		"loss": Falling, "reconstruction": Falling, "nll": Falling, "fid": Falling, "mse": Falling, "mae": Falling,
		"accuracy": Rising, "psnr": Rising, "ndcg@100": Rising, "explained-variance": Rising, "explained_variance": Rising,
		"kl": None, "active": None, "perplexity": None, "learning_rate": None, "examples_per_second": None, "": None,
	} {
		if got := DirectionOf(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}
