// Package token numbers the two tokens that every vocabulary of text begins with: sources give them, models know what they mean.
package token

const (
	End     = 0 // ends a text, and fills the places behind it
	Unknown = 1 // stands for what is not in the vocabulary, and for what is hidden
)
