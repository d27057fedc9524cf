package model

import (
	"errors"
	"strings"

	"aetrain/configs"
	"aetrain/internal/registry"
	"aetrain/nn"
)

// Config is [model].
type Config struct {
	Preset         string                `toml:"preset" doc:"the known variant that gives every other key its default; see: aetrain list presets" example:"\"vae\""`
	LatentDim      int                   `toml:"latent_dim" min:"0" doc:"numbers in a code; 0: the encoder's output is the code"`
	Tied           bool                  `toml:"tied" doc:"the mirror shares the encoder's weights, transposed"`
	DecoderPer     string                `toml:"decoder_per" doc:"a field of labels, each of which gets a decoder of its own behind the one encoder; empty: one decoder for all" example:"\"label\""`
	Input          string                `toml:"input" choices:"as-is|unit-norm|log1p" doc:"how the encoder sees an example: as it is; divided by its length, so that who has clicked much and little weigh alike; or ln(1 + x), for counts"`
	Encoder        []nn.Layer            `toml:"encoder" doc:"layers from the input to the bottleneck, which projects by itself" example:"[{ layer = \"dense\", units = 400, activation = \"relu\" }]"`
	Decoder        []nn.Layer            `toml:"decoder" doc:"layers from the code to the output; left out: the encoder's mirror" example:"[{ layer = \"dense\", units = 400, activation = \"relu\" }, { layer = \"dense\" }]"`
	Corruption     Corruption            `toml:"corruption" kind:"none" doc:"what is done to the encoder's input in training"`
	Bottleneck     Bottleneck            `toml:"bottleneck" kind:"deterministic" doc:"what makes a code of the encoder's output"`
	Prior          Prior                 `toml:"prior" kind:"normal" doc:"the distribution that codes are drawn to and sampled from"`
	Reconstruction Reconstruction        `toml:"reconstruction" kind:"mse" doc:"how far the output is from the input"`
	Penalties      map[string]Penalty    `toml:"penalties" doc:"what is added to the reconstruction, by name; the name is its kind unless kind says otherwise"`
	Adversaries    map[string]Adversary  `toml:"adversaries" doc:"discriminators that the model learns to fool, by name"`
	Condition      Condition             `toml:"condition" doc:"what parts of the model are told beside their input"`
	Ensemble       Ensemble              `toml:"ensemble" doc:"several such models, trained side by side, that are asked together"`
	Losses         map[string]LossConfig `toml:"losses" doc:"several losses in place of the one; written by presets"`
}

// DefaultPreset is the preset of a config that names none.
const DefaultPreset = "ae"

// Defaults returns the configuration below every preset.
func Defaults() *Config {
	c := &Config{Preset: DefaultPreset, Input: asIs, LatentDim: 32, Condition: Condition{Into: []string{intoEncoder, intoDecoder}}, Ensemble: newEnsemble()}
	c.Corruption, _ = Corruptions.Make("none")
	c.Bottleneck, _ = Bottlenecks.Make("deterministic")
	c.Prior, _ = Priors.Make("normal")
	c.Reconstruction, _ = Reconstructions.Make("mse")
	return c
}

// What Config.Input may be.
const (
	asIs     = "as-is"
	unitNorm = "unit-norm"
	logCount = "log1p"
)

func init() { configs.Declare("model", func() any { return Defaults() }) }

// Read decodes [model]. Mistakes are kept in cfg and returned.
//
// An encoder of the user's own drops the preset's decoder, so that it gets its mirror; a bottleneck of another kind than the
// preset's drops those of the preset's penalties that mean nothing on it.
func Read(cfg *configs.Config) (*Config, error) {
	s, c := cfg.Section("model"), Defaults()
	if wrote(s, "encoder") && s.Has("decoder") && !wrote(s, "decoder") {
		s.Drop("decoder")
	}
	dropPenalties(s)
	takeLayers(s)
	err := s.Decode(c)
	dropLosses(s, c)
	return c, err
}

// dropLosses takes away what the preset's losses say of adversaries that the user has switched off.
func dropLosses(s *configs.Section, c *Config) {
	for name, l := range c.Losses {
		if wrote(s, "losses."+name) {
			continue
		}
		for term := range l.Terms {
			rest, ok := strings.CutPrefix(term, adversaryTerm+".")
			if _, there := c.Adversaries[strings.TrimSuffix(rest, "."+foolTerm)]; ok && !there {
				delete(l.Terms, term)
			}
		}
		if _, fools := l.Terms[everyAdversary]; fools && len(c.Adversaries) == 0 {
			delete(l.Terms, everyAdversary)
		}
		if len(l.Terms) == 0 {
			delete(c.Losses, name)
		}
	}
}

// wrote reports whether the user has written a key, in the file or by -set.
func wrote(s *configs.Section, key string) bool {
	return s.Has(key) && s.Where(key).Layer >= configs.File
}

// dropPenalties takes away the preset's penalties that need another bottleneck than the user's.
func dropPenalties(s *configs.Section) {
	kind, ok := Bottlenecks.Canonical(s.Text("bottleneck.kind"))
	if !ok || !wrote(s, "bottleneck.kind") {
		return
	}
	bottleneck, _ := Bottlenecks.Make(kind)
	for _, name := range s.Keys("penalties") {
		key := "penalties." + name
		penaltyKind := s.Text(key + ".kind")
		if penaltyKind == "" {
			penaltyKind = name
		}
		penalty, ok := Penalties.Make(penaltyKind)
		if picky, is := penalty.(Picky); ok && is && !wrote(s, key) && picky.Suits(bottleneck) != nil {
			s.Drop(key)
		}
	}
}

// The registries of the parts; each choice adds itself in its own file.
var (
	Corruptions     = registry.New[Corruption]("corruption")
	Bottlenecks     = registry.New[Bottleneck]("bottleneck")
	Priors          = registry.New[Prior]("prior")
	Reconstructions = registry.New[Reconstruction]("reconstruction")
	Penalties       = registry.New[Penalty]("penalty")
)

func init() {
	configs.Family("kind", Corruptions)
	configs.Family("kind", Bottlenecks)
	configs.Family("kind", Priors)
	configs.Family("kind", Reconstructions)
	configs.Family("kind", Penalties, configs.NamedByKind)
}

// Report records the mistakes in err (see [New]) at the keys of cfg, so that file and line stand before them.
// What is no mistake in the configuration is returned.
func Report(cfg *configs.Config, err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var rest []error
		for _, e := range joined.Unwrap() {
			rest = append(rest, Report(cfg, e))
		}
		return errors.Join(rest...)
	}
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	key := e.Key
	if e.Kind != "" {
		key += " (" + e.Kind + ")"
	}
	cfg.Errorf(key, "%v", e.Err)
	return nil
}
