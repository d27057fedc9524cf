// Package kernels chooses, for each step of a program, among the candidates that a backend has for it: by the config, by
// measuring, else by the order of the backend's table. The number of threads never takes part, so a choice is the same
// on every machine with the same instruction set.
package kernels

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aetrain/graph"
	"aetrain/program"
)

// Case is a step that needs a kernel.
type Case struct {
	Op   graph.Op
	In   []graph.Spec
	Out  []graph.Spec
	Step *program.Step
}

// CaseOf describes a step that has a Node.
func CaseOf(s *program.Step) Case {
	c := Case{Op: s.Node.Op, Out: s.Node.Out, Step: s}
	for _, in := range s.Node.In {
		c.In = append(c.In, in.Spec())
	}
	return c
}

// Candidate is one way to compute an op. B is what the backend needs to bind it to a step.
type Candidate[B any] struct {
	Op   string // the op's Name: "Conv2D"
	Name string // the algorithm: "implicit-gemm"; what [kernels] asks for
	Fits func(Case) bool
	Bind B
}

// Table lists candidates, best first for each op.
type Table[B any] []Candidate[B]

// Always fits every case.
func Always(Case) bool { return true }

// Options of a choice.
type Options[B any] struct {
	Wanted  map[string]string                         // config: op (any spelling) to candidate
	Measure func(Candidate[B]) (time.Duration, error) // nil: the table's order decides
	Known   func(key string) (name string, ok bool)   // results of earlier measurements
	Learned func(key, name string)                    // called with the winner of a measurement
	Key     string                                    // of this case among measurements
	Strict  bool                                      // a candidate that the config names must fit
}

// Choose returns the candidate for c and the reason: "config", "measured" or "first that fits". ok is false where no
// candidate fits. One that the config names is taken wherever it fits; where it does not, the order decides and the reason says
// so, as a network may have layers of many shapes. It is an error if it is unknown, or if it does not fit and Strict asks for it.
func (t Table[B]) Choose(c Case, o Options[B]) (found Candidate[B], reason string, ok bool, err error) {
	var fit []Candidate[B]
	for _, k := range t {
		if k.Op == c.Op.Name() && k.Fits(c) {
			fit = append(fit, k)
		}
	}
	if want := wanted(o.Wanted, c.Op.Name()); want != "" {
		for _, k := range fit {
			if k.Name == want {
				return k, "config", true, nil
			}
		}
		op := ConfigName(c.Op.Name())
		names := t.Names()[op]
		if !slices.Contains(names, want) {
			return found, "", false, fmt.Errorf("kernels.%s: no kernel %q; there are %s", op, want, strings.Join(names, ", "))
		}
		if o.Strict {
			return found, "", false, fmt.Errorf("kernels.%s: %q does not fit %s; these do: %s", op, want, shapes(c.In), strings.Join(namesOf(fit), ", "))
		}
		if len(fit) > 0 {
			return fit[0], fmt.Sprintf("first that fits, %s does not", want), true, nil
		}
	}
	switch {
	case len(fit) == 0:
		return found, "", false, nil
	case len(fit) == 1 || o.Measure == nil:
		return fit[0], "first that fits", true, nil
	}
	return fastest(fit, o)
}

// fastest returns the candidate that was the fastest before, or is now.
func fastest[B any](fit []Candidate[B], o Options[B]) (found Candidate[B], reason string, ok bool, err error) {
	if o.Known != nil {
		if name, ok := o.Known(o.Key); ok {
			for _, k := range fit {
				if k.Name == name {
					return k, "measured", true, nil
				}
			}
		}
	}
	best := time.Duration(-1)
	var failed []error
	for _, k := range fit {
		d, err := o.Measure(k)
		if err != nil { // too little memory for one is no reason not to take another
			failed = append(failed, fmt.Errorf("measuring %s: %w", k.Name, err))
			continue
		}
		if best < 0 || d < best {
			best, found = d, k
		}
	}
	if best < 0 {
		return found, "", false, errors.Join(failed...)
	}
	if o.Learned != nil {
		o.Learned(o.Key, found.Name)
	}
	return found, "measured", true, nil
}

// Names lists the candidates of every op by its name in the config, each once, in the table's order.
func (t Table[B]) Names() map[string][]string {
	names := map[string][]string{}
	for _, k := range t {
		op := ConfigName(k.Op)
		if !slices.Contains(names[op], k.Name) { // one may stand twice, in front of others and behind
			names[op] = append(names[op], k.Name)
		}
	}
	return names
}

// namesOf lists candidates, each name once.
func namesOf[B any](list []Candidate[B]) (names []string) {
	for _, k := range list {
		if !slices.Contains(names, k.Name) {
			names = append(names, k.Name)
		}
	}
	return names
}

// oneWord are names of the field that are written as one word.
var oneWord = strings.NewReplacer("MatMul", "Matmul", "ReLU", "Relu", "SiLU", "Silu", "RMSProp", "Rmsprop",
	"LogSumExp", "Logsumexp", "ArgMax", "Argmax", "ArgSort", "Argsort")

// ConfigName writes an op's Name as the config does: "Conv2DWeightGrad" is conv2d_weight_grad.
func ConfigName(op string) string {
	op = oneWord.Replace(op)
	var b strings.Builder
	for i, r := range op {
		if upper(r) && i > 0 && (lower(op[i-1]) || i+1 < len(op) && lower(op[i+1]) && !digit(op[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func upper(r rune) bool { return 'A' <= r && r <= 'Z' }
func lower(c byte) bool { return 'a' <= c && c <= 'z' }
func digit(c byte) bool { return '0' <= c && c <= '9' }

// wanted is what the config asks for an op.
func wanted(config map[string]string, op string) string {
	name := ConfigName(op)
	for k, v := range config {
		if strings.ReplaceAll(k, "-", "_") == name {
			return v
		}
	}
	return ""
}

func shapes(in []graph.Spec) string {
	var parts []string
	for _, s := range in {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, " and ")
}
