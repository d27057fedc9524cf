package main

import (
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
)

// pngText is a grey picture.
func pngText(t *testing.T, h, w int) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = uint8(i)
	}
	var b strings.Builder
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tableText has a number with holes, a category, a remark and a label.
func tableText(rows int) string {
	var b strings.Builder
	b.WriteString("amount,country,remark,fraud\n")
	for i := range rows {
		amount := fmt.Sprint(i * i)
		if i%7 == 0 {
			amount = ""
		}
		fmt.Fprintf(&b, "%s,%s,row %d,%d\n", amount, []string{"DE", "FR"}[i%2], i, i%5/4)
	}
	return b.String()
}

// TestDataOfTable goes through a day with a table: init, stats, preview, train, scores of raw rows.
func TestDataOfTable(t *testing.T) {
	l := newLab(t)
	l.write("pay.csv", tableText(60))
	l.must("init", "-preset", "ae", "-data", "pay.csv", "-out", "pay.toml", "-quiet", "-set", "data.label=fraud", "-set", "model.latent_dim=2")
	stats := l.must("data", "stats", "-config", "pay.toml").stdout
	for _, want := range []string{"train        54 examples", "impute", "one-hot", "column remark is left out", "amount", "numeric (guessed)", "categorical (guessed)", "2: DE, FR"} {
		if !strings.Contains(stats, want) {
			t.Errorf("stats lack %q:\n%s", want, stats)
		}
	}
	var out struct {
		Columns []struct {
			Name, Type string
			Missing    int
		}
	}
	l.json(&out, "data", "stats", "-config", "pay.toml")
	if len(out.Columns) != 2 || out.Columns[1].Name != "country" || out.Columns[1].Type != "categorical" || out.Columns[0].Missing == 0 {
		t.Errorf("got the columns %+v", out.Columns)
	}
	preview := l.must("data", "preview", "-config", "pay.toml", "-n", "3").stdout
	if lines := strings.Split(strings.TrimSpace(preview), "\n"); len(lines) != 4 || lines[0] != "amount,country=DE,country=FR,country=(other)" {
		t.Errorf("preview:\n%s", preview)
	}
	l.must("data", "preview", "-config", "pay.toml", "-out", "p.png")
	l.must("train", "pay.toml", "-out", "r", "-quiet", "-set", "train.epochs=1")
	l.write("today.csv", "country,amount\nFR,100\nXX,\n")
	got := l.must("encode", "-run", "r", "-in", "today.csv", "-out", "z.csv").stdout
	if lines := strings.Split(strings.TrimSpace(l.read("z.csv")), "\n"); len(lines) != 3 {
		t.Errorf("%s\ngave %q", got, lines)
	}
}

// TestDataOfPhotos does the same with pictures of several sizes.
func TestDataOfPhotos(t *testing.T) {
	l := newLab(t)
	for i := range 12 {
		l.write(fmt.Sprintf("photos/%c/%d.png", 'a'+i%2, i), pngText(t, 10+i, 20))
	}
	if o := l.run("data", "stats", "-source", "images", "-set", "data.dir=photos"); o.code != 2 || !strings.Contains(o.stderr, `data.transforms: images differ in size (a/0.png 20x10, a/10.png 20x20): add { kind = "resize", size = 128 }`) {
		t.Errorf("exit code %d, %s", o.code, o.stderr)
	}
	l.must("init", "-preset", "ae", "-data", "photos", "-out", "my.toml", "-quiet", "-set", `data.transforms=[{ kind = "resize", size = 8 }, { kind = "flip" }]`)
	if stats := l.must("data", "stats", "-config", "my.toml").stdout; !strings.Contains(stats, "1x8x8") || !strings.Contains(stats, "0 a, 1 b") {
		t.Errorf("stats:\n%s", stats)
	}
	l.must("data", "preview", "-config", "my.toml", "-out", "preview.png")
	l.must("train", "my.toml", "-out", "r", "-quiet", "-set", "train.epochs=1")
	l.must("encode", "-run", "r", "-in", "photos", "-out", "z.csv")
	if !strings.Contains(l.read("z.csv"), "a/10.png,") {
		t.Errorf("rows are not called by their files:\n%s", l.read("z.csv"))
	}
	l.must("reconstruct", "-run", "r", "-in", "photos/a/0.png", "-out", "cat.png")
}

// TestDataOfText previews text as text.
func TestDataOfText(t *testing.T) {
	l := newLab(t)
	l.write("a.txt", strings.Repeat("hello world\n", 40))
	got := l.must("data", "preview", "-source", "text", "-set", "data.file=a.txt", "-set", "data.length=12", "-set", "data.shuffle=false", "-n", "2").stdout
	if got != "hello world\\n\nhello world\\n\n" {
		t.Errorf("got %q", got)
	}
	if o := l.run("data", "preview", "-source", "text", "-set", "data.file=a.txt", "-out", "a.png"); o.code != 2 {
		t.Errorf("a picture of text: exit code %d", o.code)
	}
}
