package main

import (
	"encoding/csv"
	"fmt"
	"image/png"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// payments is a table of numbers with holes, categories and a postcode; every 40th row is a fraud, whose amount is twenty times as large.
func payments(rows int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("payment_id,postcode,amount,age,country,is_fraud\n")
	for i := range rows {
		k, fraud := rng.IntN(3), 0
		amount, age := 20+10*float64(k)+rng.NormFloat64(), strconv.Itoa(30+10*k+rng.IntN(3))
		if i%40 == 39 {
			amount, fraud = 20*amount, 1
		}
		if rng.IntN(10) == 0 {
			age = ""
		}
		fmt.Fprintf(&b, "p%d,%d,%.2f,%s,%s,%d\n", i, 10115+1000*k, amount, age, []string{"DE", "FR", "NL"}[k], fraud)
	}
	return b.String()
}

const paymentsConfig = `
[data]
source = "csv"
file = "payments.csv"
label = "is_fraud"
normal = [0]
train_on = "normal"
batch = 64
test = 0.25
columns = { payment_id = "ignore", postcode = "categorical" }
transforms = [
  { kind = "log1p", columns = ["amount"] },
  { kind = "impute", indicator = true },
  { kind = "standardize" },
  { kind = "one-hot", min_count = 5 },
]
[model]
latent_dim = 4
encoder = [{ layer = "dense", units = 16, activation = "tanh" }]
[model.reconstruction]
kind = "mixed"
[optimizer]
learning_rate = 1e-2
[train]
epochs = 25
threads = 2
sample_every = 0
[anomaly]
threshold = { kind = "contamination", value = 0.02 }
`

// A table comes back under its columns' names, categories as words; frauds are found by their amounts.
func TestTable(t *testing.T) {
	l := newLab(t)
	l.write("payments.csv", payments(800))
	l.write("payments.toml", paymentsConfig)
	l.must("train", "payments.toml", "-out", "run", "-quiet")

	l.must("reconstruct", "run", "-out", "back.csv", "-split", "validation")
	back, err := csv.NewReader(strings.NewReader(l.read("back.csv"))).ReadAll()
	if err != nil || strings.Join(back[0], ",") != "example,postcode,amount,age,country" {
		t.Fatalf("reconstructions begin with %v, %v", back[0], err)
	}
	given, _ := csv.NewReader(strings.NewReader(l.read("payments.csv"))).ReadAll()
	for _, row := range back[1:] {
		n, _ := strconv.Atoi(row[0])
		want := given[n+1]
		amount, _ := strconv.ParseFloat(row[2], 64)
		wanted, _ := strconv.ParseFloat(want[2], 64)
		if row[1] != want[1] || row[4] != want[4] || amount < 0.7*wanted || amount > 1.4*wanted {
			t.Errorf("row %d is %v, want about %v", n, row, want)
		}
	}

	var r anomalyResult
	l.json(&r, "anomaly", "run", "-out", "scores.csv")
	if r.Split != "test" || r.Score != "reconstruction" || r.FittedOn != "validation" || r.Examples != 200 || float64(r.Metrics["roc_auc"]) < 0.99 || float64(r.Metrics["recall"]) < 0.9 {
		t.Errorf("the result is %+v", r)
	}
	scores, err := csv.NewReader(strings.NewReader(l.read("scores.csv"))).ReadAll()
	if err != nil || strings.Join(scores[0], ",") != "example,score,anomaly,label,features" || len(scores) != 201 {
		t.Fatalf("scores begin with %v, %d rows, %v", scores[0], len(scores), err)
	}
	flagged := 0
	for _, row := range scores[1:] {
		flagged += len(row[2]) - len(strings.TrimPrefix(row[2], "1"))
		if row[3] == "1" && !strings.HasPrefix(row[4], "amount ") {
			t.Errorf("a fraud: %v", row)
		}
	}
	if flagged != r.Flagged {
		t.Errorf("%d rows are flagged, the result says %d", flagged, r.Flagged)
	}
	l.json(&r, "anomaly", "run", "-in", "payments.csv", "-threshold", "fixed:1e9", "-score", "latent", "-out", "all.jsonl")
	if r.Examples != 800 || r.Flagged != 0 || r.Score != "latent" || r.In != "payments.csv" || strings.Count(l.read("all.jsonl"), "\n") != 800 {
		t.Errorf("of a file: %+v", r)
	}
	l.must("anomaly", "run", "-out", "scores.png")
	if _, err := png.Decode(strings.NewReader(l.read("scores.png"))); err != nil {
		t.Error(err)
	}
	for args, want := range map[string]string{
		"anomaly run -threshold pots:1": "did you mean pot?",
		"anomaly run -score latant":     "it is one of reconstruction, likelihood, latent",
		"anomaly run -out folder":       "scores are written as .csv, .jsonl, .parquet, .npy, .png",
	} {
		if o := l.run(strings.Fields(args)...); o.code != 2 || !strings.Contains(o.stderr, want) {
			t.Errorf("aetrain %s: exit code %d, %s", args, o.code, o.stderr)
		}
	}
}
