//go:build gpu

package gpu

import (
	"slices"

	"aetrain/graph"
	"aetrain/kernels"
)

// table lists the kernels of a device, best first for each op; the first that fits runs. Libraries come first where they are
// there: their candidates fit only then. What a library thinks second and third is there for autotune, which measures.
func table(d *device) kernels.Table[launch] {
	return kernels.Table[launch]{
		{Op: "MatMul", Name: "cublaslt", Fits: d.ltFits, Bind: bindLt(0)},
		{Op: "MatMul", Name: "gemm", Fits: kernels.Always, Bind: bindGEMM},
		{Op: "MatMul", Name: "cublaslt-2", Fits: d.ltFits, Bind: bindLt(1)},
		{Op: "MatMul", Name: "cublaslt-3", Fits: d.ltFits, Bind: bindLt(2)},
		{Op: "Conv2D", Name: "direct", Fits: fewChannels, Bind: bindConvDirect},
		{Op: "Conv2D", Name: "cudnn", Fits: d.dnnFits, Bind: bindDnn(0, ownConv, bindConvImplicit)},
		{Op: "Conv2D", Name: "implicit-gemm", Fits: ownConv, Bind: bindConvImplicit},
		{Op: "Conv2D", Name: "cudnn-2", Fits: d.dnnFits, Bind: bindDnn(1, ownConv, bindConvImplicit)},
		{Op: "Conv2D", Name: "direct", Fits: manyChannels, Bind: bindConvDirect},
		{Op: "ConvTranspose2D", Name: "direct", Fits: fewChannels, Bind: bindConvDirect},
		{Op: "ConvTranspose2D", Name: "cudnn", Fits: d.dnnFits, Bind: bindDnn(0, ownConv, bindConvImplicit)},
		{Op: "ConvTranspose2D", Name: "implicit-gemm", Fits: ownConv, Bind: bindConvImplicit},
		{Op: "ConvTranspose2D", Name: "cudnn-2", Fits: d.dnnFits, Bind: bindDnn(1, ownConv, bindConvImplicit)},
		{Op: "ConvTranspose2D", Name: "direct", Fits: manyChannels, Bind: bindConvDirect},
		{Op: "Conv2DWeightGrad", Name: "direct", Fits: fewWeights, Bind: bindConvWeightDirect},
		{Op: "Conv2DWeightGrad", Name: "cudnn", Fits: d.dnnFits, Bind: bindDnn(0, ownWeight, bindConvWeightImplicit)},
		{Op: "Conv2DWeightGrad", Name: "implicit-gemm", Fits: ownWeight, Bind: bindConvWeightImplicit},
		{Op: "Conv2DWeightGrad", Name: "cudnn-2", Fits: d.dnnFits, Bind: bindDnn(1, ownWeight, bindConvWeightImplicit)},
		{Op: "Conv2DWeightGrad", Name: "direct", Fits: manyWeights, Bind: bindConvWeightDirect},
		{Op: "MaxPool2D", Name: "planes", Fits: smallPlanes, Bind: bindMaxPool},
		{Op: "MaxPool2DGrad", Name: "windows", Fits: poolPlaces, Bind: bindMaxPoolWindows},
		{Op: "MaxPool2DGrad", Name: "claims", Fits: smallPlanes, Bind: bindMaxPoolClaims},
		{Op: "MaxPool2DGather", Name: "planes", Fits: smallPlanes, Bind: bindMaxPoolGather},
		{Op: "AvgPool2D", Name: "planes", Fits: smallPlanes, Bind: bindAvgPool},
		{Op: "AvgPool2DGrad", Name: "planes", Fits: smallPlanes, Bind: bindAvgPoolGrad},
		{Op: "Upsample2D", Name: "planes", Fits: smallPlanes, Bind: bindUpsample},
		{Op: "Upsample2DGrad", Name: "planes", Fits: smallPlanes, Bind: bindUpsampleGrad},
		{Op: "BroadcastTo", Name: "copy", Fits: broadcastFits, Bind: bindBroadcast},
		{Op: "Transpose", Name: "blocks", Fits: transposeFits, Bind: bindTranspose},
		{Op: "Concat", Name: "copy", Fits: countableCase, Bind: bindConcat},
		{Op: "Slice", Name: "copy", Fits: countableCase, Bind: bindSlice},
		{Op: "Pad", Name: "copy", Fits: countableCase, Bind: bindPad},
		{Op: "Gather", Name: "copy", Fits: countableCase, Bind: bindGather},
		{Op: "ScatterAdd", Name: "owners", Fits: scatterFits, Bind: bindScatterAdd},
		{Op: "OneHot", Name: "copy", Fits: countableCase, Bind: bindOneHot},
		{Op: "Rotation", Name: "pairs", Fits: countableCase, Bind: bindRotation},
		{Op: "Controlled", Name: "copy", Fits: countableCase, Bind: bindControlled},
		{Op: "GaussianSample", Name: "rows", Fits: kernels.Always, Bind: bindGaussianSample},
		{Op: "GaussianSample", Name: "split", Fits: kernels.Always, Bind: bindGaussianSampleSplit},
		{Op: "Uniform", Name: "philox", Fits: kernels.Always, Bind: bindUniform},
		{Op: "Normal", Name: "philox", Fits: kernels.Always, Bind: bindNormal},
		{Op: "Bernoulli", Name: "philox", Fits: kernels.Always, Bind: bindBernoulli},
		{Op: "BernoulliP", Name: "philox", Fits: kernels.Always, Bind: bindBernoulliP},
		{Op: "BatchNorm", Name: "channels", Fits: oneLaunch, Bind: bindBatchNorm},
		{Op: "BatchNorm", Name: "split", Fits: kernels.Always, Bind: bindBatchNormSplit},
		{Op: "BatchNorm", Name: "channels", Fits: twoLaunches, Bind: bindBatchNorm},
		{Op: "BatchNormGrad", Name: "channels", Fits: oneLaunch, Bind: bindBatchNormGrad},
		{Op: "BatchNormGrad", Name: "split", Fits: kernels.Always, Bind: bindBatchNormGradSplit},
		{Op: "BatchNormGrad", Name: "channels", Fits: twoLaunches, Bind: bindBatchNormGrad},
		{Op: "LayerNorm", Name: "rows", Fits: kernels.Always, Bind: bindLayerNorm},
		{Op: "LayerNormGrad", Name: "rows", Fits: kernels.Always, Bind: bindLayerNormGrad},
		{Op: "LSTM", Name: "blocks", Fits: d.recurrentFits, Bind: bindLSTM},
		{Op: "LSTMGrad", Name: "blocks", Fits: d.recurrentFits, Bind: bindLSTMGrad},
		{Op: "GRU", Name: "blocks", Fits: d.recurrentFits, Bind: bindGRU},
		{Op: "GRUGrad", Name: "blocks", Fits: d.recurrentFits, Bind: bindGRUGrad},
		{Op: "RNN", Name: "blocks", Fits: d.recurrentFits, Bind: bindRNN},
		{Op: "RNNGrad", Name: "blocks", Fits: d.recurrentFits, Bind: bindRNNGrad},
		{Op: "Softmax", Name: "rows", Fits: kernels.Always, Bind: bindSoftmax},
		{Op: "LogSoftmax", Name: "rows", Fits: kernels.Always, Bind: bindLogSoftmax},
		{Op: "LogSumExp", Name: "fold", Fits: kernels.Always, Bind: bindLogSumExp},
		{Op: "KLNormal", Name: "rows", Fits: kernels.Always, Bind: bindKLNormal},
		{Op: "ReduceSum", Name: "fold", Fits: kernels.Always, Bind: bindReduceSum},
		{Op: "ReduceMax", Name: "fold", Fits: kernels.Always, Bind: bindReduceMax},
		{Op: "ReduceMin", Name: "fold", Fits: kernels.Always, Bind: bindReduceMin},
		{Op: "ArgMax", Name: "rows", Fits: kernels.Always, Bind: bindArgMax},
		{Op: "ArgSort", Name: "keys", Fits: kernels.Always, Bind: bindArgSort},
	}
}

// Kernels lists the candidates of every op by the config's names, for "aetrain list kernels".
func Kernels() map[string][]string {
	names := table(&device{}).Names()
	names["chain"] = chainKernels
	return names
}

// hasKernel says which ops have a candidate; composite ops without one run as what they are made of.
func (b *Backend) hasKernel(o graph.Op) bool {
	return slices.ContainsFunc(b.table, func(k kernels.Candidate[launch]) bool { return k.Op == o.Name() })
}

// hasEpilogue says which ops take a chain on their output: a bias and a ReLU go into the store of the product, the rest follows
// as a kernel of its own.
func hasEpilogue(o graph.Op) bool {
	switch o.Name() {
	case "MatMul", "Conv2D", "ConvTranspose2D":
		return true
	}
	return false
}
