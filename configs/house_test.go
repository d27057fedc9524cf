package configs

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"aetrain/internal/registry"
)

// A small house of rooms, declared as the real ones are: every type of field is in it.

type source interface{ source() }
type common struct {
	Dir string `toml:"dir,path" doc:"folder of the files"`
}
type digits struct{}
type images struct {
	common
	Channels *int   `toml:"channels" choices:"" min:"1" max:"4" doc:"colour channels; default the first image's" example:"3"`
	OnError  string `toml:"on_error" choices:"stop|skip" doc:"what a file that cannot be read does"`
}
type table struct {
	File    Texts             `toml:"file,path" required:"true" doc:"the table"`
	Columns map[string]string `toml:"columns" choices:"numeric|categorical|ignore" doc:"types of columns"`
	Missing []string          `toml:"missing" doc:"texts that stand for no value" example:"[\"\", \"NA\"]"`
	Header  bool              `toml:"header" doc:"the first row holds names"`
}

func (*digits) source() {}
func (*images) source() {}
func (*table) source()  {}

type transform interface{ transform() }
type resize struct {
	Size Ints   `toml:"size" required:"true" min:"1" doc:"pixels" example:"128"`
	Fit  string `toml:"fit" choices:"crop|pad|stretch" doc:"how sizes are matched"`
}
type scale struct {
	To NumbersOrWord `toml:"to" choices:"unit-norm" doc:"range"`
}

func (*resize) transform() {}
func (*scale) transform()  {}

type dataConfig struct {
	Source     source      `toml:",inline" kind:"digits" doc:"where examples come from"`
	Batch      int         `toml:"batch" min:"1" doc:"examples a step"`
	Validation Amount      `toml:"validation,path" choices:"test" doc:"held out" example:"0.1"`
	Test       Amount      `toml:"test,path" doc:"held out for the end" example:"0.2"`
	Resident   Toggle      `toml:"resident" doc:"keep the set on the device"`
	Normal     []int       `toml:"normal" doc:"labels that are normal" example:"[0]"`
	Transforms []transform `toml:"transforms" doc:"what is done to examples, in order"`
}

type layer interface{ layer() }
type named struct {
	Name string `toml:"name" doc:"name of the layer"`
}
type dense struct {
	named
	Units      Ints    `toml:"units" min:"1" doc:"outputs; a list is one such layer each" example:"[400, 200]"`
	Activation string  `toml:"activation" choices:"linear|relu|leaky_relu" doc:"what follows"`
	Bias       bool    `toml:"bias" doc:"add a bias"`
	Dropout    float64 `toml:"dropout" min:"0" below:"1" doc:"part of outputs set to 0"`
}
type conv struct {
	named
	Filters Ints       `toml:"filters" min:"1" doc:"output channels"`
	Kernel  Ints       `toml:"kernel" min:"1" doc:"size"`
	Padding IntsOrWord `toml:"padding" choices:"same|valid" min:"0" doc:"pixels added around"`
}
type residual struct {
	Layers []layer `toml:"layers" doc:"layers within"`
	Times  int     `toml:"times" min:"1" doc:"repetitions"`
}

func (*dense) layer()    {}
func (*conv) layer()     {}
func (*residual) layer() {}

func (c *conv) Validate() error {
	var errs []error
	if len(c.Kernel) > 2 {
		errs = append(errs, KeyError("kernel", "%d sizes for an image of two", len(c.Kernel)))
	}
	if c.Name == "bad" {
		errs = append(errs, errors.New("a bad layer"))
	}
	return errors.Join(errs...)
}

type bottleneck interface{ bottleneck() }
type deterministic struct{}
type gaussian struct {
	Bound   string `toml:"bound" choices:"elbo|iwae" doc:"how samples are reduced"`
	Samples int    `toml:"samples" min:"1" doc:"draws of z"`
}

func (*deterministic) bottleneck() {}
func (*gaussian) bottleneck()      {}
func (*gaussian) Doc() string      { return "a normal posterior" }

