package model

import (
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
	"aetrain/op"
)

// wordLearned is a likelihood's variance or scale that is one parameter for the whole set.
const wordLearned = "learned"

// checkOneNumber wants a single number where no word is given; words are what there is besides, for the message.
func checkOneNumber(key string, v configs.NumbersOrWord, words string) error {
	if len(v.Numbers) > 1 {
		return configs.KeyError(key, "%d numbers; want one, %s", len(v.Numbers), words)
	}
	return nil
}

// logOf is the logarithm of a variance or scale: a parameter called name, which starts at 0, where it is learned, else of the number.
func logOf(s *nn.Scope, name string, v configs.NumbersOrWord) graph.Value {
	if v.Word == wordLearned {
		return s.Param(name, nil)
	}
	return s.Graph().Scalar(math.Log(v.Number()))
}

// halves takes what a decoder gives apart: the first so many channels, and as many behind them.
func halves(raw graph.Value, channels int) (first, second graph.Value) {
	axis := 1 // of images and vectors
	if raw.Rank() == 3 {
		axis = 2
	}
	return op.Slice(raw, axis, 0, channels), op.Slice(raw, axis, channels, 2*channels)
}
