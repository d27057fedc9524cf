//go:build gpu

package gpu

import (
	"errors"
	"fmt"

	"aetrain/gpu/driver"
	"aetrain/gpu/ptx"
)

// modules are the embedded kernels that have been loaded: a module for each source file, when the first of its kernels is needed.
type modules struct {
	loaded    map[string]driver.Module
	functions map[string]driver.Function
}

// function returns a kernel.
func (m *modules) function(name string) (driver.Function, error) {
	if f, ok := m.functions[name]; ok {
		return f, nil
	}
	file, text, ok := ptx.Of(name)
	if !ok {
		return driver.Function{}, fmt.Errorf("there is no kernel %s", name)
	}
	if m.loaded == nil {
		m.loaded, m.functions = map[string]driver.Module{}, map[string]driver.Function{}
	}
	mod, ok := m.loaded[file]
	if !ok {
		var err error
		if mod, err = driver.LoadModule(text); err != nil {
			return driver.Function{}, fmt.Errorf("kernels of %s: %w", file, err)
		}
		m.loaded[file] = mod
	}
	f, err := mod.Function(name)
	if err != nil {
		return driver.Function{}, err
	}
	m.functions[name] = f
	return f, nil
}

func (m *modules) unload() error {
	var all []error
	for _, mod := range m.loaded {
		all = append(all, mod.Unload())
	}
	*m = modules{}
	return errors.Join(all...)
}
