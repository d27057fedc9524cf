package data

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aetrain/configs"
	"aetrain/graph"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// testImage is h×w pixels: red grows to the right, green downwards, blue is 100.
func testImage(h, w int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(40 * x), uint8(40 * y), 100, 255})
		}
	}
	return m
}

func encoded(t testing.TB, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngBytes(t testing.TB, m image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, m) })
}

// greyPNG is an h×w grey image of one value.
func greyPNG(t testing.TB, h, w int, value uint8) []byte {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = value
	}
	return pngBytes(t, m)
}

// oneWebP is a single pixel.
const oneWebP = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func TestPictureFormats(t *testing.T) {
	m := testImage(2, 3)
	transparent := testImage(2, 3)
	for i := 3; i < len(transparent.Pix); i += 4 {
		transparent.Pix[i] = 7
	}
	grey := image.NewGray16(image.Rect(0, 0, 2, 1))
	grey.SetGray16(1, 0, color.Gray16{0xffff})
	want := []uint8{0, 40, 80, 0, 40, 80, 0, 0, 0, 40, 40, 40, 100, 100, 100, 100, 100, 100}
	webp, err := base64.StdEncoding.DecodeString(oneWebP)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		b        []byte
		channels int
		h, w     int
		want     []uint8 // nil: only that it is read
		close    int     // how far a pixel may be off
	}{
		{"png", pngBytes(t, m), 3, 2, 3, want, 0},
		{"alpha is dropped", pngBytes(t, transparent), 3, 2, 3, want, 0},
		{"as grey", pngBytes(t, m), 1, 2, 3, []uint8{11, 23, 35, 35, 47, 59}, 0},
		{"16 bits", pngBytes(t, grey), 1, 1, 2, []uint8{0, 255}, 0},
		{"grey as colour", greyPNG(t, 1, 2, 9), 3, 1, 2, []uint8{9, 9, 9, 9, 9, 9}, 0},
		{"bmp", encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, m) }), 3, 2, 3, want, 0},
		{"tiff", encoded(t, func(b *bytes.Buffer) error { return tiff.Encode(b, m, nil) }), 3, 2, 3, want, 0},
		{"gif", encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, m, nil) }), 3, 2, 3, want, 40},
		{"jpeg", encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, greyOf(8, 8, 120), &jpeg.Options{Quality: 100}) }), 1, 8, 8, bytes.Repeat([]byte{120}, 64), 1},
		{"webp", webp, 3, 1, 1, nil, 0},
		{"pgm, binary", []byte("P5\n# made by hand\n3 1\n255\n\x00\x80\xff"), 1, 1, 3, []uint8{0, 128, 255}, 0},
		{"pgm, text", []byte("P2 3 1 4\n0 2 4"), 1, 1, 3, []uint8{0, 128, 255}, 0},
		{"pgm, 16 bits", []byte("P5 1 2 65535\n\xff\xff\x00\x00"), 1, 2, 1, []uint8{255, 0}, 0},
		{"ppm", []byte("P6 1 1 255\n\x01\x02\x03"), 3, 1, 1, []uint8{1, 2, 3}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := decodePicture(c.b, c.channels)
			if err != nil {
				t.Fatal(err)
			}
			if p.h != c.h || p.w != c.w || len(p.pixels) != c.channels*c.h*c.w {
				t.Fatalf("got %dx%d, %d bytes", p.h, p.w, len(p.pixels))
			}
			for i, v := range c.want {
				if d := int(v) - int(p.pixels[i]); d > c.close || -d > c.close {
					t.Errorf("got %v, want %v", p.pixels, c.want)
					break
				}
			}
		})
	}
}

func greyOf(h, w int, value uint8) image.Image {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = value
	}
	return m
}

