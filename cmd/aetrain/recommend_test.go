package main

import (
	"fmt"
	"strings"
	"testing"
)

// tastes are ratings of users of two kinds, each with most of ten films of its own.
func tastes() string {
	var b strings.Builder
	b.WriteString("who,film,stars\n")
	for u := range 80 {
		for k := range 10 {
			if (u*7+k*5)%11 > 2 {
				fmt.Fprintf(&b, "u%02d,%s%d,5\n", u, []string{"drama", "action"}[u%2], k)
			}
		}
		fmt.Fprintf(&b, "u%02d,%s0,1\n", u, []string{"action", "drama"}[u%2])
	}
	return b.String()
}

const tastesConfig = `
[data]
source = "ratings"
file = "films.csv"
user = "who"
item = "film"
value = "stars"
min_value = 3
validation = 10
test = 20
batch = 10
[model]
preset = "mult-dae"
latent_dim = 4
encoder = [{ layer = "dense", units = 16, activation = "tanh" }]
[optimizer]
learning_rate = 1e-2
[train]
epochs = 30
threads = 1
sample_every = 0
monitor = "ndcg@100"
`

// Hidden films are found, of the user's kind, better than by what all like; users of a file are known by name.
func TestRecommendCommand(t *testing.T) {
	l := newLab(t)
	l.write("films.csv", tastes())
	l.write("films.toml", tastesConfig)
	l.must("train", "films.toml", "-out", "run", "-quiet")
	var r recommendResult
	l.json(&r, "recommend", "run", "-n", "2")
	own, popular, linear := float64(r.Metrics["recall@20"]), float64(r.Baselines["popularity"]["ndcg@100"]), float64(r.Baselines["ease"]["ndcg@100"])
	if ndcg := float64(r.Metrics["ndcg@100"]); r.Split != "test" || r.Examples != 20 || own != 1 || ndcg < popular+0.1 || linear < popular+0.1 {
		t.Errorf("the result is %+v %+v", r.Metrics, r.Baselines)
	}
	if items := r.Rows[0]["items"].([]any); len(r.Rows) != 20 || len(items) != 2 || items[0].(map[string]any)["item"] == "" {
		t.Errorf("rows begin with %v", r.Rows[0])
	}
	l.write("new.csv", "who,film,stars\nme,drama1,5\nme,drama2,4\nme,action3,1\nme,unheard,5\nyou,action4,5\n")
	l.must("recommend", "run", "-in", "new.csv", "-out", "new.csv.jsonl", "-n", "3")
	lines := strings.Split(strings.TrimSpace(l.read("new.csv.jsonl")), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"example":"me"`) || strings.Count(lines[0], `"drama`) != 3 || strings.Contains(lines[0], `"drama1"`) || strings.Count(lines[1], `"action`) != 3 {
		t.Errorf("of a file:\n%s", strings.Join(lines, "\n"))
	}
	r = recommendResult{}
	l.json(&r, "recommend", "run", "-in", "new.csv", "-out", "new.out.csv", "-n", "3")
	if got := l.read("new.out.csv"); r.Metrics != nil || len(r.Baselines) > 0 || !strings.HasPrefix(got, "example,item1,score1,item2,score2,item3,score3\nme,drama") {
		t.Errorf("of a file: %+v\n%s", r, got)
	}
	l.write("tiny.toml", tiny)
	l.must("train", "tiny.toml", "-out", "other", "-quiet", "-set", "train.epochs=1")
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"recommend run -n 0":       {2, "it is 1 or more"},
		"recommend run -out x.png": {2, "recommendations are written as .csv, .jsonl, .parquet"},
		"recommend other":          {1, `train on data.source = "ratings"`},
	} {
		if o := l.run(strings.Fields(args)...); o.code != want.code || !strings.Contains(o.stderr, want.text) {
			t.Errorf("aetrain %s: exit code %d, %s", args, o.code, o.stderr)
		}
	}
}
