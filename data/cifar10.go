package data

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"aetrain/graph"
	"aetrain/internal/cachedir"
	"aetrain/internal/download"
)

func init() { sources.Add("cifar10", func() SourceOptions { return &CIFAR10{} }) }

// CIFAR10 is 32×32 colour photographs in ten classes, 50,000 and 10,000, or any other files in its binary format.
// Source: Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images".
type CIFAR10 struct {
	Dir string `toml:"dir,path" doc:"folder with data_batch_*.bin and test_batch.bin, any of them, each .gz or not, of any number of examples; left out: downloaded to the user's cache" example:"\"data/cifar10\""`
}

// A record is a byte of label and 1,024 bytes each of red, green and blue.
const (
	cifarSide   = 32
	cifarRecord = 1 + 3*cifarSide*cifarSide
)

// cifarArchive is fetched as a tar file: the digest is of its gzipped bytes, as it was published.
var cifarArchive = download.File{
	Name: "cifar-10-binary.tar", Gzip: true,
	URLs:       []string{"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz"},
	GzipSHA256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
}

func (c *CIFAR10) at(path string) SourceOptions { return &CIFAR10{Dir: path} }

func (c *CIFAR10) check(missing func(key, abs, what string)) {
	if info, err := os.Stat(c.Dir); c.Dir != "" && (err != nil || !info.IsDir()) {
		missing("dir", c.Dir, "folder")
	}
}

// Open implements SourceOptions.
func (c *CIFAR10) Open(ctx context.Context, env Env) (*Parts, error) {
	if c.Dir != "" {
		return openCIFAR(c.Dir)
	}
	dir, err := cachedir.Path("data", "cifar10")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, cifarArchive.Name)
	if _, err := os.Stat(path); err != nil { // one that is there was checked when it came
		err := download.Fetch(ctx, cifarArchive, path, func(done, total int64) {
			env.Progress(Progress{What: "downloading " + cifarArchive.Name + ".gz", Done: done, Total: total, Unit: "B"})
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("%s.gz cannot be downloaded:\n  %s\nwithout a network, put data_batch_1.bin to data_batch_5.bin and test_batch.bin (from any copy of the set; .gz is fine too) into a folder and set data.dir to it",
				cifarArchive.Name, strings.ReplaceAll(err.Error(), "\n", "\n  "))
		}
	}
	return openCIFARTar(path)
}

// openCIFAR reads a folder of batches, or one file, which is then the training part.
func openCIFAR(path string) (*Parts, error) {
	train, test := &cifarBatches{}, &cifarBatches{}
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.IsDir() {
		if err := train.addFile(path); err != nil {
			return nil, err
		}
		return cifarParts(path, train, test)
	}
	entries, err := os.ReadDir(path) // in the order of their names
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{} // a batch that is there twice, packed and not, is read once
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".gz")
		part := cifarPart(name, train, test)
		if part == nil || seen[name] {
			continue
		}
		seen[name] = true
		if err := part.addFile(filepath.Join(path, e.Name())); err != nil {
			return nil, err
		}
	}
	return cifarParts(path, train, test)
}

// cifarPart is the part that a file belongs to, nil where it is no batch.
func cifarPart(name string, train, test *cifarBatches) *cifarBatches {
	switch {
	case name == "test_batch.bin":
		return test
	case strings.HasPrefix(name, "data_batch_") && strings.HasSuffix(name, ".bin"):
		return train
	}
	return nil
}

// openCIFARTar reads the batches in the published archive.
func openCIFARTar(path string) (*Parts, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	train, test := &cifarBatches{}, &cifarBatches{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return cifarParts(path, train, test)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		name := filepath.Base(h.Name)
		part := cifarPart(name, train, test)
		if part == nil {
			continue
		}
		if err := part.add(r); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, name, err)
		}
	}
}

// cifarParts makes the parts of what was read.
func cifarParts(path string, train, test *cifarBatches) (*Parts, error) {
	p := &Parts{}
	if len(train.labels) > 0 {
		p.Train = train.source()
	}
	if len(test.labels) > 0 {
		p.Test = test.source()
	}
	if len(p.all()) == 0 {
		return nil, fmt.Errorf("%s has neither data_batch_*.bin nor test_batch.bin (nor either with .gz)", path)
	}
	return p, nil
}

// cifarBatches are records, one after the other.
type cifarBatches struct {
	pixels []uint8
	labels []int32
}

func (b *cifarBatches) source() Source {
	return newImages(graph.Shape{3, cifarSide, cifarSide}, b.pixels, b.labels)
}

func (b *cifarBatches) addFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := gunzipped(f)
	if err == nil {
		err = b.add(r)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// add reads records until the end.
func (b *cifarBatches) add(r io.Reader) error {
	record := make([]byte, cifarRecord)
	for n := 0; ; n++ {
		_, err := io.ReadFull(r, record)
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return errors.New("it is empty")
			}
			return nil
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("its length is no multiple of %d bytes: it is truncated, or no CIFAR-10 batch in the binary format", cifarRecord)
		}
		if err != nil {
			return err
		}
		if record[0] > 9 {
			return fmt.Errorf("record %d has label %d, labels are 0 to 9: it is no CIFAR-10 batch in the binary format", n, record[0])
		}
		b.labels = append(b.labels, int32(record[0]))
		b.pixels = append(b.pixels, record[1:]...)
	}
}