// exifJPEG puts an orientation into a JPEG file.
func exifJPEG(jpg []byte, orientation byte, order string) []byte {
	tiff := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00")
	if order == "II" {
		tiff = []byte("II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00\x00")
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	segment := append([]byte{0xff, 0xe1, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
	return slices.Concat(jpg[:2], segment, jpg[2:])
}

// TestEXIF turns an image of two halves, dark and light.
func TestEXIF(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 16, 8)) // left dark, right light
	for i := range m.Pix {
		if i%16 >= 8 {
			m.Pix[i] = 255
		}
	}
	jpg := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) })
	for o, want := range []struct {
		h, w       int
		light, dim [2]int // y, x of a light and of a dark pixel
	}{
		1: {8, 16, [2]int{0, 15}, [2]int{0, 0}}, 2: {8, 16, [2]int{0, 0}, [2]int{0, 15}}, 3: {8, 16, [2]int{7, 0}, [2]int{7, 15}}, 4: {8, 16, [2]int{0, 15}, [2]int{0, 0}},
		5: {16, 8, [2]int{15, 0}, [2]int{0, 0}}, 6: {16, 8, [2]int{15, 7}, [2]int{0, 7}}, 7: {16, 8, [2]int{0, 0}, [2]int{15, 0}}, 8: {16, 8, [2]int{0, 0}, [2]int{15, 0}},
	} {
		if o == 0 {
			continue
		}
		for _, order := range []string{"MM", "II"} {
			b := exifJPEG(jpg, byte(o), order)
			p, err := decodePicture(b, 1)
			if err != nil {
				t.Fatal(err)
			}
			h, w, grey, err := pictureSize(b)
			if p.h != want.h || p.w != want.w || h != want.h || w != want.w || !grey || err != nil {
				t.Fatalf("orientation %d: got %dx%d, header %dx%d, grey %v, %v", o, p.h, p.w, h, w, grey, err)
			}
			if light, dim := p.pixels[want.light[0]*p.w+want.light[1]], p.pixels[want.dim[0]*p.w+want.dim[1]]; light < 240 || dim > 15 {
				t.Errorf("orientation %d (%s): got %d where it is light, %d where it is dark", o, order, light, dim)
			}
		}
	}
}

func TestTurn(t *testing.T) {
	// 1 2 3 over 4 5 6, as the eight orientations show it.
	for o, want := range [][]uint8{1: {1, 2, 3, 4, 5, 6}, 2: {3, 2, 1, 6, 5, 4}, 3: {6, 5, 4, 3, 2, 1}, 4: {4, 5, 6, 1, 2, 3},
		5: {1, 4, 2, 5, 3, 6}, 6: {4, 1, 5, 2, 6, 3}, 7: {6, 3, 5, 2, 4, 1}, 8: {3, 6, 2, 5, 1, 4}} {
		p := &picture{channels: 1, h: 2, w: 3, pixels: []uint8{1, 2, 3, 4, 5, 6}}
		if p.turn(o); o > 0 && !slices.Equal(p.pixels, want) {
			t.Errorf("orientation %d: got %v, want %v", o, p.pixels, want)
		}
	}
}