type penalty interface{ penalty() }
type kl struct {
	Beta     Scalar  `toml:"beta" min:"0" doc:"weight"`
	FreeBits float64 `toml:"free_bits" min:"0" doc:"nats a dimension that are free"`
}
type weight struct {
	Kind   string `toml:"kind" doc:"which"`
	Weight Scalar `toml:"weight" doc:"weight"`
}

func (*kl) penalty()     {}
func (*weight) penalty() {}

type adversary struct {
	On        string   `toml:"on" choices:"latent|output" doc:"what it judges"`
	Weight    Scalar   `toml:"weight" doc:"weight"`
	Optimizer *Section `toml:"optimizer" doc:"its own; the rest is [optimizer]'s"`
}

func (a *adversary) SetDefaults() { *a = adversary{On: "latent", Weight: Number(1)} }

type modelConfig struct {
	Preset      string               `toml:"preset" doc:"a known variant"`
	LatentDim   int                  `toml:"latent_dim" min:"0" doc:"size of the code"`
	Tied        bool                 `toml:"tied" doc:"decoder's weights are the encoder's"`
	Encoder     []layer              `toml:"encoder" doc:"layers"`
	Decoder     []layer              `toml:"decoder" doc:"layers; none: the encoder's mirror"`
	Bottleneck  bottleneck           `toml:"bottleneck" kind:"deterministic" doc:"the code"`
	Penalties   map[string]penalty   `toml:"penalties" doc:"what is added to the loss"`
	Adversaries map[string]adversary `toml:"adversaries" doc:"discriminators"`
}

type optimizer interface{ optimizer() }
type rule struct {
	LearningRate float64 `toml:"learning_rate" over:"0" doc:"step size"`
}
type adam struct {
	rule
	Betas []float64 `toml:"betas" min:"0" below:"1" doc:"decay of the moments"`
}
type sgd struct{ rule }

func (*adam) optimizer() {}
func (*sgd) optimizer()  {}

type optimizerConfig struct {
	Rule optimizer `toml:",inline" kind:"adam" doc:"the update rule"`
}

type loopConfig struct {
	Epochs    float64 `toml:"epochs" min:"0" doc:"passes over the data"`
	MaxSteps  int64   `toml:"max_steps" min:"0" doc:"steps; 0: no limit"`
	Precision string  `toml:"precision" choices:"float32|tf32|bf16" doc:"of products"`
}
type stopping struct {
	EarlyStopping float64 `toml:"early_stopping" min:"0" doc:"epochs without improvement; 0 is never"`
	Monitor       string  `toml:"monitor" doc:"metric of the best checkpoint"`
}

type kernelsConfig struct {
	Autotune bool              `toml:"autotune" doc:"measure candidates"`
	Choice   map[string]string `toml:",rest" doc:"the candidate of an op" example:"\"direct\""`
}

var (
	sources     = registry.New[source]("data source")
	transforms  = registry.New[transform]("transform")
	layers      = registry.New[layer]("layer")
	bottlenecks = registry.New[bottleneck]("bottleneck")
	penalties   = registry.New[penalty]("penalty")
	optimizers  = registry.New[optimizer]("optimizer")
)

func init() {
	Family("source", sources)
	Family("kind", transforms)
	Family("layer", layers)
	Family("kind", bottlenecks)
	Family("kind", penalties, NamedByKind)
	Family("name", optimizers)
	sources.Add("digits", func() source { return &digits{} })
	sources.Add("images", func() source { return &images{OnError: "stop"} })
	sources.Add("csv", func() source { return &table{Header: true, Missing: []string{"", "NA"}} })
	transforms.Add("resize", func() transform { return &resize{Fit: "crop"} })
	transforms.Add("scale", func() transform { return &scale{To: NumbersOrWord{Numbers: []float64{0, 1}}} })
	layers.Add("dense", func() layer { return &dense{Bias: true, Activation: "linear"} })
	layers.Add("conv2d", func() layer { return &conv{Kernel: Ints{3}, Padding: IntsOrWord{Ints: Ints{0}}} })
	layers.Add("residual", func() layer { return &residual{Times: 1} })
	bottlenecks.Add("deterministic", func() bottleneck { return &deterministic{} })
	bottlenecks.Add("gaussian", func() bottleneck { return &gaussian{Bound: "elbo", Samples: 1} })
	penalties.Add("kl", func() penalty { return &kl{Beta: Number(1)} })
	penalties.Add("kl-sparsity", func() penalty { return &weight{} })
	penalties.Add("l1", func() penalty { return &weight{} })
	optimizers.Add("adam", func() optimizer { return &adam{rule{1e-3}, []float64{0.9, 0.999}} })
	optimizers.Add("sgd", func() optimizer { return &sgd{rule{1e-2}} })
	Declare("data", func() any { return newData() })
	Declare("model", func() any { return newModel() })
	Declare("optimizer", func() any { return &optimizerConfig{} })
	Declare("train", func() any { return newLoop() })
	Declare("train", func() any { return &stopping{Monitor: "loss"} })
	Declare("kernels", func() any { return &kernelsConfig{} })
}

