package data

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aetrain/internal/token"
)

func openText(t testing.TB, source, keys string, files map[string]string) (*Splits, error) {
	t.Helper()
	all := map[string][]byte{}
	for name, text := range files {
		all[name] = []byte(text)
	}
	dir := writeFiles(t, all)
	c, err := readConfig(t, strings.ReplaceAll("[data]\nsource = \""+source+"\"\nvalidation = 0\n"+keys, "DIR", dir))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

// rowsOfText reads all rows back as text.
func rowsOfText(t testing.TB, s *Splits) []string {
	t.Helper()
	dst := NewBatch(s.Train.Fields(), s.Train.Len(), nil)
	if err := ReadRange(s.Train, 0, s.Train.Len(), dst); err != nil {
		t.Fatal(err)
	}
	var all []string
	length := s.Train.Fields()[0].Spec.Shape[0]
	for row := range slices.Chunk(dst[0].Int32s(), length) {
		text, err := s.Text(row)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	return all
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		want       []string
		words      int // of the vocabulary
	}{
		{"characters", "file = 'DIR/*.txt'\nlength = 4", []string{"ab b", "a b ", "über"}, 2 + 7},
		{"of a folder", "dir = 'DIR'\nlength = 4", []string{"ab b", "a b ", "über"}, 2 + 7},
		{"a small vocabulary", "file = 'DIR/a.txt'\nlength = 3\nvocabulary = 4", []string{"\ufffdb ", "b\ufffd ", "b \ufffd"}, 4},
		{"words", "file = 'DIR/a.txt'\ntokens = \"word\"\nlength = 2", []string{"ab ba", "b c"}, 2 + 4},
		{"parts", "file = 'DIR/a.txt'\ntokens = \"bpe\"\nlength = 3\nvocabulary = 7", []string{"ab b", "a b "}, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := openText(t, "text", c.keys, map[string]string{"a.txt": "ab ba b c", "b.txt": "überü", "c.md": "no"})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(s.Vocabulary()); got != c.words || s.Train.Fields()[0].Classes != c.words {
				t.Errorf("the vocabulary is %q", s.Vocabulary())
			}
			if got := rowsOfText(t, s); !slices.Equal(got, c.want) || len(s.Train.Fields()) != 1 {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestTokenizers hold text, tokens and text again.
func TestTokenizers(t *testing.T) {
	const text = "low lower lowest low low newer newest, wider\nthe end"
	for _, c := range []struct {
		kind string
		most int
		want []string // some tokens that there are
		same bool     // the text comes back
	}{
		{"char", 0, []string{"l", "\n", ","}, true},
		{"bpe", 30, []string{"low"}, true},
		{"word", 0, []string{"low", ",", "\n"}, false},
		{"atom", 0, []string{"l"}, false},
	} {
		t.Run(c.kind, func(t *testing.T) {
			made, err := newTokenizer(context.Background(), c.kind, c.most, []string{text})
			if err != nil {
				t.Fatal(err)
			}
			stored, err := json.Marshal(made)
			if err != nil {
				t.Fatal(err)
			}
			var again tokenizer
			if err := json.Unmarshal(stored, &again); err != nil {
				t.Fatal(err)
			}
			ids := made.encode(text)
			if !slices.Equal(ids, again.encode(text)) {
				t.Error("from a checkpoint: other tokens")
			}
			for _, w := range c.want {
				if !slices.Contains(made.Words, w) {
					t.Errorf("%q is no token of %q", w, made.Words)
				}
			}
			if got, err := made.text(ids); err != nil || c.same && got != text {
				t.Errorf("got %q, %v", got, err)
			}
			if got := made.encode("l€"); c.kind == "char" && !slices.Equal(got[1:], []int32{token.Unknown}) {
				t.Errorf("an unknown character is %v", got)
			}
		})
	}
}

func TestSMILES(t *testing.T) {
	s, err := openText(t, "smiles", "file = 'DIR/a.smi'\nlength = 6", map[string]string{"a.smi": "CCl name\n\nC[nH]1\nCCCCCCCC\n"})
	if err != nil {
		t.Fatal(err)
	}
	if got := rowsOfText(t, s); !slices.Equal(got, []string{"CCl", "C[nH]1"}) {
		t.Errorf("got %q", got)
	}
	dst := NewBatch(s.Train.Fields(), 2, nil)
	if err := ReadRange(s.Train, 0, 2, dst); err != nil {
		t.Fatal(err)
	}
	if got := dst[1].Float32s(); !slices.Equal(got, []float32{1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 0}) {
		t.Errorf("got the mask %v", got)
	}
	if got := dst[2].Int32s(); !slices.Equal(got, []int32{3, 4}) {
		t.Errorf("got the lengths %v", got)
	}
	if n := base(s.Train).(noter).notes(); len(n) != 1 || !strings.Contains(n[0], "1 molecules") {
		t.Errorf("got the notes %v", n)
	}
	if got := ExampleName(s.Train, 1); got != "a.smi:3" {
		t.Errorf("the second is called %s", got)
	}
}

func TestTextMistakes(t *testing.T) {
	for _, c := range []struct{ source, keys, want string }{
		{"text", "file = 'DIR/a.txt'\nlength = 99", "data.length: no text has 99 tokens"},
		{"text", "file = 'DIR/latin.txt'", "latin.txt: it is not UTF-8"},
		{"text", "file = 'DIR/a.txt'\nvocabulary = 2", "data.vocabulary: it is 2"},
		{"text", "file = 'DIR/a.txt'\nlength = 2\ntransforms = [{ kind = \"standardize\" }]", "standardize wants numbers"},
		{"smiles", "file = 'DIR/a.txt'\nlength = 1", "data.length: no molecule"},
	} {
		if _, err := openText(t, c.source, c.keys, map[string]string{"a.txt": "hello", "latin.txt": "\xfcber"}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	if _, err := readConfig(t, "[data]\nsource = \"text\""); err == nil || !strings.Contains(err.Error(), "one of file and dir is wanted") {
		t.Errorf("neither file nor dir: got %v", err)
	}
}

func FuzzTokenizer(f *testing.F) {
	f.Add("CCl[nH]", "atom")
	f.Add("the cat the cat", "bpe")
	f.Fuzz(func(t *testing.T, text, kind string) {
		made, err := newTokenizer(context.Background(), kind, 40, []string{text})
		if err != nil {
			t.Fatal(err)
		}
		ids := made.encode(text)
		if _, err := made.text(ids); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRealText(t *testing.T) {
	file := filepath.Join(realData(t, "text"), "input.txt")
	for tokens, want := range map[string]int{"char": 2 + 65, "bpe": 512, "word": 10000} {
		c, err := readConfig(t, "[data]\nsource = \"text\"\nfile = '"+file+"'\ntokens = \""+tokens+"\"")
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Vocabulary()); got != want {
			t.Errorf("%s: %d tokens, want %d", tokens, got, want)
		}
		t.Logf("%s: %d pieces", tokens, s.Train.Len()+s.Validation.Len())
		s.Close()
	}
}

func TestRealMolecules(t *testing.T) {
	s, err := openText(t, "smiles", "file = '"+filepath.Join(realData(t, "molecules"), "zinc_valid.txt")+"'", nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Train.Len() != 24445 {
		t.Errorf("got %d molecules", s.Train.Len())
	}
	t.Logf("%d tokens: %q; length %v", len(s.Vocabulary()), s.Vocabulary(), s.Train.Fields()[0].Spec)
}
