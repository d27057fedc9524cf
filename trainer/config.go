package trainer

import (
	"errors"

	"aetrain/configs"
	"aetrain/model"
	"aetrain/optim"
)

// Config holds the keys of [train] that the loop itself reads; callbacks own the others.
type Config struct {
	Epochs        float64 `toml:"epochs" min:"0" doc:"passes over the training split; a file with max_steps and no epochs has no limit of epochs" example:"10"`
	MaxSteps      int     `toml:"max_steps" min:"0" doc:"steps after which training ends, if that comes before the last epoch; 0: no limit"`
	ValidateEvery float64 `toml:"validate_every" min:"0" doc:"epochs between validations; fractions are allowed, 0 is never"`
	LogEverySteps int     `toml:"log_every_steps" min:"1" doc:"steps between two rows of metrics.jsonl"`
	ClipNorm      float64 `toml:"clip_norm" min:"0" doc:"the largest norm of all gradients of a model together; 0: no limit"`
	Accumulate    int     `toml:"accumulate" min:"1" doc:"parts of a batch that are computed one after the other, to save memory"`
	StartFrom     string  `toml:"start_from,path" doc:"a run whose best weights training starts from" example:"\"runs/vae\""`
	Device        string  `toml:"device" doc:"auto takes a GPU where there is a usable one; cpu, cuda or cuda:N" example:"\"cpu\""`
	Threads       int     `toml:"threads" min:"0" max:"1024" doc:"threads of the CPU; 0: all"`
	Precision     string  `toml:"precision" choices:"float32|tf32|bf16" doc:"of products, where the device has it; float32 otherwise"`

	Stages []StageConfig `toml:"stages" doc:"stages that follow one another over the same weights; left out: one, of train.epochs" example:"[{ name = \"first layer\", depth = 1, epochs = 5 }, { name = \"all\" }]"`

	hooks      []hook                   // with their keys decoded
	optimizers map[string]*optim.Config // that losses and adversaries have of their own, by model.Loss.Optimizer
}

// Defaults returns [train] as it is without a file.
func Defaults() *Config {
	return &Config{Epochs: 10, ValidateEvery: 1, LogEverySteps: 50, Accumulate: 1, Device: "auto", Precision: "float32"}
}

func init() { configs.Declare("train", func() any { return Defaults() }) }

// Read decodes [train] with the keys of all callbacks. Mistakes are kept in cfg and returned.
func Read(cfg *configs.Config) (*Config, error) {
	s, c := cfg.Section("train"), Defaults()
	into := []any{c}
	c.hooks = newHooks()
	for _, h := range c.hooks {
		if o, ok := h.Callback.(Configured); ok {
			into = append(into, o.Options())
		}
	}
	limited := !s.Has("epochs")
	if limited && s.Has("max_steps") {
		c.Epochs = 0 // steps alone decide, and the rendered config says so
	}
	err := s.Decode(into...)
	if limited && c.Epochs == 0 && c.MaxSteps == 0 {
		c.Epochs = Defaults().Epochs
	}
	return c, errors.Join(err, c.readOptimizers(cfg))
}

// readOptimizers reads [model.losses.NAME.optimizer] and those of adversaries; what one lacks comes from [optimizer].
func (c *Config) readOptimizers(cfg *configs.Config) error {
	c.optimizers = map[string]*optim.Config{}
	var errs []error
	m := cfg.Section("model")
	for _, table := range []string{"losses", "adversaries"} {
		for _, name := range m.Keys(table) {
			owner := table + "." + name
			if !m.Has(owner + ".optimizer") {
				continue
			}
			o, err := optim.Read(m.Sub(owner + ".optimizer").Over(cfg.Section("optimizer")))
			c.optimizers[owner] = o
			errs = append(errs, err)
		}
	}
	for i, st := range c.Stages {
		if st.Optimizer != nil && len(st.Optimizer.Keys("")) > 0 {
			o, err := optim.Read(st.Optimizer.Over(cfg.Section("optimizer")))
			c.optimizers[stageOwner(i)] = o
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// optimizer is the one of a loss in a stage.
func (r *Run) optimizer(st *stage, l model.Loss) *optim.Config {
	if o := r.Train.optimizers[l.Optimizer]; o != nil {
		return o
	}
	if st.optimizer != nil {
		return st.optimizer
	}
	return r.Optimizer
}

// schedules are those of all optimisers, by model.Loss.Optimizer; "" is that of [optimizer].
func (r *Run) schedules() map[string]optim.Schedule {
	all := map[string]optim.Schedule{"": r.Optimizer.Schedule}
	for name, o := range r.Train.optimizers {
		all[name] = o.Schedule
	}
	return all
}
