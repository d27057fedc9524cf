package tasks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aetrain/backend"
	"aetrain/cpu"
	"aetrain/data"
	"aetrain/infer"
	"aetrain/model"
	"aetrain/trainer"
	"aetrain/trainer/trainertest"
)

// crowd writes points near a curved line in ten dimensions; every tenth lies apart from it.
func crowd(t *testing.T) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for j := range 10 {
		fmt.Fprintf(&b, "x%d,", j)
	}
	b.WriteString("outlier\n")
	for i := range 400 {
		at := 2*rng.Float64() - 1
		out := 0
		if i%10 == 9 {
			out = 1
		}
		for j := range 10 {
			v := at*float64(j%3-1) + 0.5*at*at*float64(j%2) + 0.1*rng.NormFloat64() + 0.4*float64(out)*rng.NormFloat64()
			fmt.Fprintf(&b, "%.4f,", v)
		}
		fmt.Fprintf(&b, "%d\n", out)
	}
	path := filepath.Join(t.TempDir(), "crowd.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const crowdConfig = `
name = "crowd"
seed = 3
[data]
source = "csv"
file = %q
label = "outlier"
validation = 0
batch = 100
[model]
preset = "ensemble"
latent_dim = 2
encoder = [{ layer = "dense", units = [12, 6], activation = "relu" }]
[model.ensemble]
members = 8
[optimizer]
learning_rate = 5e-3
[train]
epochs = 25
sample_every = 0
checkpoint_every = 0
`

// auc is a model's ROC AUC on the training split.
func auc(t *testing.T, m *infer.Model, d *trainertest.Training) float64 {
	t.Helper()
	found, err := Anomaly(context.Background(), m, d.Splits, d.Splits.Train, AnomalyOptions{Normal: data.Labels{"0"},
		Config: &AnomalyConfig{Score: "reconstruction", Threshold: Threshold{Kind: fixed, Value: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	return found.Metrics["roc_auc"]
}

// member is one of an ensemble's models alone, with its trained weights.
func member(t *testing.T, d *trainertest.Training, dev backend.Backend, whole backend.State, k int) *infer.Model {
	t.Helper()
	alone := trainertest.Must(t, fmt.Sprintf(crowdConfig, d.Config.Section("data").Text("file")), "model.ensemble.members=1")
	fn, err := alone.Model.Score(1)
	if err != nil {
		t.Fatal(err)
	}
	st := dev.NewState()
	for _, s := range fn.Graph.States() {
		x := backend.NewHost(s.Spec)
		if err := whole.Read(fmt.Sprintf("member.%d.%s", k, s.Name), x); err != nil {
			t.Fatal(err)
		}
		if err := st.Write(s.Name, s.Kind, x); err != nil {
			t.Fatal(err)
		}
	}
	return infer.New(alone.Model, dev, st, infer.Options{})
}

// Trained together, members find outliers each in their way, and the median of their errors finds them better than one of them does.
func TestEnsembleFindsOutliers(t *testing.T) {
	dev, err := cpu.Open(cpu.Threads(1))
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	d := trainertest.Must(t, fmt.Sprintf(crowdConfig, crowd(t)))
	d.Backend = dev
	r, err := trainer.New(d.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Fit(context.Background()); err != nil {
		t.Fatal(err)
	}
	mean, different := 0.0, map[float64]bool{}
	const members = 8
	for k := range members {
		m := member(t, d, dev, r.State, k)
		a := auc(t, m, d)
		mean, different[a] = mean+a/members, true
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	together := auc(t, r.Model, d)
	t.Logf("ROC AUC: together %.4f, mean of members %.4f, %d different ones", together, mean, len(different))
	if together < mean+0.005 || mean < 0.6 || len(different) < members/2 {
		t.Errorf("ROC AUC of the ensemble is %v, the members' mean %v", together, mean)
	}
	if _, ok := r.Model.Model().Config.Bottleneck.(*model.Deterministic); !ok || r.Model.Model().Code.Size() != 2*members {
		t.Errorf("codes are %v", r.Model.Model().Code)
	}
}
