// Package optim is optimisers as graph: a step of training is a forward pass, gradients, a guard and updates, one program.
//
// [Step] completes a graph that holds losses; read it first. Each optimiser is one file that registers itself (adam.go), as is
// each schedule of the learning rate (schedule_cosine.go); a schedule is computed on the host, the learning rate is fed.
package optim

import (
	"aetrain/configs"
	"aetrain/graph"
	"aetrain/internal/registry"
)

// Optimizer turns a gradient into a parameter's next value. Its fields are its keys in [optimizer].
type Optimizer interface {
	// Update adds the step of one parameter to the graph, by [Slot.Assign] of the parameter and of what is kept about it.
	Update(s *Slot)
}

// Optimizers and Schedules are the registries of [Optimizer] and [Schedule].
var (
	Optimizers = registry.New[Optimizer]("optimizer")
	Schedules  = registry.New[Schedule]("schedule")
)

// Config is [optimizer].
type Config struct {
	Method       Optimizer `toml:",inline" kind:"adam" doc:"the optimizer"`
	LearningRate float64   `toml:"learning_rate" min:"0" doc:"step size"`
	Schedule     Schedule  `toml:"schedule" kind:"constant" doc:"how the learning rate changes" example:"{ kind = \"cosine\", warmup = 1 }"`
}

func init() {
	configs.Family("name", Optimizers)
	configs.Family("kind", Schedules)
	configs.Declare("optimizer", func() any { return Defaults() })
}

// defaultRate is Adam's usual learning rate.
const defaultRate = 1e-3

// Defaults is Adam at 1e-3.
func Defaults() *Config {
	c := &Config{LearningRate: defaultRate}
	c.Method, _ = Optimizers.Make("adam")
	c.Schedule, _ = Schedules.Make("constant")
	return c
}

// Read decodes a section such as cfg.Section("optimizer"). Mistakes are kept in its Config and returned.
func Read(s *configs.Section) (*Config, error) {
	c := Defaults()
	err := s.Decode(c)
	return c, err
}

// Rate is the learning rate at a point of training.
func (c *Config) Rate(p Progress) float64 { return c.LearningRate * factor(c.Schedule, p) }

// Slot is one parameter in one step.
type Slot struct {
	P, G  graph.Value // the parameter and its gradient, of one shape
	LR    graph.Value // scalar
	OK    graph.Value // scalar: 1, or 0 to keep everything as it was
	Steps graph.Value // int32 scalar: updates made before this one

	g      *graph.Graph
	prefix string // of what is kept: "optimizer.NAME.PARAM"
}

// Kept declares what the optimiser keeps about the parameter, of its shape, zeros at first: optimizer.NAME.PARAM.name.
func (s *Slot) Kept(name string) graph.Value {
	return s.g.State(graph.Buffer, graph.Join(s.prefix, name), s.P.Spec(), nil)
}

// Assign sets the parameter, or what Kept has declared.
func (s *Slot) Assign(state, v graph.Value) { s.g.Assign(state, v) }
