package data

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// Sentences are of the grammar, end within their length, and are always the same.
func TestSentences(t *testing.T) {
	open := func(draw uint64) (*tokens, []string) {
		p, err := (&Sentences{Examples: 500, Draw: draw}).Open(context.Background(), Env{})
		if err != nil {
			t.Fatal(err)
		}
		s := p.Train.(*tokens)
		var all []string
		for i := range s.Len() {
			text, err := s.by.text(s.of[i*s.length : (i+1)*s.length])
			if err != nil {
				t.Fatal(err)
			}
			if words := len(strings.Fields(text)); int(s.lengths[i]) != words+1 {
				t.Fatalf("%q has %d words and length %d, its end among them", text, words, s.lengths[i])
			}
			all = append(all, text)
		}
		return s, all
	}
	s, all := open(0)
	if got := s.Fields(); len(got) != 3 || got[0].Classes != len(sentenceWords()) || got[1].Name != "mask" {
		t.Errorf("the fields are %v", got)
	}
	if slices.Max(s.lengths) != longestSentence {
		t.Errorf("the longest of %d sentences has %d words, want %d", s.Len(), slices.Max(s.lengths), longestSentence)
	}
	plural := func(list [2][]string, w string) (number int, is bool) {
		for n := range list {
			if slices.Contains(list[n], w) {
				return n, true
			}
		}
		return 0, false
	}
	clauses := 0
	for _, text := range all {
		words := strings.Fields(text)
		subject := -1
		for _, w := range words {
			if n, is := plural(nouns, w); is && subject < 0 {
				subject = n
			}
			for _, list := range [][2][]string{verbs, resting} {
				if n, is := plural(list, w); is && n != subject {
					t.Errorf("%q: %s does not agree with its subject", text, w)
				}
			}
		}
		if slices.Contains(words, "that") {
			clauses++
		}
	}
	if clauses < 100 || clauses > 250 {
		t.Errorf("%d of 500 sentences have a clause, want about a third", clauses)
	}
	if _, again := open(0); !slices.Equal(again, all) {
		t.Error("the same seed gives other sentences")
	}
	if _, other := open(1); slices.Equal(other, all) {
		t.Error("another seed gives the same sentences")
	}
}
