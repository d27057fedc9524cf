package cpu

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aetrain/backend"
	"aetrain/graph"
	"aetrain/kernels"
	"aetrain/program"
)

// launch binds a kernel to a step: it decides and reserves everything and appends phases.
type launch func(b *binder, s *step) error

// step is what a kernel sees of a program step.
type step struct {
	kernels.Case
	in, out []memory // an output that nobody reads has size 0; the first always has memory, unless needsFirst says otherwise
	chain   *chain   // to run on output 0, element range by element range; nil if there is none
	name    string   // of the candidate
	src     *program.Step
}

// table lists the kernels, best first for each op; the first that fits runs.
var table = kernels.Table[launch]{
	{Op: "MatMul", Name: "gemm", Fits: kernels.Always, Bind: bindMatMul},
	{Op: "BroadcastTo", Name: "copy", Fits: kernels.Always, Bind: bindBroadcast},
	{Op: "GaussianSample", Name: "rows", Fits: kernels.Always, Bind: bindGaussianSample},
	{Op: "GaussianSample", Name: "split", Fits: kernels.Always, Bind: bindGaussianSampleSplit},
	{Op: "Uniform", Name: "philox", Fits: kernels.Always, Bind: bindUniform},
	{Op: "Normal", Name: "philox", Fits: kernels.Always, Bind: bindNormal},
	{Op: "Bernoulli", Name: "philox", Fits: kernels.Always, Bind: bindBernoulli},
	{Op: "BernoulliP", Name: "philox", Fits: kernels.Always, Bind: bindBernoulliP},
	{Op: "Conv2D", Name: "taps", Fits: tapsFit, Bind: bindConvTaps},
	{Op: "Conv2D", Name: "direct", Fits: fewChannels, Bind: bindConvDirect},
	{Op: "Conv2D", Name: "winograd", Fits: winogradWins, Bind: bindConvWinograd},
	{Op: "Conv2D", Name: "implicit-gemm", Fits: kernels.Always, Bind: bindConvGEMM},
	{Op: "Conv2D", Name: "direct", Fits: manyChannels, Bind: bindConvDirect},
	{Op: "Conv2D", Name: "winograd", Fits: winogradFits, Bind: bindConvWinograd},
	{Op: "ConvTranspose2D", Name: "taps", Fits: tapsFit, Bind: bindConvTransposeTaps},
	{Op: "ConvTranspose2D", Name: "direct", Fits: fewChannels, Bind: bindConvTransposeDirect},
	{Op: "ConvTranspose2D", Name: "winograd", Fits: winogradWins, Bind: bindConvTransposeWinograd},
	{Op: "ConvTranspose2D", Name: "implicit-gemm", Fits: kernels.Always, Bind: bindConvTransposeGEMM},
	{Op: "ConvTranspose2D", Name: "direct", Fits: manyChannels, Bind: bindConvTransposeDirect},
	{Op: "ConvTranspose2D", Name: "winograd", Fits: winogradFits, Bind: bindConvTransposeWinograd},
	{Op: "Conv2DWeightGrad", Name: "direct", Fits: fewChannels, Bind: bindConvWeightDirect},
	{Op: "Conv2DWeightGrad", Name: "winograd", Fits: winogradWins, Bind: bindConvWeightWinograd},
	{Op: "Conv2DWeightGrad", Name: "implicit-gemm", Fits: kernels.Always, Bind: bindConvWeightGEMM},
	{Op: "Conv2DWeightGrad", Name: "direct", Fits: manyChannels, Bind: bindConvWeightDirect},
	{Op: "Conv2DWeightGrad", Name: "winograd", Fits: winogradFits, Bind: bindConvWeightWinograd},
	{Op: "MaxPool2D", Name: "planes", Fits: kernels.Always, Bind: bindMaxPool},
	{Op: "MaxPool2DGrad", Name: "planes", Fits: kernels.Always, Bind: bindMaxPoolGrad},
	{Op: "MaxPool2DGather", Name: "planes", Fits: kernels.Always, Bind: bindMaxPoolGather},
	{Op: "AvgPool2D", Name: "planes", Fits: kernels.Always, Bind: bindAvgPool},
	{Op: "AvgPool2DGrad", Name: "planes", Fits: kernels.Always, Bind: bindAvgPoolGrad},
	{Op: "Upsample2D", Name: "planes", Fits: kernels.Always, Bind: bindUpsample},
	{Op: "Upsample2DGrad", Name: "planes", Fits: kernels.Always, Bind: bindUpsampleGrad},
	{Op: "BatchNorm", Name: "channels", Fits: kernels.Always, Bind: bindBatchNorm},
	{Op: "BatchNormGrad", Name: "channels", Fits: kernels.Always, Bind: bindBatchNormGrad},
	{Op: "LayerNorm", Name: "rows", Fits: kernels.Always, Bind: bindLayerNorm},
	{Op: "LayerNormGrad", Name: "rows", Fits: kernels.Always, Bind: bindLayerNormGrad},
	{Op: "Attention", Name: "heads", Fits: kernels.Always, Bind: bindAttention},
	{Op: "AttentionGrad", Name: "heads", Fits: kernels.Always, Bind: bindAttentionGrad},
	{Op: "LSTM", Name: "rows", Fits: kernels.Always, Bind: bindLSTM},
	{Op: "LSTMGrad", Name: "rows", Fits: kernels.Always, Bind: bindLSTMGrad},
	{Op: "GRU", Name: "rows", Fits: kernels.Always, Bind: bindGRU},
	{Op: "GRUGrad", Name: "rows", Fits: kernels.Always, Bind: bindGRUGrad},
	{Op: "RNN", Name: "rows", Fits: kernels.Always, Bind: bindRNN},
	{Op: "RNNGrad", Name: "rows", Fits: kernels.Always, Bind: bindRNNGrad},
	{Op: "Softmax", Name: "rows", Fits: kernels.Always, Bind: bindSoftmax},
	{Op: "LogSoftmax", Name: "rows", Fits: kernels.Always, Bind: bindLogSoftmax},
	{Op: "LogSumExp", Name: "rows", Fits: kernels.Always, Bind: bindLogSumExp},
	{Op: "KLNormal", Name: "rows", Fits: kernels.Always, Bind: bindKLNormal},
	{Op: "ReduceSum", Name: "fold", Fits: kernels.Always, Bind: bindReduceSum},
	{Op: "ReduceMax", Name: "fold", Fits: kernels.Always, Bind: bindReduceMax},
	{Op: "ReduceMin", Name: "fold", Fits: kernels.Always, Bind: bindReduceMin},
	{Op: "ArgMax", Name: "rows", Fits: kernels.Always, Bind: bindArgMax},
	{Op: "ArgSort", Name: "keys", Fits: kernels.Always, Bind: bindArgSort},
	{Op: "Transpose", Name: "blocks", Fits: kernels.Always, Bind: bindTranspose},
	{Op: "Concat", Name: "copy", Fits: kernels.Always, Bind: bindConcat},
	{Op: "Slice", Name: "copy", Fits: kernels.Always, Bind: bindSlice},
	{Op: "Pad", Name: "copy", Fits: kernels.Always, Bind: bindPad},
	{Op: "Gather", Name: "copy", Fits: kernels.Always, Bind: bindGather},
	{Op: "ScatterAdd", Name: "sorted", Fits: kernels.Always, Bind: bindScatterAdd},
	{Op: "OneHot", Name: "copy", Fits: kernels.Always, Bind: bindOneHot},
	{Op: "Rotation", Name: "pairs", Fits: kernels.Always, Bind: bindRotation},
	{Op: "Controlled", Name: "copy", Fits: kernels.Always, Bind: bindControlled},
}

