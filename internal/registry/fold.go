package registry

import "strings"

// british lists the words whose British spelling differs by more than "-ise".
var british = strings.NewReplacer("grey", "gray", "colour", "color", "centre", "center", "neighbour", "neighbor",
	"behaviour", "behavior", "labelled", "labeled", "modelled", "modeled", "analyse", "analyze")

// endings are those of verbs in "-ise" and of what is made from them.
var endings = []string{"isation", "ising", "iser", "ised", "ise"}

// shortestStem is the length from which a stem takes an ending: it keeps "noise" and "raise" as they are.
const shortestStem = 4

// Fold returns the form in which two spellings of one name are equal: "_" for "-", American for British.
// Case counts: "VAE" and "vae" differ.
func Fold(name string) string {
	words := strings.Split(strings.ReplaceAll(name, "-", "_"), "_")
	for i, word := range words {
		words[i] = american(british.Replace(word))
	}
	return strings.Join(words, "_")
}

// american turns "standardise" into "standardize".
func american(word string) string {
	for _, end := range endings {
		if stem, ok := strings.CutSuffix(word, end); ok && len(stem) >= shortestStem {
			return stem + "iz" + end[len("is"):]
		}
	}
	return word
}

// Find returns the one of the names that equals name after folding.
func Find(name string, among []string) (string, bool) {
	folded := Fold(name)
	for _, a := range among {
		if Fold(a) == folded {
			return a, true
		}
	}
	return "", false
}