func newData() *dataConfig   { return &dataConfig{Batch: 128} }
func newModel() *modelConfig { return &modelConfig{Preset: "ae", LatentDim: 32} }
func newLoop() *loopConfig   { return &loopConfig{Epochs: 10, Precision: "float32"} }

// house is everything decoded.
type house struct {
	cfg       *Config
	data      *dataConfig
	model     *modelConfig
	optimizer *optimizerConfig
	loop      *loopConfig
	stopping  *stopping
	kernels   *kernelsConfig
}

// presets are a few of the test's own.
var presets = fstest.MapFS{
	"ae.toml":  {Data: []byte("[model.bottleneck]\nkind = \"deterministic\"\n")},
	"vae.toml": {Data: []byte("[model.bottleneck]\nkind = \"gaussian\"\n[model.penalties.kl]\nbeta = 1.0\n")},
	"beta-vae.toml": {Data: []byte("[model]\npreset = \"vae\"\nlatent_dim = 10\nencoder = [{ layer = \"dense\", units = 300 }]\n" +
		"decoder = [{ layer = \"dense\", units = 300 }, { layer = \"dense\" }]\n[model.penalties.kl]\nbeta = 4.0\n[model.penalties.kl-sparsity]\nweight = 0.1\n[optimizer]\nlearning_rate = 5e-4\n")},
	"loop.toml":   {Data: []byte("[model]\npreset = \"loop\"\n")},
	"wrong.toml":  {Data: []byte("[model]\nlaten_dim = 3\n")},
	"broken.toml": {Data: []byte("[model\n")},
}

// read loads and decodes everything; what is wrong stands in cfg.Err().
func read(o LoadOptions) (*house, error) {
	if o.Presets == nil {
		o.Presets, o.DefaultPreset = presets, "ae"
	}
	cfg, err := Load(o)
	if err != nil {
		return nil, err
	}
	h := &house{cfg: cfg, data: newData(), model: newModel(), optimizer: &optimizerConfig{}, loop: newLoop(), stopping: &stopping{Monitor: "loss"}, kernels: &kernelsConfig{}}
	_ = cfg.Section("data").Decode(h.data)
	_ = cfg.Section("model").Decode(h.model)
	_ = cfg.Section("optimizer").Decode(h.optimizer)
	_ = cfg.Section("train").Decode(h.loop, h.stopping)
	_ = cfg.Section("kernels").Decode(h.kernels)
	return h, cfg.Err()
}

// parseText reads a text as t.toml.
func parseText(text string, sets ...string) (*house, error) {
	return read(LoadOptions{File: "t.toml", Bytes: []byte(text), Sets: sets})
}

// mustRead fails the test on mistakes.
func mustRead(t *testing.T, text string, sets ...string) *house {
	t.Helper()
	h, err := parseText(text, sets...)
	if err != nil {
		t.Fatalf("%v\nin:\n%s\nsets: %v", err, text, sets)
	}
	return h
}

var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds got against testdata/NAME.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it); got:\n%s", path, got)
	}
}

// layerText prints layers for comparison.
func layerText(list []layer) string {
	text := ""
	for _, l := range list {
		text += fmt.Sprintf("%+v;", l)
	}
	return text
}
