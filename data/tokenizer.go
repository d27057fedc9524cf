package data

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"aetrain/internal/token"
)

// tokenizer turns text into numbers and back: places in Words, which begins with specialTokens.
type tokenizer struct {
	Kind   string // char, bpe, word, atom
	Words  []string
	Merges [][2]string `json:",omitempty"` // of bpe, in the order in which they were learnt

	place map[string]int32
	rank  map[[2]string]int
	known map[string][]int32 // of bpe: words that were cut before
}

// specialTokens are the words of token.End and token.Unknown.
var specialTokens = []string{"", "\ufffd"}

// What kinds cut a text into before they count: words with the space before them, words and signs, atoms of a SMILES.
// Source of the last: Schwaller et al. 2018, "Found in Translation", section 3.
var (
	spacedWord = regexp.MustCompile(` ?[\pL\pN]+| ?[^\s\pL\pN]+|\s`)
	wordOrSign = regexp.MustCompile(`[\pL\pN_]+(?:['’][\pL]+)?|[^\s\pL\pN_]|\n`)
	atom       = regexp.MustCompile(`\[[^\]]+\]|Br|Cl|%\d\d|.`)
)

// newTokenizer learns a vocabulary of at most so many tokens; 0 is the kind's own number.
func newTokenizer(ctx context.Context, kind string, most int, texts []string) (*tokenizer, error) {
	t := &tokenizer{Kind: kind, Words: slices.Clone(specialTokens)}
	if most == 0 {
		most = map[string]int{"bpe": 512, "word": 10000}[kind]
	}
	if most != 0 && most <= len(specialTokens) {
		return nil, mistake("data.vocabulary", "it is %d, two of which are the end and what is not known", most)
	}
	if kind == "bpe" {
		return t, t.learn(ctx, most, texts)
	}
	counts := map[string]int{}
	for _, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, w := range t.cut(text) {
			counts[w]++
		}
	}
	t.Words = append(t.Words, mostFrequent(counts, most-len(specialTokens))...)
	return t, nil
}

// mostFrequent are the words with the largest counts, at most so many (below 0: all), in the order of their spelling.
func mostFrequent(counts map[string]int, most int) []string {
	var words []string
	for w := range counts {
		words = append(words, strings.Clone(w))
	}
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	if most >= 0 && len(words) > most {
		words = words[:most]
	}
	slices.Sort(words)
	return words
}

// cut splits a text into what is counted.
func (t *tokenizer) cut(text string) []string {
	switch t.Kind {
	case "word":
		return wordOrSign.FindAllString(text, -1)
	case "bpe":
		return spacedWord.FindAllString(text, -1)
	case "atom":
		return atom.FindAllString(text, -1)
	}
	return strings.Split(text, "")
}

// learn joins the two neighbouring parts that are most frequent, again and again.
// Source: Sennrich, Haddow & Birch 2016, "Neural Machine Translation of Rare Words with Subword Units", algorithm 1.
func (t *tokenizer) learn(ctx context.Context, most int, texts []string) error {
	counts, chars := map[string]int{}, map[string]int{}
	for _, text := range texts {
		for _, w := range t.cut(text) {
			counts[w]++
		}
	}
	var words []bpeWord
	for _, w := range mostFrequent(counts, -1) {
		parts := strings.Split(w, "")
		words = append(words, bpeWord{parts, counts[w]})
		for _, c := range parts {
			chars[c] += counts[w]
		}
	}
	t.Words = append(t.Words, mostFrequent(chars, most-len(specialTokens))...)
	in := map[string]bool{}
	for _, w := range t.Words {
		in[w] = true
	}
	p := newPairs(words)
	for len(t.Words) < most {
		if err := ctx.Err(); err != nil {
			return err
		}
		best, ok := p.mostFrequent()
		if !ok {
			return nil // every pair is alone
		}
		p.join(best)
		t.Merges = append(t.Merges, best)
		if joined := best[0] + best[1]; !in[joined] { // two ways may lead to one part
			in[joined] = true
			t.Words = append(t.Words, joined)
		}
	}
	return nil
}

// bpeWord is a word as parts, and how often it occurs.
type bpeWord struct {
	parts []string
	count int
}

