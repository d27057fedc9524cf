package throughput

import (
	"embed"
	"fmt"
	"strings"
)

// files are the configs of the standard rows. The first line of each says what it is.
//
//go:embed rows/*.toml
var files embed.FS

// standard are the rows that everybody measures, in the order of their weight, by the names of their configs. torch/bench.py has
// the same networks under the same names.
var standard = []struct {
	name   string
	encode int
}{
	{name: "vae-128"}, {name: "vae-1024"}, {name: "vae-8192"},
	{name: "ae-256"},
	{name: "conv-vae-28"}, {name: "conv-vae-32"}, {name: "conv-vae-64"}, {name: "conv-vae-128"},
	{name: "lstm"}, {name: "vq-vae"}, {name: "aae"}, {name: "transformer"},
	{name: "encode-10000", encode: 10000},
}

// Standard returns the standard rows. load reads a config from its text, under a name for messages.
func Standard(load func(name string, text []byte) (*Experiment, error)) []Row {
	var rows []Row
	for _, s := range standard {
		text, err := files.ReadFile("rows/" + s.name + ".toml")
		if err != nil {
			panic(err) // a row without its file
		}
		head, _, _ := strings.Cut(string(text), "\n")
		rows = append(rows, Row{
			Name: s.name, Text: strings.TrimPrefix(head, "# "), Encode: s.encode, Twin: s.name,
			Load: func() (*Experiment, error) { return load(fmt.Sprintf("row %s", s.name), text) },
		})
	}
	return rows
}
