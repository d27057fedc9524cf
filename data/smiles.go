package data

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"aetrain/internal/token"
)

func init() { sources.Add("smiles", func() SourceOptions { return &SMILES{Tokens: "atom"} }) }

// SMILES is molecules, one a line, as rows of tokens: x ends with the token 0 and is padded with it; mask is 1 up to the first 0, which
// counts, and length counts alike. What follows a blank on a line is passed over.
type SMILES struct {
	File   Paths  `toml:"file" doc:"molecules, one a line, .gz or not: a file, a glob or a list of them" example:"\"zinc_valid.txt\""`
	Dir    string `toml:"dir,path" doc:"folder of .smi files, in place of file"`
	Tokens string `toml:"tokens" choices:"atom|char" doc:"atoms (Cl, [nH]) and bonds, or characters"`
	Length int    `toml:"length" min:"0" max:"65536" doc:"tokens of an example with its end; longer molecules are left out; 0: what the longest takes" example:"80"`

	opened *smilesFacts
}

// smilesFacts are the vocabulary and the length of the training file.
type smilesFacts struct {
	Tokenizer *tokenizer
	Length    int
}

// Validate wants one of file and dir.
func (o *SMILES) Validate() error { return fileOrDir(o.File, o.Dir) }

func (o *SMILES) at(path string) SourceOptions {
	c := *o
	c.File, c.Dir = pathOf(path)
	return &c
}

func (o *SMILES) check(missing func(key, abs, what string)) { checkFileOrDir(o.File, o.Dir, missing) }

func (o *SMILES) facts() any {
	if o.opened == nil {
		return nil
	}
	return o.opened
}
func (o *SMILES) recall() any { return &smilesFacts{} }
func (o *SMILES) with(recalled any) {
	if f := recalled.(*smilesFacts); f.Tokenizer != nil {
		o.opened = f
	}
}

// Open implements SourceOptions.
func (o *SMILES) Open(ctx context.Context, _ Env) (*Parts, error) {
	files, err := filesOf(o.File, o.Dir, ".smi")
	if err != nil {
		return nil, err
	}
	var molecules, names []string
	for _, name := range files {
		text, err := readText(name)
		if err != nil {
			return nil, err
		}
		for n, line := range strings.Split(text, "\n") {
			if words := strings.Fields(line); len(words) > 0 {
				molecules, names = append(molecules, words[0]), append(names, fmt.Sprintf("%s:%d", filepath.Base(name), n+1))
			}
		}
	}
	known := o.opened
	if known == nil {
		known = &smilesFacts{Length: o.Length}
		if known.Tokenizer, err = newTokenizer(ctx, o.Tokens, 0, molecules); err != nil {
			return nil, err
		}
	}
	rows, longest := make([][]int32, len(molecules)), 0
	for i, m := range molecules {
		rows[i] = append(known.Tokenizer.encode(m), token.End)
		longest = max(longest, len(rows[i]))
	}
	if known.Length == 0 {
		known.Length = longest
	}
	s, long := newTokens(known.Tokenizer, known.Length), 0
	for i, row := range rows {
		if len(row) > known.Length {
			long++
			continue
		}
		s.add(row, names[i])
	}
	s.short = true // the fields do not depend on which lines there are
	if long > 0 {
		s.noted = []string{fmt.Sprintf("%d molecules of more than %d tokens are left out", long, known.Length)}
	}
	if s.Len() == 0 {
		return nil, mistake("data.length", "no molecule has at most %d tokens, the end counted", known.Length)
	}
	o.opened = known
	return &Parts{Train: s}, nil
}
