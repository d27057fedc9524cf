package tasks

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/configs"
	"aetrain/cpu"
	"aetrain/data"
	"aetrain/infer"
	"aetrain/model"
)

// untrained opens the data of a config and a model for it, with the weights that training starts from.
func untrained(t *testing.T, text string) (*infer.Model, *data.Splits, *data.Config) {
	t.Helper()
	cfg, err := configs.Load(configs.LoadOptions{File: "t.toml", Bytes: []byte(text), Presets: model.Presets(), DefaultPreset: model.DefaultPreset})
	if err != nil {
		t.Fatal(err)
	}
	d, _ := data.Read(cfg)
	c, _ := model.Read(cfg)
	if err := cfg.Err(); err != nil {
		t.Fatal(err)
	}
	splits, err := data.Open(context.Background(), d, data.OpenOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var fields []model.Field
	for _, f := range splits.Fields() {
		fields = append(fields, model.Field(f))
	}
	mod, err := model.New(c, fields)
	if err != nil {
		t.Fatal(err)
	}
	b, err := cpu.Open(cpu.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	m := infer.New(mod, b, b.NewState(), infer.Options{Batch: 32, Seed: 1})
	t.Cleanup(func() { m.Close(); b.Close(); splits.Close() })
	return m, splits, d
}

// payments writes a table of numbers, categories and holes, in which every 50th row is a fraud with a large amount, and returns its path.
func payments(t *testing.T) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	var b strings.Builder
	b.WriteString("id,amount,age,country,is_fraud\n")
	for i := range 500 {
		amount, age, fraud := 20+5*rng.NormFloat64(), fmt.Sprint(20+rng.IntN(40)), 0
		if i%50 == 49 {
			amount, fraud = 300, 1
		}
		if rng.IntN(20) == 0 {
			age = ""
		}
		fmt.Fprintf(&b, "p%d,%.2f,%s,%s,%d\n", i, amount, age, []string{"DE", "FR", "NL"}[rng.IntN(3)], fraud)
	}
	path := filepath.Join(t.TempDir(), "payments.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const tableConfig = `
[data]
source = "csv"
file = %q
label = "is_fraud"
normal = [0]
train_on = "normal"
validation = 0.2
test = 0.4
transforms = [{ kind = "impute", indicator = true }, { kind = "standardize" }, { kind = "one-hot" }]
[data.columns]
id = "ignore"
[model]
latent_dim = 2
encoder = [{ layer = "dense", units = 4, activation = "tanh" }]
[model.reconstruction]
kind = "mixed"
`

// A row far away scores highest and its column is named first, without any training; figures agree with the rows.
func TestAnomalyOfTables(t *testing.T) {
	m, splits, d := untrained(t, fmt.Sprintf(tableConfig, payments(t)))
	found, err := Anomaly(context.Background(), m, splits, splits.Test, AnomalyOptions{Normal: d.Normal,
		Config: &AnomalyConfig{Score: "reconstruction", Threshold: Threshold{Kind: quantile, Value: 1 - 1e-9}}})
	if err != nil {
		t.Fatal(err)
	}
	frauds, flagged := 0, 0
	for _, r := range found.Rows {
		if r.Anomaly {
			flagged++
		}
		if r.Label != 1 {
			continue
		}
		frauds++
		if !r.Anomaly || len(r.Strength) == 0 || r.Strength[0].Name != "amount" || r.Strength[0].Share < 0.9 {
			t.Errorf("row %s: score %v, %+v", r.Name, r.Score, r.Strength)
		}
	}
	if frauds == 0 || flagged != found.Flagged || found.Metrics["roc_auc"] != 1 || found.Metrics["recall"] != 1 || found.FittedOn != "validation" || len(found.Rows) != 200 {
		t.Errorf("%d frauds, %d flagged of %d; %+v", frauds, flagged, len(found.Rows), found.Metrics)
	}
}

// The mean squared Mahalanobis distance of what the covariance was taken of is the number of dimensions.
func TestAnomalyOfCodes(t *testing.T) {
	m, splits, _ := untrained(t, fmt.Sprintf(tableConfig, payments(t)))
	config := &AnomalyConfig{Score: "latent", Threshold: Threshold{Kind: quantile}}
	found, err := Anomaly(context.Background(), m, splits, splits.Train, AnomalyOptions{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for _, r := range found.Rows {
		mean += r.Score / float64(len(found.Rows))
	}
	if math.Abs(mean-2) > 0.02 {
		t.Errorf("the mean distance is %v, want 2", mean)
	}
	if _, err := Anomaly(context.Background(), m, nil, splits.Train, AnomalyOptions{Config: config}); err == nil {
		t.Error("codes are compared without training data")
	}
	config.Score = "likelihood"
	if _, err := Anomaly(context.Background(), m, splits, splits.Train, AnomalyOptions{Config: config}); err == nil || !strings.Contains(err.Error(), "score reconstructions") {
		t.Errorf("likelihood of what is no density: %v", err)
	}
}

// Likelihood scores are the importance-weighted estimates of -log p(x), an example each.
func TestAnomalyByLikelihood(t *testing.T) {
	text := strings.Replace(tableConfig, "latent_dim = 2", "preset = \"vae\"\nlatent_dim = 2", 1) + "numbers = \"gaussian\"\n"
	m, splits, _ := untrained(t, fmt.Sprintf(text, payments(t)))
	found, err := Anomaly(context.Background(), m, splits, splits.Test, AnomalyOptions{Config: &AnomalyConfig{Score: "likelihood", Threshold: Threshold{Kind: fixed, Value: 1e9}}})
	if err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for _, r := range found.Rows {
		mean += r.Score / float64(len(found.Rows))
	}
	want, err := m.NLL(context.Background(), splits.Test, infer.EvaluateOptions{})
	if err != nil || math.Abs(mean-want) > 1e-9*math.Abs(want) || found.Flagged != 0 {
		t.Errorf("the mean score is %v, want %v (%v); %d flagged", mean, want, err, found.Flagged)
	}
}

// A row's score is the mean over the windows that hold it, of its own losses; a spike scores highest; labels come from windows of time.
func TestAnomalyOfWindows(t *testing.T) {
	dir := t.TempDir()
	var quiet, loud strings.Builder
	for i := range 204 {
		v := math.Sin(float64(i) / 5)
		fmt.Fprintf(&quiet, "%d,%.4f\n", i, v)
		if i == 101 {
			v = 9
		}
		fmt.Fprintf(&loud, "%d,%.4f\n", i, v)
	}
	for name, text := range map[string]string{"quiet.csv": "t,v\n" + quiet.String(), "loud.csv": "t,v\n" + loud.String(), "windows.json": `{"quiet.csv": [], "loud.csv": [["100", "103"]]}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, splits, _ := untrained(t, fmt.Sprintf(`
[data]
source = "csv"
file = %q
test = %q
label_windows = %q
time = "t"
validation = 0.2
transforms = [{ kind = "standardize" }, { kind = "windows", length = 12, stride = 5 }]
[model]
latent_dim = 2
encoder = [{ layer = "flatten" }]
`, filepath.Join(dir, "quiet.csv"), filepath.Join(dir, "loud.csv"), filepath.Join(dir, "windows.json")))
	found, err := Anomaly(context.Background(), m, splits, splits.Test, AnomalyOptions{Config: &AnomalyConfig{Score: "reconstruction", Threshold: Threshold{Kind: quantile}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Rows) != 202 || found.Uncovered != 2 { // the last window that fits begins at 190
		t.Fatalf("%d rows, %d uncovered; want 202 and 2", len(found.Rows), found.Uncovered)
	}
	sums, counts := make([]float64, 204), make([]float64, 204)
	err = m.Each(context.Background(), splits.Test, "score", 0, func(b *infer.Rows) error {
		for k, e := range b.Out["errors"].Float32s() {
			row := (b.Row0+k/12)*5 + k%12
			sums[row] += float64(e)
			counts[row]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	best, labelled := 0, 0
	for i, r := range found.Rows {
		if math.Abs(r.Score-sums[i]/counts[i]) > 1e-6*r.Score {
			t.Fatalf("row %d: score %v, want %v", i, r.Score, sums[i]/counts[i])
		}
		if r.Score > found.Rows[best].Score {
			best = i
		}
		if r.Label == 1 {
			labelled++
		}
	}
	if found.Rows[best].Name != "101" || labelled != 4 || !found.Rows[best].Anomaly {
		t.Errorf("the highest score has row %s; %d rows are labelled", found.Rows[best].Name, labelled)
	}
}
