package vec

import "math"

// AdamArgs are the constants of one step of Adam or AdamW; [NewAdamArgs] makes them. For each element, with gradient g:
//
//	Adam:   g += WeightDecay p          AdamW:  p -= Decay p    (Decay = learning rate * weight decay)
//	m = m + (1-beta1)(g - m)
//	v = beta2 v + (1-beta2) g²
//	p = p - StepSize m / (sqrt(v) InvSqrtBias2 + Eps)
//
// as PyTorch's Adam and AdamW (not amsgrad, not maximize).
// Source: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1; Loshchilov & Hutter 2019,
// "Decoupled Weight Decay Regularization", algorithm 2.
type AdamArgs struct {
	OneMinusBeta1 float32
	Beta2         float32
	OneMinusBeta2 float32
	StepSize      float32 // learning rate / (1-beta1^step)
	InvSqrtBias2  float32 // 1 / sqrt(1-beta2^step)
	Eps           float32
	WeightDecay   float32 // of Adam: L2
	Decay         float32 // of AdamW
}

// NewAdamArgs returns the constants of the step-th step, counted from 1.
func NewAdamArgs(learningRate, beta1, beta2, eps, weightDecay float64, step int) AdamArgs {
	return AdamArgs{
		OneMinusBeta1: float32(1 - beta1),
		Beta2:         float32(beta2),
		OneMinusBeta2: float32(1 - beta2),
		StepSize:      float32(learningRate / (1 - math.Pow(beta1, float64(step)))),
		InvSqrtBias2:  float32(1 / math.Sqrt(1-math.Pow(beta2, float64(step)))),
		Eps:           float32(eps),
		WeightDecay:   float32(weightDecay),
		Decay:         float32(learningRate * weightDecay),
	}
}

// SGDArgs are the constants of gradient descent: p = p - LearningRate (g + WeightDecay p).
type SGDArgs struct {
	LearningRate float32
	WeightDecay  float32
}

// MomentumArgs are the constants of gradient descent with momentum, as PyTorch's SGD:
//
//	g += WeightDecay p
//	buf = Momentum buf + OneMinusDampening g
//	p = p - LearningRate (UseGrad g + UseBuf buf)
//
// UseGrad and UseBuf are 0 and 1; with Nesterov's momentum 1 and Momentum. PyTorch sets buf to g in the first step whatever the
// dampening: pass OneMinusDampening 1 there.
// Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", section 2.
type MomentumArgs struct {
	LearningRate      float32
	Momentum          float32
	OneMinusDampening float32
	WeightDecay       float32
	UseGrad, UseBuf   float32
}

// NewMomentumArgs returns the constants without dampening.
func NewMomentumArgs(learningRate, momentum, weightDecay float64, nesterov bool) MomentumArgs {
	h := MomentumArgs{float32(learningRate), float32(momentum), 1, float32(weightDecay), 0, 1}
	if nesterov {
		h.UseGrad, h.UseBuf = 1, h.Momentum
	}
	return h
}

// RMSpropArgs are the constants of RMSprop, as PyTorch's (neither centered nor with momentum):
//
//	g += WeightDecay p
//	v = Alpha v + OneMinusAlpha g²
//	p = p - LearningRate g / (sqrt(v) + Eps)
//
// Source: Tieleman & Hinton 2012, "Lecture 6.5 - rmsprop", COURSERA: Neural Networks for Machine Learning.
type RMSpropArgs struct {
	LearningRate  float32
	Alpha         float32
	OneMinusAlpha float32
	Eps           float32
	WeightDecay   float32
}

// NewRMSpropArgs returns the constants; PyTorch's defaults are alpha 0.99 and eps 1e-8.
func NewRMSpropArgs(learningRate, alpha, eps, weightDecay float64) RMSpropArgs {
	return RMSpropArgs{float32(learningRate), float32(alpha), float32(1 - alpha), float32(eps), float32(weightDecay)}
}
