//go:build gpu

package ptx

import (
	"embed"
	"strings"
	"sync"
)

//go:embed *.ptx
var files embed.FS

// Modules returns the text of every module by its name: the file's, without the suffix ("softmax").
var Modules = sync.OnceValue(func() map[string]string {
	modules := map[string]string{}
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // an embedded folder can be read
	}
	for _, entry := range entries {
		text, err := files.ReadFile(entry.Name())
		if err != nil {
			panic(err)
		}
		modules[strings.TrimSuffix(entry.Name(), ".ptx")] = string(text)
	}
	return modules
})

// Kernels maps every kernel's name to the name of the module that holds it.
var Kernels = sync.OnceValue(func() map[string]string {
	kernels := map[string]string{}
	for module, text := range Modules() {
		for _, kernel := range Entries(text) {
			if other, twice := kernels[kernel]; twice {
				panic("ptx: kernel " + kernel + " is in " + module + ".cu and in " + other + ".cu")
			}
			kernels[kernel] = module
		}
	}
	return kernels
})

// Of returns the module that holds a kernel: its name and its PTX text. ok is false where no module does.
func Of(kernel string) (module string, text []byte, ok bool) {
	module, ok = Kernels()[kernel]
	return module, []byte(Modules()[module]), ok
}

// Entries returns the names of the kernels in a PTX text, in its order: what follows each ".entry".
func Entries(text string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(text, ".entry ")
		if !found {
			return names
		}
		end := strings.IndexAny(rest, "( \t\r\n")
		if end < 0 {
			return names
		}
		names, text = append(names, rest[:end]), rest[end:]
	}
}
