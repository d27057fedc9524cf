package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func init() { sources.Add("images", func() SourceOptions { return &Images{OnError: "stop"} }) }

// Images is a folder of pictures: PNG, JPEG, GIF (its first frame), WebP, BMP, TIFF, PGM and PPM, at any depth; other files are passed
// over. Sub-folders are labels, in the order of their names; folders train, validation and test at the top are the splits.
// Pictures are decoded as they are read, and kept while they fit into memory.
type Images struct {
	Dir      string `toml:"dir,path" required:"true" doc:"folder of pictures, at any depth; sub-folders are labels, train/, validation/ and test/ are splits" example:"\"photos\""`
	Channels int    `toml:"channels" choices:"1|3" min:"0" max:"3" doc:"1 is grey, 3 is colour; 0: as the first picture" example:"3"`
	OnError  string `toml:"on_error" choices:"stop|skip" doc:"what to do about a file that cannot be read; skip decodes every file once at the start"`

	opened *imageFacts // what the first opening found, for what is opened later
}

// imageFacts are shared by all parts of a set.
type imageFacts struct {
	Channels int
	Labels   []string
}

func (o *Images) facts() any {
	if o.opened == nil {
		return nil
	}
	return o.opened
}
func (o *Images) recall() any       { return &imageFacts{} }
func (o *Images) with(recalled any) { o.opened = recalled.(*imageFacts) }

// Validate refuses two channels.
func (o *Images) Validate() error {
	if o.Channels == 2 {
		return errors.New("channels is 1 or 3")
	}
	return nil
}

func (o *Images) at(path string) SourceOptions {
	return &Images{Dir: path, Channels: o.Channels, OnError: o.OnError, opened: o.opened}
}

func (o *Images) check(missing func(key, abs, what string)) {
	if o.Dir != "" && !exists(o.Dir) {
		missing("dir", o.Dir, "folder")
	}
}

// Open implements SourceOptions.
func (o *Images) Open(ctx context.Context, env Env) (*Parts, error) {
	root := o.Dir
	files, err := findPictures(root)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no PNG, JPEG, GIF, WebP, BMP, TIFF or PGM image", root)
	}
	parts := divideByFolder(files)
	set := &imageSet{root: root, channels: o.Channels}
	if o.opened != nil {
		set.channels, set.labels = o.opened.Channels, o.opened.Labels
	}
	if err := set.look(ctx, parts[:], o.OnError == "skip", env); err != nil {
		return nil, err
	}
	o.opened = &imageFacts{set.channels, set.labels}
	p := &Parts{}
	for i, into := range []*Source{&p.Train, &p.Validation, &p.Test} {
		if len(parts[i]) > 0 {
			*into = set.source(parts[i])
		}
	}
	return p, nil
}

// pictureFile is one file of a folder.
type pictureFile struct {
	path  string // to open it
	name  string // below the root, with slashes
	label string // the sub-folder; "": it has none
	h, w  int
	grey  bool
}

// deepest is how far folders are followed: links may go in a circle.
const deepest = 32

// findPictures lists a folder's pictures in the order of their names; a file is itself, a pattern what it matches.
func findPictures(root string) ([]*pictureFile, error) {
	info, err := os.Stat(root)
	if errors.Is(err, fs.ErrNotExist) {
		found, globErr := filepath.Glob(root)
		if globErr != nil || len(found) == 0 {
			return nil, err
		}
		var all []*pictureFile
		for _, path := range found {
			all = append(all, &pictureFile{path: path, name: filepath.Base(path)})
		}
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []*pictureFile{{path: root, name: filepath.Base(root)}}, nil
	}
	return picturesBelow(root, "", 0)
}

func picturesBelow(dir, name string, depth int) ([]*pictureFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil || depth > deepest {
		return nil, err
	}
	var all []*pictureFile
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || e.Name() == "__MACOSX" { // what systems leave behind
			continue
		}
		path, below := filepath.Join(dir, e.Name()), e.Name()
		if name != "" {
			below = name + "/" + below
		}
		info, err := os.Stat(path) // a link counts as what it leads to
		switch {
		case err != nil:
			continue // a link to nowhere
		case info.IsDir():
			more, err := picturesBelow(path, below, depth+1)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		case info.Mode().IsRegular() && isPictureName(below):
			all = append(all, &pictureFile{path: path, name: below})
		}
	}
	return all, nil
}

// divideByFolder sorts files into train, validation and test by their first folder, if there is one called train; and takes what
// folder comes next as the label, if every file of the set lies in one.
func divideByFolder(files []*pictureFile) (parts [3][]*pictureFile) {
	part := func(f *pictureFile) int {
		first, _, below := strings.Cut(f.name, "/")
		if !below {
			return -1
		}
		switch strings.ToLower(first) {
		case "train", "training":
			return 0
		case "validation", "val", "valid":
			return 1
		case "test":
			return 2
		}
		return -1
	}
	split := slices.ContainsFunc(files, func(f *pictureFile) bool { return part(f) == 0 })
	labelled := true
	for _, f := range files {
		at, rest := 0, f.name
		if split {
			if at = part(f); at < 0 {
				continue
			}
			_, rest, _ = strings.Cut(f.name, "/")
		}
		folder, _, below := strings.Cut(rest, "/")
		if f.label = folder; !below {
			labelled = false
		}
		parts[at] = append(parts[at], f)
	}
	if !labelled {
		for _, f := range files {
			f.label = ""
		}
	}
	return parts
}

// IsPicture reports whether the source images reads a file, by its name.
func IsPicture(name string) bool { return isPictureName(name) }

// SizesDiffer reports whether the images of a folder have several sizes, as far as their headers can be read.
func SizesDiffer(dir string) bool {
	files, err := findPictures(dir)
	if err != nil {
		return false
	}
	h, w := 0, 0
	for _, f := range files {
		if f.look(false) != nil {
			continue
		}
		if h > 0 && (f.h != h || f.w != w) {
			return true
		}
		h, w = f.h, f.w
	}
	return false
}