// openImages opens a folder with a config.
func openImages(t testing.TB, keys string, files map[string][]byte) (*Splits, error) {
	t.Helper()
	dir := writeFiles(t, files)
	c, err := readConfig(t, "[data]\nsource = \"images\"\ndir = '"+dir+"'\n"+keys)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

func TestImagesFolder(t *testing.T) {
	s, err := openImages(t, "validation = 0", map[string][]byte{
		"cat/deep/b.png": greyPNG(t, 1, 2, 51), "cat/a.PNG": greyPNG(t, 1, 2, 0), "ant/c.pgm": []byte("P5 2 1 255\n\xff\xff"),
		"readme.txt": []byte("no image"), "cat/.hidden.png": []byte("broken"), "ant/notes.csv": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Train.Fields()[0].Spec.String(); s.Train.Len() != 3 || got != "1x1x2" {
		t.Fatalf("got %d images of %s", s.Train.Len(), got)
	}
	if got, want := readAll(t, s.Train), []float32{1, 1, 0, 0, 0.2, 0.2}; !near(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	labels, err := readLabels(s.Train, []int{0, 1, 2})
	if names := labelNamesOf(s.Train); err != nil || !slices.Equal(labels, []int32{0, 1, 1}) || !slices.Equal(names, []string{"ant", "cat"}) {
		t.Errorf("got labels %v of %v, %v", labels, names, err)
	}
	if got := ExampleName(s.Train, 2); got != "cat/deep/b.png" {
		t.Errorf("the third is called %s", got)
	}
}

// TestImagesProgress looks at many images at once, and tells of it as if one did.
func TestImagesProgress(t *testing.T) {
	name := filepath.Join(writeFiles(t, map[string][]byte{"a.png": greyPNG(t, 1, 2, 51)}), "a.png")
	all := make([]*pictureFile, 5*256)
	for i := range all {
		all[i] = &pictureFile{path: name}
	}
	var inside atomic.Int32
	told := int64(0)
	err := new(imageSet).look(context.Background(), [][]*pictureFile{all}, false, Env{Progress: func(p Progress) {
		if inside.Add(1) > 1 {
			t.Error("progress is told by two goroutines at once")
		}
		if told += 256; told == 256 {
			time.Sleep(200 * time.Millisecond) // the others are at the next 256 by then
		}
		if p.Done != told {
			t.Errorf("%d images are done, told after %d", p.Done, told-256)
		}
		inside.Add(-1)
	}})
	if err != nil || told != int64(len(all)) {
		t.Errorf("%d of %d images were told, %v", told, len(all), err)
	}
}

func TestImagesSplits(t *testing.T) {
	one := greyPNG(t, 2, 2, 1)
	s, err := openImages(t, "train_on = \"normal\"\nnormal = [\"ok\"]", map[string][]byte{
		"train/ok/1.png": one, "train/ok/2.png": one, "train/bad/3.png": one, "val/ok/4.png": one, "test/bad/5.png": one, "test/ok/6.png": one, "stray.png": one,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Train.Len() != 2 || s.Validation.Len() != 1 || s.Test.Len() != 2 {
		t.Errorf("got %d, %d, %d images", s.Train.Len(), s.Validation.Len(), s.Test.Len())
	}
	labels, err := readLabels(s.Test, []int{0, 1})
	if err != nil || !slices.Equal(labels, []int32{0, 1}) {
		t.Errorf("got labels %v, %v", labels, err)
	}
}

func TestImagesMistakes(t *testing.T) {
	small, large := greyPNG(t, 6, 8, 1), greyPNG(t, 24, 32, 200)
	for _, c := range []struct {
		name, keys string
		files      map[string][]byte
		want       string
	}{
		{"no images", "", map[string][]byte{"a.txt": nil}, "holds no PNG, JPEG"},
		{"sizes differ", "", map[string][]byte{"a.png": small, "b.png": large}, `data.transforms: images differ in size (a.png 8x6, b.png 32x24): add { kind = "resize", size = 128 }`},
		{"damaged", "", map[string][]byte{"a.png": small[:20]}, `a.png: damaged`},
		{"damaged tells of skip", "", map[string][]byte{"a.png": []byte("hello")}, `on_error = "skip"`},
		{"none can be read", `on_error = "skip"`, map[string][]byte{"a.png": []byte("hello")}, "none of its 1 images can be read"},
		{"learns before", `transforms = [{ kind = "standardize" }, { kind = "resize", size = 4 }]`, map[string][]byte{"a.png": small}, "put it behind resize"},
		{"small for a crop", `transforms = [{ kind = "random-crop", size = 10 }]`, map[string][]byte{"a.png": small}, "smaller than 10x10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := openImages(t, c.keys, c.files); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestImagesSizes brings images of several sizes to one, the same in every batch, and without those that cannot be read.
func TestImagesSizes(t *testing.T) {
	whole := greyPNG(t, 24, 32, 200)
	s, err := openImages(t, "validation = 0\non_error = \"skip\"\ntransforms = [{ kind = \"resize\", size = 4 }, { kind = \"standardize\", axis = \"channel\" }]",
		map[string][]byte{"a.png": greyPNG(t, 6, 8, 100), "b.png": whole, "c.png": whole[:len(whole)-20], "d.png": greyPNG(t, 9, 5, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Train.Fields()[0].Spec.String(); got != "1x4x4" || s.Train.Len() != 3 {
		t.Fatalf("got %d of %s", s.Train.Len(), got)
	}
	x := readAll(t, s.Train)
	std := float32(math.Sqrt(2. / 3))
	for i, want := range []float32{0, 1 / std, -1 / std} {
		if got := x[16*i]; math.Abs(float64(got-want)) > 1e-4 {
			t.Errorf("image %d: got %v, want %v", i, got, want)
		}
	}
	if again := readAll(t, s.Train); !slices.Equal(x, again) {
		t.Error("reading again gives other values")
	}
	if n := base(s.Train).(noter).notes(); len(n) != 1 || !strings.Contains(n[0], "c.png") {
		t.Errorf("got the notes %v", n)
	}
}

func TestImagesHeldOut(t *testing.T) {
	held := writeFiles(t, map[string][]byte{"cat/x.png": greyPNG(t, 50, 10, 9), "dog/y.png": greyPNG(t, 3, 3, 9)})
	s, err := openImages(t, "test = '"+held+"'\nvalidation = 0\ntransforms = [{ kind = \"resize\", size = 4 }]",
		map[string][]byte{"ant/a.png": greyPNG(t, 6, 8, 100), "cat/b.png": greyPNG(t, 6, 8, 100)})
	if err != nil {
		t.Fatal(err)
	}
	labels, err := readLabels(s.Test, []int{0, 1})
	if err != nil || !slices.Equal(labels, []int32{1, -1}) {
		t.Errorf("got labels %v, %v; want cat as in training, and dog as unknown", labels, err)
	}
	c, _ := readConfig(t, "[data]\nsource = \"images\"\ndir = '"+held+"'\ntransforms = [{ kind = \"resize\", size = 4 }]")
	colour := writeFiles(t, map[string][]byte{"z.png": pngBytes(t, testImage(5, 9))})
	src, _, err := OpenInput(context.Background(), c, filepath.Join(colour, "z.png"), graph.F32(1, 4, 4), OpenOptions{Fitted: s.Pipeline.State()})
	if err != nil || src.Len() != 1 {
		t.Fatalf("one colour file for a grey model: %v", err)
	}
	defer src.Close()
	if got := readAll(t, src); len(got) != 16 || ExampleName(src, 0) != "z.png" {
		t.Errorf("got %v, %s", got, ExampleName(src, 0))
	}
}

// TestRandomCrop draws by epoch and example, and takes the middle outside training.
func TestRandomCrop(t *testing.T) {
	x := make([]float32, 2*8*12)
	for i := range x {
		x[i] = float32(i % 96)
	}
	src := newVectors(graph.Shape{1, 8, 12}, x)
	for _, c := range []struct {
		name   string
		t      Transform
		middle float32 // its first pixel outside training
	}{
		{"fixed", &RandomCrop{Size: configs.Ints{4, 6}}, 2*12 + 3},
		{"scaled", &RandomCrop{Size: configs.Ints{4, 4}, Scale: []float64{0.2, 1}}, 79. / 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pipelineOver(t, src, c.t)
			out := p.transform(src)
			read := func(epoch int) []float32 {
				dst := NewBatch(out.Fields(), 2, nil)
				if err := out.(epochReader).readTraining(dst, []int{0, 1}, epoch); err != nil {
					t.Fatal(err)
				}
				return dst[0].Float32s()
			}
			if first := read(1); !slices.Equal(first, read(1)) || slices.Equal(first, read(2)) || slices.Equal(first[:len(first)/2], first[len(first)/2:]) {
				t.Error("the same epoch gives other windows, or another epoch or example the same")
			}
			if got := readAll(t, out); math.Abs(float64(got[0]-c.middle)) > 1e-3 {
				t.Errorf("outside training it begins with %v, want %v", got[0], c.middle)
			}
			low, high := float32(math.Inf(1)), float32(0)
			for epoch := range 50 {
				for _, v := range read(epoch) {
					low, high = min(low, v), max(high, v)
				}
			}
			if low > 5 || high < 90 {
				t.Errorf("50 epochs saw values from %v to %v of 0 to 95", low, high)
			}
		})
	}
}

func TestRotate(t *testing.T) {
	src := newVectors(graph.Shape{1, 3, 3}, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9})
	step, err := (&Rotate{Degrees: 0}).Bind(src.fields[0].Spec)
	if err != nil {
		t.Fatal(err)
	}
	x := slices.Clone(src.x)
	if step.Apply(x, x, Draw{Training: true}); !near(x, src.x) {
		t.Errorf("by no angle: got %v", x)
	}
	quarter := rotate{sameShape{graph.F32(1, 3, 3)}, 1, 3, 3, math.Pi / 2, 0}
	for row := range uint32(20) { // angles between the quarters keep the middle
		quarter.Apply(x, src.x, Draw{Row: row, Training: true})
		if math.Abs(float64(x[4]-5)) > 1e-5 {
			t.Fatalf("got %v", x)
		}
	}
}

func TestColorJitter(t *testing.T) {
	spec := graph.F32(3, 1, 2)
	x := []float32{0.5, 0.2, 0.4, 0.2, 0.3, 0.2}
	none, _ := (&ColorJitter{}).Bind(spec)
	y := make([]float32, 6)
	if none.Apply(y, x, Draw{}); !near(y, x) {
		t.Errorf("without change: got %v, want %v", y, x)
	}
	hue, _ := (&ColorJitter{Hue: 0.5, Saturation: 1}).Bind(spec)
	changed := false
	for row := range uint32(20) {
		hue.Apply(y, x, Draw{Row: row})
		for i := range 2 {
			a, b := colorJitter{colour: true, n: 2}.grey(x, i), colorJitter{colour: true, n: 2}.grey(y, i)
			if y[i] > 0 && y[2+i] > 0 && y[4+i] > 0 && math.Abs(float64(a-b)) > 1e-4 {
				t.Errorf("luma %v became %v", a, b)
			}
		}
		changed = changed || math.Abs(float64(y[0]-x[0])) > 0.01
		if math.Abs(float64(y[1]-0.2)) > 1e-5 {
			t.Errorf("grey got a tint: %v", y)
		}
	}
	if !changed {
		t.Error("nothing changes")
	}
}

func FuzzPicture(f *testing.F) {
	jpg := encoded(f, func(b *bytes.Buffer) error { return jpeg.Encode(b, testImage(3, 4), nil) })
	f.Add(exifJPEG(jpg, 6, "II"))
	f.Add(exifJPEG(jpg, 8, "MM"))
	f.Add([]byte("P5\n#c\n3 1 255\nabc"))
	f.Add([]byte("P2 2 2 9 1 2 3 4"))
	f.Add([]byte("P6 99999 9999 255\n"))
	f.Add(greyPNG(f, 2, 2, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		exifOrientation(b)
		if h, w, _, err := pictureSize(b); err != nil || h*w > 1<<20 {
			return
		}
		p, err := decodePicture(b, 3)
		if err == nil && len(p.pixels) != 3*p.h*p.w {
			t.Fatalf("%dx%d pixels in %d bytes", p.h, p.w, len(p.pixels))
		}
	})
}

func TestRealFaces(t *testing.T) {
	dir := realData(t, "faces")
	c, err := readConfig(t, "[data]\nsource = \"images\"\ndir = '"+dir+"'\nchannels = 1\ntransforms = [{ kind = \"resize\", size = 64, fit = \"crop\" }, { kind = \"flip\" }]")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), c, OpenOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := Measure(context.Background(), s.Train, "x", 0)
	if err != nil || s.Train.Len() != 90 || s.Validation.Len() != 10 || st.Spec.String() != "1x64x64" || st.Mean < 0.3 || st.Mean > 0.6 || len(st.Labels) != 10 {
		t.Errorf("got %+v, %v", st, err)
	}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}
