package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"aetrain/configs"
	"aetrain/data"
)

// fileSources are the sources that read a file, by its ending; .gz is cut off before.
var fileSources = map[string]string{
	".npy": "npy", ".mat": "mat", ".safetensors": "safetensors", ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".parquet": "parquet",
	".txt": "text", ".smi": "smiles", ".wav": "wav",
}

// lookAtFiles finds out which source reads a path, and returns what to set.
func lookAtFiles(given string) ([]string, error) {
	path := configs.ResolvePath(given)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		found, _ := filepath.Glob(path) // a pattern that is not well-formed finds nothing
		if len(found) == 0 {
			return nil, usagef("-data: %s", configs.MissingPath(path, "", "file or folder"))
		}
		if source := sourceOfFile(found[0]); source != "" {
			return sourceSets(source, path), nil
		}
	case err != nil:
		return nil, err
	case info.IsDir():
		if sets := lookAtFolder(path); sets != nil {
			return sets, nil
		}
	default:
		if source := sourceOfFile(path); source != "" {
			return sourceSets(source, path), nil
		}
	}
	return nil, usagef("-data %s: found no data of a known form there; sources are %s", given, strings.Join(data.Sources(), ", "))
}

// sourceOfFile is the source that reads a file, "" where none is known by its name.
func sourceOfFile(path string) string {
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".gz")
	if ending := filepath.Ext(name); ending == ".txt" || ending == ".tsv" {
		if strings.Contains(name, "_train.") || strings.Contains(name, "_test.") { // as the UCR archive names its files
			return "ucr"
		}
	}
	if source := fileSources[filepath.Ext(name)]; source != "" {
		return source
	}
	if data.IsPicture(name) {
		return "images"
	}
	return ""
}

// lookAtFolder knows sets by the names of their files, and otherwise takes what most files are.
func lookAtFolder(path string) []string {
	switch {
	case has(path, "*-images?idx3-ubyte*"):
		return sourceSets("mnist", path)
	case has(path, "data_batch_*.bin*"), has(path, "test_batch.bin*"):
		return sourceSets("cifar10", path)
	case has(path, "*_TRAIN.t*"):
		return sourceSets("ucr", path)
	}
	counts, endings := map[string]int{}, map[string]string{}
	const enough = 1000
	seen := 0
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what cannot be listed is not counted
		}
		if seen++; seen > enough {
			return fs.SkipAll
		}
		if source := sourceOfFile(name); source != "" {
			counts[source]++
			endings[source] = strings.TrimPrefix(name, strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), filepath.Ext(strings.TrimSuffix(name, ".gz"))))
		}
		return nil
	})
	if err != nil {
		return nil
	}
	best := ""
	for source, n := range counts {
		if best == "" || n > counts[best] || n == counts[best] && source < best {
			best = source
		}
	}
	switch best {
	case "":
		return nil
	case "images", "wav", "text":
		return sourceSets(best, path)
	}
	if pattern := "*" + endings[best]; has(path, pattern) { // these sources name files
		return sourceSets(best, filepath.Join(globSafe(path), pattern))
	}
	return nil
}

// sourceSets are the keys of a source for a path; pictures of differing sizes get one.
func sourceSets(source, path string) []string {
	key := "file"
	if info, err := os.Stat(path); err == nil && info.IsDir() || source == "images" {
		key = "dir"
	}
	sets := []string{"data.source=" + source, "data." + key + "=" + strconv.Quote(path)}
	if source == "images" && data.SizesDiffer(path) {
		sets = append(sets, `data.transforms=[{ kind = "resize", size = 64 }]`)
	}
	return sets
}