// Kernels lists the candidates of every op by the config's names, for "aetrain list kernels".
func Kernels() map[string][]string { return table.Names() }

// hasKernel says which ops have a candidate; composite ops without one run as what they are made of.
func hasKernel(o graph.Op) bool {
	return slices.ContainsFunc(table, func(k kernels.Candidate[launch]) bool { return k.Op == o.Name() })
}

// hasEpilogue says which ops run a chain on their output while it is in cache.
func hasEpilogue(o graph.Op) bool {
	switch o.Name() {
	case "MatMul", "Conv2D", "ConvTranspose2D", "BatchNorm", "LayerNorm":
		return true
	}
	return false
}

// needsFirst says which ops have to have memory for their first output though nobody reads it. Recurrent ones leave out what nobody
// reads, as they keep so much for their gradients.
func needsFirst(o graph.Op) bool {
	switch o.Name() {
	case "LSTM", "LSTMGrad", "GRU", "GRUGrad", "RNN", "RNNGrad":
		return false
	}
	return true
}

// binder turns the steps of one program into phases.
type binder struct {
	b     *Backend
	e     *executable
	o     backend.Options
	local int         // floats of scratch that a worker needs at most
	slots int         // temporaries that a chain needs at most
	at    int         // the step that is being bound
	taken map[int]int // steps that a step before them has done, and which one
	trial bool        // of a candidate, for its time

	evaluated []string // ops of the step's chain that have no kernel
	rounded   bool     // the step multiplies in bfloat16
}

