package data

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aetrain/graph"
)

func openRatings(t testing.TB, keys, text string) (*Splits, error) {
	t.Helper()
	dir := writeFiles(t, map[string][]byte{"r.csv": []byte(text), "more.csv": []byte("u,i,r\nnew,b,9\nnew,z,9\nnew,a,9\n")})
	c, err := readConfig(t, strings.ReplaceAll("[data]\nsource = \"ratings\"\nfile = 'DIR/r.csv'\n"+keys, "DIR", dir))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

const ratings = "u,i,r\n1,b,9\n1,a,7\n2,a,8\n1,c,3\n2,c,10\n3,d,9\n2,a,2\n"

func TestRatings(t *testing.T) {
	s, err := openRatings(t, "user = \"u\"\nitem = \"i\"\nvalue = \"r\"\nmin_value = 3\nmin_items = 2\nvalidation = 0", ratings)
	if err != nil {
		t.Fatal(err)
	}
	// 2 has taken back its a, but a value below the least is no click at all: the former one stays. 3 has one item only.
	if got := readAll(t, s.Train); s.Train.Len() != 2 || !slices.Equal(s.FeatureNames(), []string{"a", "b", "c"}) || !slices.Equal(got, []float32{1, 1, 1, 1, 0, 1}) {
		t.Errorf("got %d users, items %v, %v", s.Train.Len(), s.FeatureNames(), got)
	}
	if got := ExampleName(s.Train, 1); got != "2" {
		t.Errorf("the second is called %s", got)
	}
	s, err = openRatings(t, "user = \"0\"\nitem = \"1\"\nvalue = \"2\"\nvalidation = 0", "1::5::2::99\n1::6::4::99\n2::5::3::99\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, s.Train); !slices.Equal(got, []float32{2, 4, 3, 0}) {
		t.Errorf("values as they are: got %v", got)
	}
}

// TestRatingsHidden hides a fifth of held-out users' items, always the same.
func TestRatingsHidden(t *testing.T) {
	var b strings.Builder
	b.WriteString("u,i\n")
	for u := range 10 {
		for i := range 10 {
			b.WriteString(string(rune('a'+u)) + "," + string(rune('0'+i)) + "\n")
		}
	}
	s, err := openRatings(t, "user = \"u\"\nitem = \"i\"\nvalidation = 4", b.String())
	if err != nil {
		t.Fatal(err)
	}
	sums := func(s Source) (x, target float32, both int) {
		dst := NewBatch(s.Fields(), s.Len(), nil)
		if err := ReadRange(s, 0, s.Len(), dst); err != nil {
			t.Fatal(err)
		}
		for i, v := range dst[0].Float32s() {
			w := dst[1].Float32s()[i]
			if x, target = x+v, target+w; v > 0 && w > 0 {
				both++
			}
		}
		return x, target, both
	}
	if x, target, both := sums(s.Train); x != 60 || target != 60 || both != 60 {
		t.Errorf("train: %v items in x, %v in target", x, target)
	}
	if x, target, both := sums(s.Validation); x != 32 || target != 8 || both != 0 {
		t.Errorf("validation: %v items in x, %v in target, %d in both", x, target, both)
	}
	if !slices.Equal(readAll(t, s.Validation), readAll(t, s.Validation)) {
		t.Error("reading again hides others")
	}
}

func TestRatingsInput(t *testing.T) {
	s, err := openRatings(t, "user = \"u\"\nitem = \"i\"\nvalue = \"r\"\ntest = 'DIR/more.csv'\nvalidation = 0", ratings)
	if err != nil {
		t.Fatal(err)
	}
	if f := s.Test.Fields()[0].Spec; !f.Equal(graph.F32(4)) || s.Test.Len() != 1 {
		t.Errorf("held-out users are %v", f)
	}
}

func TestRatingsMistakes(t *testing.T) {
	for _, c := range []struct{ keys, text, want string }{
		{`user = "usr"`, ratings, "data.user: no column usr"},
		{"user = \"u\"\nitem = \"i\"\nvalue = \"i\"", ratings, `line 2: the value "b" is not a number`},
		{"user = \"u\"\nitem = \"i\"\nmin_items = 9", ratings, "data.min_items: no user has 9 items"},
	} {
		if _, err := openRatings(t, c.keys, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func FuzzRatings(f *testing.F) {
	f.Add([]byte(ratings))
	f.Add([]byte("1::2::3\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		for _, o := range []*Ratings{{User: "u", Item: "i", Value: "r"}, {User: "0", Item: "1"}} {
			c := &clicks{users: map[string]int32{}, items: map[string]int32{}}
			if o.read(context.Background(), strings.NewReader(string(text)), "a.csv", c, Env{Progress: func(Progress) {}}) == nil {
				c.source(1, nil)
			}
		}
	})
}

// TestRealRatings is shared/examples/10-mult-vae.toml's data.
func TestRealRatings(t *testing.T) {
	file := filepath.Join(realData(t, "ratings"), "ratings.csv.gz")
	c, err := readConfig(t, "[data]\nsource = \"ratings\"\nfile = '"+file+"'\nuser = \"user_id\"\nitem = \"movie_id\"\nvalue = \"rating\"\nmin_value = 7\nmin_items = 5\nvalidation = 500\ntest = 500\nbatch = 500")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Validation.Len() != 500 || s.Test.Len() != 500 || s.Train.Len() < 1000 || !strings.HasPrefix(s.FeatureNames()[0], "00") {
		t.Errorf("got %d, %d, %d users, the first item %s", s.Train.Len(), s.Validation.Len(), s.Test.Len(), s.FeatureNames()[0])
	}
	dst := NewBatch(s.Test.Fields(), 500, nil)
	if err := ReadRange(s.Test, 0, 500, dst); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d training users, %d items", s.Train.Len(), len(s.FeatureNames()))
}