// pairs counts neighbouring parts of words.
type pairs struct {
	words  []bpeWord
	counts map[[2]string]int
	where  map[[2]string]map[int]bool // in which words
}

func newPairs(words []bpeWord) *pairs {
	p := &pairs{words: words, counts: map[[2]string]int{}, where: map[[2]string]map[int]bool{}}
	for i := range words {
		p.count(i, 1)
	}
	return p
}

// count adds the pairs of word i, or with -1 takes them away.
func (p *pairs) count(i, sign int) {
	w := p.words[i]
	for k := 1; k < len(w.parts); k++ {
		pair := [2]string{w.parts[k-1], w.parts[k]}
		p.counts[pair] += sign * w.count
		if sign < 0 {
			delete(p.where[pair], i)
			continue
		}
		if p.where[pair] == nil {
			p.where[pair] = map[int]bool{}
		}
		p.where[pair][i] = true
	}
}

// mostFrequent is the pair that occurs most often, and at least twice; of equal ones the first by spelling.
func (p *pairs) mostFrequent() (best [2]string, ok bool) {
	n := 1
	for pair, c := range p.counts {
		if c > n || c == n && n > 1 && (pair[0] < best[0] || pair[0] == best[0] && pair[1] < best[1]) {
			best, n = pair, c
		}
	}
	return best, n > 1
}

// join makes one part of a pair wherever it stands.
func (p *pairs) join(pair [2]string) {
	for i := range p.where[pair] {
		p.count(i, -1)
		p.words[i].parts = join2(p.words[i].parts, pair)
		p.count(i, 1)
	}
	delete(p.counts, pair)
	delete(p.where, pair)
}

// join2 joins each neighbouring pair of parts.
func join2(parts []string, pair [2]string) []string {
	out := parts[:0]
	for i := 0; i < len(parts); i++ {
		if i+1 < len(parts) && parts[i] == pair[0] && parts[i+1] == pair[1] {
			out = append(out, pair[0]+pair[1])
			i++
			continue
		}
		out = append(out, parts[i])
	}
	return out
}

// encode gives the numbers of a text's tokens.
func (t *tokenizer) encode(text string) []int32 {
	t.index()
	var all []int32
	for _, w := range t.cut(text) {
		if t.Kind != "bpe" {
			all = append(all, t.number(w))
			continue
		}
		ids, ok := t.known[w]
		if !ok {
			ids = t.parts(w)
			t.known[w] = ids
		}
		all = append(all, ids...)
	}
	return all
}

// index prepares for encode: a tokenizer may come from a checkpoint.
func (t *tokenizer) index() {
	if t.place != nil {
		return
	}
	t.place, t.rank, t.known = map[string]int32{}, map[[2]string]int{}, map[string][]int32{}
	for i, w := range t.Words[min(len(specialTokens), len(t.Words)):] {
		t.place[w] = int32(i + len(specialTokens))
	}
	for i, m := range t.Merges {
		t.rank[m] = i
	}
}

func (t *tokenizer) number(w string) int32 {
	if at, ok := t.place[w]; ok {
		return at
	}
	return token.Unknown
}

// parts cuts a word as learn would have: the pair that was learnt first is joined first.
func (t *tokenizer) parts(w string) []int32 {
	parts := strings.Split(w, "")
	for {
		best, rank := [2]string{}, len(t.Merges)
		for i := 1; i < len(parts); i++ {
			if r, ok := t.rank[[2]string{parts[i-1], parts[i]}]; ok && r < rank {
				best, rank = [2]string{parts[i-1], parts[i]}, r
			}
		}
		if rank == len(t.Merges) {
			break
		}
		parts = join2(parts, best)
	}
	ids := make([]int32, len(parts))
	for i, p := range parts {
		ids[i] = t.number(p)
	}
	return ids
}

// text is what tokens say, up to the first end.
func (t *tokenizer) text(ids []int32) (string, error) {
	var b strings.Builder
	for _, id := range ids {
		if id == token.End {
			break
		}
		if id < 0 || int(id) >= len(t.Words) {
			return "", fmt.Errorf("token %d of a vocabulary of %d", id, len(t.Words))
		}
		if t.Kind == "word" && b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.Words[id])
	}
	return b.String(), nil
}
