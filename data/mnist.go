package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"aetrain/graph"
	"aetrain/internal/cachedir"
	"aetrain/internal/download"
)

func init() { sources.Add("mnist", func() SourceOptions { return &MNIST{} }) }

// MNIST is 28×28 grey handwritten digits, 60,000 and 10,000, or any other IDX files under its names.
// Source: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition".
type MNIST struct {
	IDXFolder
}

// Open implements SourceOptions.
func (m *MNIST) Open(ctx context.Context, env Env) (*Parts, error) {
	return m.open(ctx, env, mnistFiles)
}

func (m *MNIST) at(path string) SourceOptions { return &MNIST{IDXFolder{Dir: path}} }

// mnistFiles has digests of the uncompressed files: mirrors pack them differently.
var mnistFiles = idxSet{
	name: "mnist",
	mirrors: []string{
		"https://ossci-datasets.s3.amazonaws.com/mnist/",
		"https://storage.googleapis.com/cvdf-datasets/mnist/",
		"https://raw.githubusercontent.com/fgnt/mnist/master/",
	},
	files: []idxFile{
		{name: "train-images-idx3-ubyte", sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
		{name: "train-labels-idx1-ubyte", sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
		{name: "t10k-images-idx3-ubyte", sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
		{name: "t10k-labels-idx1-ubyte", sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
	},
}

// idxSet is a published set of four IDX files.
type idxSet struct {
	name    string // of the source, and of its folder in the cache
	mirrors []string
	files   []idxFile
}

// idxFile is known by the digest of its bytes or, where only that was published, of its gzipped bytes.
type idxFile struct {
	name, sha256, gzipSHA256 string
}

// IDXFolder are the keys of sources that are four IDX files.
type IDXFolder struct {
	Dir string `toml:"dir,path" doc:"folder with {train,t10k}-{images-idx3,labels-idx1}-ubyte, each .gz or not, of any number of examples; left out: downloaded to the user's cache" example:"\"data/mnist\""`
}

func (d *IDXFolder) check(missing func(key, abs, what string)) {
	if d.Dir == "" {
		return
	}
	if info, err := os.Stat(d.Dir); err != nil || !info.IsDir() {
		missing("dir", d.Dir, "folder")
	}
}

// open reads the user's folder or the downloaded set.
func (d *IDXFolder) open(ctx context.Context, env Env, set idxSet) (*Parts, error) {
	if d.Dir != "" {
		return openIDX(d.Dir)
	}
	dir, err := set.fetch(ctx, env.Progress)
	if err != nil {
		return nil, err
	}
	return openIDX(dir)
}

// fetch downloads what is missing in the cache and returns the folder.
func (s idxSet) fetch(ctx context.Context, progress func(Progress)) (string, error) {
	dir, err := cachedir.Path("data", s.name)
	if err != nil {
		return "", err
	}
	for _, f := range s.files {
		path := filepath.Join(dir, f.name)
		if _, err := os.Stat(path); err == nil {
			continue // checked when it came
		}
		want := download.File{Name: f.name, Gzip: true, SHA256: f.sha256, GzipSHA256: f.gzipSHA256}
		for _, m := range s.mirrors {
			want.URLs = append(want.URLs, m+f.name+".gz")
		}
		err := download.Fetch(ctx, want, path, func(done, total int64) {
			progress(Progress{What: "downloading " + f.name + ".gz", Done: done, Total: total, Unit: "B"})
		})
		if ctx.Err() != nil {
			return "", err
		}
		if err != nil {
			return "", s.offline(f, dir, err)
		}
	}
	return dir, nil
}

// offline tells what a user without the network can do.
func (s idxSet) offline(f idxFile, dir string, err error) error {
	names := make([]string, len(s.files))
	for i, f := range s.files {
		names[i] = f.name + ".gz"
	}
	return fmt.Errorf("%s cannot be downloaded:\n  %s\nwithout a network, put %s (from any copy of the set; unpacked is fine too) into a folder and set data.dir to it, or unpacked into %s",
		f.name+".gz", strings.ReplaceAll(err.Error(), "\n", "\n  "), strings.Join(names, ", "), dir)
}

// openIDX reads a folder of IDX files, or one file of images, which is then the training part.
func openIDX(path string) (*Parts, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		s, err := readIDXImages(path, "")
		if err != nil {
			return nil, err
		}
		return &Parts{Train: s}, nil
	}
	train, err := idxPart(path, "train")
	if err != nil {
		return nil, err
	}
	test, err := idxPart(path, "t10k")
	if err != nil {
		return nil, err
	}
	if train == nil && test == nil {
		return nil, fmt.Errorf("%s has neither train-images-idx3-ubyte nor t10k-images-idx3-ubyte (nor either with .gz)", path)
	}
	if train != nil && test != nil {
		if a, b := len(train.Fields()), len(test.Fields()); a != b { // both, or none of them, have labels
			with, without := "train", "t10k"
			if a < b {
				with, without = without, with
			}
			return nil, fmt.Errorf("%s has labels for %s-images, and no %s-labels-idx1-ubyte: add it, or take %s-labels away", path, with, without, with)
		}
		if err := sameFields(train.Fields(), test.Fields()); err != nil {
			return nil, fmt.Errorf("%s: train-images and t10k-images do not fit together: %w", path, err)
		}
	}
	return &Parts{Train: train, Test: test}, nil
}

// idxPart reads the images of one part and, where they are there, its labels; nil where the folder has no such part.
func idxPart(dir, prefix string) (Source, error) {
	name, err := idxName(dir, prefix+"-images-idx3-ubyte")
	if name == "" {
		return nil, err
	}
	labels, err := idxName(dir, prefix+"-labels-idx1-ubyte")
	if err != nil {
		return nil, err
	}
	return readIDXImages(name, labels)
}

// idxName finds a file by its name, gzipped or not, with the dot of older copies (train-images.idx3-ubyte) or without; "" where there is none.
func idxName(dir, name string) (string, error) {
	dotted := strings.Replace(name, "-idx", ".idx", 1)
	for _, n := range []string{name, name + ".gz", dotted, dotted + ".gz"} {
		path := filepath.Join(dir, n)
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}

// readIDXImages reads images (N×H×W, or vectors N×D) and labels; "" is no labels.
func readIDXImages(name, labelName string) (*images, error) {
	x, err := readIDXFile(name)
	if err != nil {
		return nil, err
	}
	var shape graph.Shape
	switch len(x.dims) {
	case 2:
		shape = graph.Shape{x.dims[1]}
	case 3:
		shape = graph.Shape{1, x.dims[1], x.dims[2]}
	default:
		return nil, fmt.Errorf("%s: its axes are %v; images are N×height×width", name, graph.Shape(x.dims))
	}
	if labelName == "" {
		return newImages(shape, x.data, nil), nil
	}
	y, err := readIDXFile(labelName)
	if err != nil {
		return nil, err
	}
	if len(y.dims) != 1 || y.dims[0] != x.dims[0] {
		return nil, fmt.Errorf("%s: its axes are %v; %s has %d images", labelName, graph.Shape(y.dims), name, x.dims[0])
	}
	labels := make([]int32, len(y.data))
	for i, v := range y.data {
		labels[i] = int32(v)
	}
	return newImages(shape, x.data, labels), nil
}
