package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"aetrain/configs"
	"aetrain/graph"

	"gorgonia.org/tensor"
)

func init() {
	sources.Add("text", func() SourceOptions { return &Text{Tokens: "char", Length: 64} })
}

// Text is pieces of text, Length tokens each, one after the other and never across files; x holds the tokens' numbers. What is left of a
// file at its end is no piece. The vocabulary is that of the file, kept in the checkpoint.
type Text struct {
	File       Paths  `toml:"file" doc:"text in UTF-8, .gz or not: a file, a glob or a list of them" example:"\"input.txt\""`
	Dir        string `toml:"dir,path" doc:"folder of .txt files, in place of file"`
	Tokens     string `toml:"tokens" choices:"char|bpe|word" doc:"characters; parts of words, joined by how often they follow one another; or words and signs"`
	Vocabulary int    `toml:"vocabulary" min:"0" max:"1000000" doc:"tokens at most, the most frequent ones; 0: all characters, 512 parts, 10,000 words" example:"512"`
	Length     int    `toml:"length" min:"1" max:"1048576" doc:"tokens of an example"`

	opened *tokenizer
}

// Validate wants one of file and dir.
func (o *Text) Validate() error { return fileOrDir(o.File, o.Dir) }

func fileOrDir(file Paths, dir string) error {
	if (len(file) == 0) == (dir == "") {
		return configs.KeyError("file", "one of file and dir is wanted")
	}
	return nil
}

func (o *Text) at(path string) SourceOptions {
	c := *o
	c.File, c.Dir = pathOf(path)
	return &c
}

// pathOf is a path as file or as dir.
func pathOf(path string) (Paths, string) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, path
	}
	return Paths{path}, ""
}

func (o *Text) check(missing func(key, abs, what string)) { checkFileOrDir(o.File, o.Dir, missing) }

func checkFileOrDir(file Paths, dir string, missing func(key, abs, what string)) {
	for _, path := range file {
		if !exists(path) {
			missing("file", path, "file")
		}
	}
	if info, err := os.Stat(dir); dir != "" && (err != nil || !info.IsDir()) {
		missing("dir", dir, "folder")
	}
}

func (o *Text) facts() any {
	if o.opened == nil {
		return nil
	}
	return o.opened
}
func (o *Text) recall() any       { return &tokenizer{} }
func (o *Text) with(recalled any) { o.opened = recalled.(*tokenizer) }

// Open implements SourceOptions.
func (o *Text) Open(ctx context.Context, env Env) (*Parts, error) {
	files, err := filesOf(o.File, o.Dir, ".txt")
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(files))
	for i, name := range files {
		if texts[i], err = readText(name); err != nil {
			return nil, err
		}
	}
	if o.opened == nil {
		env.Progress(Progress{What: "counting tokens", Unit: "files", Total: int64(len(files))})
		if o.opened, err = newTokenizer(ctx, o.Tokens, o.Vocabulary, texts); err != nil {
			return nil, err
		}
	}
	s := newTokens(o.opened, o.Length)
	for i, text := range texts {
		all := o.opened.encode(text)
		for at := 0; at+o.Length <= len(all); at += o.Length {
			s.add(all[at:at+o.Length], fmt.Sprintf("%s:%d", filepath.Base(files[i]), at/o.Length))
		}
	}
	if s.Len() == 0 {
		return nil, mistake("data.length", "no text has %d tokens", o.Length)
	}
	return &Parts{Train: s}, nil
}

// filesOf lists the files that a source reads: those of file, or those of a folder with this ending (or it and .gz), at any depth.
func filesOf(file Paths, dir, ending string) ([]string, error) {
	if dir == "" {
		return file.Files()
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (filepath.Ext(path) == ending || filepath.Ext(path) == ".gz" && filepath.Ext(path[:len(path)-3]) == ending) {
			files = append(files, path)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s holds no %s file", dir, ending)
	}
	return files, err
}

// mostText bounds a text that a packed file may unpack to.
const mostText = 4 << 30

// readText reads a file of UTF-8.
func readText(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	r, err := gunzipped(f)
	var b []byte
	if err == nil {
		b, err = io.ReadAll(io.LimitReader(r, mostText))
	}
	if err == nil && !utf8.Valid(b) {
		err = errors.New("it is not UTF-8")
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(b), nil
}

// tokens is a Source of rows of tokens in memory. Where rows differ in length they are padded with token.End, and mask and length tell.
type tokens struct {
	by      *tokenizer
	length  int
	of      []int32
	lengths []int32
	short   bool // some row is shorter than length
	called  []string
	noted   []string
}

func newTokens(by *tokenizer, length int) *tokens { return &tokens{by: by, length: length} }

// add takes in a row of at most length tokens.
func (s *tokens) add(row []int32, name string) {
	s.of = append(s.of, row...)
	s.of = append(s.of, make([]int32, s.length-len(row))...) // token.End is 0
	s.lengths, s.called = append(s.lengths, int32(len(row))), append(s.called, name)
	s.short = s.short || len(row) < s.length
}

func (s *tokens) Len() int          { return len(s.called) }
func (s *tokens) Close() error      { return nil }
func (s *tokens) Name(i int) string { return s.called[i] }
func (s *tokens) notes() []string   { return s.noted }

func (s *tokens) Fields() []Field {
	fields := []Field{{Name: "x", Spec: graph.I32(s.length), Classes: len(s.by.Words)}}
	if s.short {
		fields = append(fields, Field{Name: "mask", Spec: graph.F32(s.length)}, Field{Name: "length", Spec: graph.I32(), Classes: s.length + 1})
	}
	return fields
}

func (s *tokens) Read(dst []*tensor.Dense, indices []int) error {
	if err := checkRead(s, dst, indices); err != nil {
		return err
	}
	x := dst[0].Int32s()
	for n, i := range indices {
		copy(x[n*s.length:(n+1)*s.length], s.of[i*s.length:])
	}
	if !s.short {
		return nil
	}
	mask, length := dst[1].Float32s(), dst[2].Int32s()
	clear(mask)
	for n, i := range indices {
		length[n] = s.lengths[i]
		for k := range int(s.lengths[i]) {
			mask[n*s.length+k] = 1
		}
	}
	return nil
}
