package data

import (
	"context"
	"slices"

	"aetrain/internal/philox"
	"aetrain/internal/token"
)

func init() {
	sources.Add("sentences", func() SourceOptions { return &Sentences{Examples: 10000} })
}

// Sentences is synthetic English of a small grammar, a sentence an example: x holds the words' numbers, the end among them, and mask and
// length say where it ends. Subject and verb agree in number, across what stands between them. The same seed draws the same sentences.
//
//	sentence:  subject verb object [place] | subject that verb object verb adverb
//	subject, object:  article [adjective] noun, singular or plural
type Sentences struct {
	Examples int    `toml:"examples" min:"1" max:"10000000" doc:"how many there are"`
	Draw     uint64 `toml:"draw" doc:"seed of the sentences: other numbers are other ones"`
}

// The words of the grammar; where there are two lists, the second one is the plural's.
var (
	articles   = [2][]string{{"a", "the", "this", "every"}, {"the", "these", "some", "many"}}
	adjectives = []string{"small", "old", "red", "quiet", "clever", "hungry"}
	nouns      = [2][]string{{"dog", "cat", "bird", "child", "farmer", "robot"}, {"dogs", "cats", "birds", "children", "farmers", "robots"}}
	verbs      = [2][]string{{"sees", "follows", "likes", "hears", "helps"}, {"see", "follow", "like", "hear", "help"}}
	resting    = [2][]string{{"sleeps", "waits", "sings"}, {"sleep", "wait", "sing"}}
	adverbs    = []string{"quietly", "often", "today"}
	places     = []string{"house", "garden", "river", "tree"}
	nearness   = []string{"near", "behind", "in"}
)

// longestSentence is that of the grammar, with its end.
const longestSentence = 11

// sentenceWords is the vocabulary.
func sentenceWords() []string {
	words := slices.Clone(specialTokens)
	for _, list := range [][]string{articles[0], articles[1], adjectives, nouns[0], nouns[1], verbs[0], verbs[1], resting[0], resting[1], adverbs, places, nearness, {"that"}} {
		for _, w := range list {
			if !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	return words
}

// Open implements SourceOptions.
func (o *Sentences) Open(ctx context.Context, _ Env) (*Parts, error) {
	by := &tokenizer{Kind: "word", Words: sentenceWords()}
	place := map[string]int32{}
	for i, w := range by.Words {
		place[w] = int32(i)
	}
	s, stream := newTokens(by, longestSentence), philox.Stream("data/sentences")
	for i := range o.Examples {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		g := grammar{choices: make([]float32, 32)}
		philox.Uniforms(g.choices, o.Draw, 0, uint32(i), 0, stream)
		g.sentence()
		row := make([]int32, 0, len(g.words)+1)
		for _, w := range g.words {
			row = append(row, place[w])
		}
		s.add(append(row, token.End), "")
	}
	return &Parts{Train: s}, nil
}

// grammar writes one sentence by choices in [0, 1).
type grammar struct {
	choices []float32
	words   []string
}

// pick takes the next choice: a number below n.
func (g *grammar) pick(n int) int {
	c := g.choices[0]
	g.choices = g.choices[1:]
	return min(n-1, int(c*float32(n)))
}

func (g *grammar) say(words []string) { g.words = append(g.words, words[g.pick(len(words))]) }

// phrase is article, perhaps an adjective, noun; it returns the number: 0 is the singular.
func (g *grammar) phrase() int {
	number := g.pick(2)
	g.say(articles[number])
	if g.pick(2) == 0 {
		g.say(adjectives)
	}
	g.say(nouns[number])
	return number
}

func (g *grammar) sentence() {
	clause := g.pick(3) == 0
	number := g.phrase()
	if clause { // the verb agrees with the subject, not with what it stands behind
		g.words = append(g.words, "that")
	}
	g.say(verbs[number])
	g.phrase()
	switch {
	case clause:
		g.say(resting[number])
		g.say(adverbs)
	case g.pick(2) == 0:
		g.say(nearness)
		g.words = append(g.words, "the")
		g.say(places)
	}
}
