package archtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// listed is what we read of "go list -json".
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	CgoFiles   []string
	// IgnoredGoFiles belong to other systems or build tags: the rules hold there as well.
	IgnoredGoFiles []string
	Error          *struct{ Err string }
}

// List returns the packages of the module whose root is dir, with the imports of every file that is no test,
// those under build tags included.
func List(dir string) ([]Package, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,CgoFiles,IgnoredGoFiles,Error", "./...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go list: %w\n%s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("go list: %w", err)
	}
	var pkgs []Package
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l listed
		if err := d.Decode(&l); err == io.EOF {
			return pkgs, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		p, err := l.read(dir)
		if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
}

// read takes the imports from the files themselves: go list tells those of a package only, and none of ignored files.
func (l listed) read(root string) (Package, error) {
	p := Package{Path: strings.TrimPrefix(strings.TrimPrefix(l.ImportPath, Module), "/"), Files: map[string][]string{}}
	if p.Path == "" {
		p.Path = "."
	}
	for _, list := range [][]string{l.GoFiles, l.CgoFiles, l.IgnoredGoFiles} {
		for _, name := range list {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			full := filepath.Join(l.Dir, name)
			f, err := parser.ParseFile(token.NewFileSet(), full, nil, parser.ImportsOnly)
			if err != nil {
				return p, err
			}
			var imports []string
			for _, spec := range f.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return p, fmt.Errorf("%s: %w", full, err)
				}
				imports = append(imports, path)
			}
			short, err := filepath.Rel(root, full)
			if err != nil {
				short = full
			}
			p.Files[filepath.ToSlash(short)] = imports
		}
	}
	return p, nil
}