// phase appends a phase of the program. What it returns is good until the next one.
func (b *binder) phase(tasks int, run func(w *worker, task int)) *phase {
	if tasks <= 0 {
		return new(phase)
	}
	b.e.phases = append(b.e.phases, phase{tasks: tasks, run: run})
	return &b.e.phases[len(b.e.phases)-1]
}

// scratch asks for n floats of every worker's local memory.
func (b *binder) scratch(n int) { b.local = max(b.local, n) }

func (b *binder) step(i int, s *program.Step) error {
	from := len(b.e.phases)
	if err := b.kernel(i, s); err != nil {
		return err
	}
	b.describe(i, s, b.e.phases[from:])
	return nil
}

// kernel binds a step to its kernel.
func (b *binder) kernel(i int, s *program.Step) error {
	b.at, b.evaluated, b.rounded = i, nil, false
	if s.Node == nil {
		c := b.chain(s.Chain, 0, memory{})
		c.bind(b)
		b.explain(i, s, "chain", "fused")
		return b.whole(i, s)
	}
	if first, ok := b.taken[i]; ok {
		b.explain(i, s, "with "+b.e.p.Steps[first].Kind(), fmt.Sprintf("step %d has done it in the same pass", first))
		return nil
	}
	st := b.operands(s)
	if err := b.whole(i, s); err != nil {
		return err
	}
	var choose kernels.Options[launch]
	choose.Wanted, choose.Strict = b.o.Kernels, b.o.Strict
	if b.o.Autotune {
		choose.Measure = func(k kernels.Candidate[launch]) (time.Duration, error) { return b.measure(k, st) }
		choose.Key = tuneKey(b.b, st.Case)
		choose.Known, choose.Learned = tuned.Lookup, tuned.Learn
	}
	k, reason, ok, err := table.Choose(st.Case, choose)
	if err != nil {
		return err
	}
	if !ok {
		return b.reference(i, s, st)
	}
	st.name = k.Name
	if err := k.Bind(b, st); err != nil {
		return fmt.Errorf("%s (%s): %w", s.Path, s.Kind(), err)
	}
	b.explain(i, s, k.Name, reason)
	return nil
}

// whole refuses or explains a chain with ops that run by their definition.
func (b *binder) whole(i int, s *program.Step) error {
	if len(b.evaluated) == 0 {
		return nil
	}
	names := strings.Join(b.evaluated, ", ")
	if b.o.Strict {
		return fmt.Errorf("%s: %s has no cpu kernel, and strict mode refuses the reference: %w", s.Path, names, backend.ErrUnsupported)
	}
	b.explain(i, s, "reference", "no kernel for "+names)
	return nil
}

// operands resolves a step's buffers and compiles its epilogue.
func (b *binder) operands(s *program.Step) *step {
	st := &step{Case: kernels.CaseOf(s), src: s}
	for _, in := range s.In {
		st.in = append(st.in, b.e.mem[in])
	}
	for i, out := range s.Out {
		switch {
		case out >= 0:
			st.out = append(st.out, b.e.mem[out])
		case i == 0 && needsFirst(s.Node.Op):
			st.out = append(st.out, b.hidden(s))
		default:
			st.out = append(st.out, memory{dtype: s.Node.Out[i].DType})
		}
	}
	if s.Chain != nil {
		st.chain = b.chain(s.Chain, 1, st.out[0])
	}
	return st
}

// hidden finds memory for a product that only its epilogue reads.
func (b *binder) hidden(s *program.Step) memory {
	if spare := b.e.p.Spare(s); spare >= 0 {
		return b.e.mem[spare]
	}
	return newMemory(s.Node.Out[0].DType, s.Node.Out[0].Shape.Size())
}

// reference runs a step by the op's definition, in float64, on one worker.
func (b *binder) reference(i int, s *program.Step, st *step) error {
	if b.o.Strict {
		return fmt.Errorf("%s: %s has no cpu kernel, and strict mode refuses the reference: %w", s.Path, s.Kind(), backend.ErrUnsupported)
	}
	bindReference(b, st)
	b.explain(i, s, "reference", "no kernel fits")
	return nil
}

func (b *binder) explain(i int, s *program.Step, kernel, reason string) {
	c := backend.Choice{Step: i, Op: s.Kind(), Path: s.Path, Kernel: kernel, Reason: reason, FLOP: s.FLOP()}
	if s.Node != nil {
		c.Shape = s.Node.Out[0].Shape.String()
	}
	if c.FLOP > 0 && b.e.p.Precision == "bf16" && !b.rounded {
		c.Precision = "float32"
	}
	b.e.choices = append(b.e.choices, c)
}
