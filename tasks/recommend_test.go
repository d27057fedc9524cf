package tasks

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// clicked writes users of two tastes, each with most of six items of its own, and returns the file.
func clicked(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("u,i\n")
	for u := range 60 {
		for k := range 6 {
			if (u*7+k*5)%11 > 1 {
				fmt.Fprintf(&b, "user%02d,%c%d\n", u, "ab"[u%2], k)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "r.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const ratingsConfig = `
[data]
source = "ratings"
file = %q
user = "u"
item = "i"
validation = 0
test = 20
[model]
preset = "mult-dae"
latent_dim = 2
encoder = [{ layer = "dense", units = 4, activation = "tanh" }]
`

// What is recommended is not known already, falls in score, and is what the metrics are of; the linear baseline knows the two tastes.
func TestRecommend(t *testing.T) {
	m, splits, _ := untrained(t, fmt.Sprintf(ratingsConfig, clicked(t)))
	found, err := Recommend(context.Background(), m, splits, splits.Test, RecommendOptions{Items: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Users) != 20 || !strings.HasPrefix(found.Users[0].User, "user") {
		t.Fatalf("%d users, the first %+v", len(found.Users), found.Users[0])
	}
	u, err := readUsers(splits.Test, 0, 20)
	if err != nil {
		t.Fatal(err)
	}
	names := itemNames(splits.Test, nil)
	for i, user := range found.Users {
		for k, item := range user.Items {
			if u.known(i)[slices.Index(names, item.Name)] != 0 {
				t.Errorf("%s has %s already", user.User, item.Name)
			}
			if k > 0 && item.Score > user.Items[k-1].Score {
				t.Errorf("%s: scores rise: %+v", user.User, user.Items)
			}
		}
		if len(user.Items) != 3 {
			t.Errorf("%s has %d items", user.User, len(user.Items))
		}
	}
	for _, name := range rankings {
		if own := found.Metrics[name]; !(own > 0 && own <= 1) || found.Baselines["popularity"][name] <= 0 || found.Baselines["ease"][name] <= 0 {
			t.Errorf("%s: %v, %v", name, own, found.Baselines)
		}
	}
	if e, p := found.Baselines["ease"]["ndcg@100"], found.Baselines["popularity"]["ndcg@100"]; e < p+0.1 {
		t.Errorf("the linear model has ndcg %v, popularity %v", e, p)
	}
	if found, err = Recommend(context.Background(), m, splits, splits.Train, RecommendOptions{}); err != nil || found.Metrics != nil || found.Baselines != nil || len(found.Users[0].Items) > 10 {
		t.Errorf("of training, where nothing is hidden: %+v, %v", found.Metrics, err)
	}
}

// A run on something else than ratings is told so.
func TestRecommendWantsItems(t *testing.T) {
	m, splits, _ := untrained(t, "[data]\nsource = \"random\"\nshape = [5]\nexamples = 20\n[model]\nlatent_dim = 2\nencoder = []\n")
	if _, err := Recommend(context.Background(), m, splits, splits.Train, RecommendOptions{}); err == nil || !strings.Contains(err.Error(), `train on data.source = "ratings"`) {
		t.Errorf("got %v", err)
	}
}

// Behind a transform that moves 0 nobody sees what a user has.
func TestRecommendWantsZeros(t *testing.T) {
	text := fmt.Sprintf(ratingsConfig, clicked(t))
	for transforms, want := range map[string]string{
		`[{ kind = "log1p" }]`: "", `[{ kind = "log1p" }, { kind = "standardize" }]`: "data.transforms[1] (standardize) makes something else of the 0",
	} {
		m, splits, _ := untrained(t, strings.Replace(text, "[model]", "transforms = "+transforms+"\n[model]", 1))
		if _, err := Recommend(context.Background(), m, splits, splits.Test, RecommendOptions{}); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", transforms, err)
		}
	}
}

// The two forms of EASE are one model, and that of the definition: B = I - P/diag(P).
func TestEASE(t *testing.T) {
	c := &clickLists{items: 4, of: [][]int32{{0, 1}, {1, 2, 3}, {0, 3}, {1, 3}, {0, 1, 2}}, value: [][]float32{{1, 2}, {1, 1, 3}, {1, 1}, {2, 1}, {1, 1, 1}}}
	x := mat.NewDense(5, 4, nil)
	for u, of := range c.of {
		for a, i := range of {
			x.Set(u, int(i), float64(c.value[u][a]))
		}
	}
	const lambda = 2.5
	var p mat.Dense
	p.Mul(x.T(), x)
	for j := range 4 {
		p.Set(j, j, p.At(j, j)+lambda)
	}
	if err := p.Inverse(&p); err != nil {
		t.Fatal(err)
	}
	for _, byUser := range []bool{false, true} {
		e, err := easeBy(c, lambda, byUser)
		if err != nil {
			t.Fatal(err)
		}
		known, got := []float32{0, 1, 0, 2}, make([]float32, 4)
		e.scores(known, got)
		for _, j := range []int{0, 2} { // unknown ones
			want := 0.0
			for i, v := range known {
				want -= float64(v) * p.At(i, j) / p.At(j, j)
			}
			if math.Abs(float64(got[j])-want) > 1e-6 {
				t.Errorf("by user %v: item %d scores %v, want %v", byUser, j, got[j], want)
			}
		}
	}
}
