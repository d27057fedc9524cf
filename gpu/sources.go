//go:build gpu

package gpu

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"aetrain/gpu/driver"
	"aetrain/internal/cachedir"
	"aetrain/kernels/cuda"
)

// sources are the kernels generated for chains. While programs are bound their texts gather; when the first is needed, all of
// them are compiled as one source, which is kept on disk. A kernel's name is the sum of its text.
type sources struct {
	texts     map[string]string // of kernels that are not compiled yet
	functions map[string]driver.Function
	modules   []driver.Module
}

// want asks for a kernel.
func (s *sources) want(name, text string) {
	if _, ok := s.functions[name]; ok {
		return
	}
	if s.texts == nil {
		s.texts = map[string]string{}
	}
	s.texts[name] = text
}

// function returns a kernel that was asked for.
func (s *sources) function(d *device, name string) (driver.Function, error) {
	if _, waits := s.texts[name]; waits {
		if err := s.compile(d); err != nil {
			return driver.Function{}, err
		}
	}
	f, ok := s.functions[name]
	if !ok {
		return f, fmt.Errorf("kernel %s was not asked for", name)
	}
	return f, nil
}

// compile makes one module of all kernels that wait.
func (s *sources) compile(d *device) error {
	var names []string
	for name := range s.texts {
		names = append(names, name)
	}
	slices.Sort(names)
	var w strings.Builder
	w.WriteString("#include \"prelude.h\"\n#include \"chain.cuh\"\n#include \"point.cuh\"\n\n")
	for _, name := range names {
		w.WriteString(s.texts[name])
	}
	module, err := d.compile(w.String())
	if err != nil {
		return fmt.Errorf("%w\nkernels.chain = \"tape\" does without NVRTC", err)
	}
	s.modules = append(s.modules, module)
	if s.functions == nil {
		s.functions = map[string]driver.Function{}
	}
	for _, name := range names {
		if s.functions[name], err = module.Function(name); err != nil {
			return err
		}
	}
	clear(s.texts)
	return nil
}

func (s *sources) unload() error {
	var all []error
	for _, m := range s.modules {
		all = append(all, m.Unload())
	}
	*s = sources{}
	return errors.Join(all...)
}

// compile has NVRTC make a module of a source, or finds what it made before: in the cache folder, by source, headers,
// architecture and NVRTC's version. A cache that cannot be used costs the compilation and nothing else.
func (d *device) compile(source string) (driver.Module, error) {
	headers, err := chainHeaders()
	if err != nil {
		return driver.Module{}, err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%d.%d %s\n%s", d.info.Major, d.info.Minor, d.nvrtc.Version(), source)
	for _, name := range headerNames {
		fmt.Fprintf(sum, "\n%s\n%s", name, headers[name])
	}
	file, cacheErr := cachedir.Path("kernels", fmt.Sprintf("%x.ptx", sum.Sum(nil)[:16]))
	if cacheErr == nil {
		if ptx, err := os.ReadFile(file); err == nil {
			if m, err := driver.LoadModule(ptx); err == nil {
				return m, nil
			}
		}
	}
	ptx, err := d.nvrtc.Compile("chain.cu", source, headers, d.info.Major, d.info.Minor)
	if err != nil {
		return driver.Module{}, err
	}
	m, err := driver.LoadModule(ptx)
	if err == nil && cacheErr == nil {
		cachedir.WriteFile(file, func(w io.Writer) error { _, err := w.Write(ptx); return err })
	}
	return m, err
}

// headerNames are what generated kernels include, directly or not.
var headerNames = []string{"prelude.h", "chain.cuh", "point.cuh"}

func chainHeaders() (map[string]string, error) {
	headers := map[string]string{}
	for _, name := range headerNames {
		text, err := cuda.Headers.ReadFile(name)
		if err != nil {
			return nil, err
		}
		headers[name] = string(text)
	}
	return headers, nil
}
