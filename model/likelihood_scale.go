package model

import (
	"math"

	"aetrain/configs"
	"aetrain/graph"
	"aetrain/nn"
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
