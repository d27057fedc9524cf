//go:build gpu && cgo

package driver

import (
	"os"
	"os/exec"
	"path/filepath"
)

// searched lists the existing folders where the library may be, best first, besides the loader's own path: a CUDA
// toolkit's, the system's, and NVIDIA's Python packages. The driver's libraries are not looked for in toolkits, which
// hold stubs of them.
func (l *library) searched() []string {
	var folders []string
	if l != libcuda && l != libnvml {
		folders = append(folders, toolkitFolders()...)
	}
	folders = append(folders, systemFolders...)
	for _, site := range sitePackages() {
		for _, folder := range l.folders {
			folders = append(folders, filepath.Join(site, "nvidia", folder))
		}
	}
	return existing(folders)
}

// systemFolders are where distributions, WSL and NixOS put libraries.
var systemFolders = []string{
	"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib",
	"/usr/lib/wsl/lib", "/run/opengl-driver/lib", "/usr/local/nvidia/lib64",
}

// toolkitFolders are the library folders of CUDA toolkits: of CUDA_HOME and CUDA_PATH, then the usual ones, and those
// of a conda environment.
func toolkitFolders() []string {
	var homes []string
	for _, variable := range []string{"CUDA_HOME", "CUDA_PATH"} {
		if home := os.Getenv(variable); home != "" {
			homes = append(homes, home)
		}
	}
	versions, _ := filepath.Glob("/usr/local/cuda*") // the pattern is well-formed
	homes = append(append(homes, versions...), "/opt/cuda")
	var folders []string
	for _, home := range homes {
		for _, lib := range []string{"lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"} {
			folders = append(folders, filepath.Join(home, lib))
		}
	}
	if conda := os.Getenv("CONDA_PREFIX"); conda != "" {
		folders = append(folders, filepath.Join(conda, "lib"))
	}
	return folders
}

// sitePackages lists the folders where Python keeps packages: of the active environment, the user, and the python3
// that the shell would start. Nothing is started.
func sitePackages() []string {
	var roots []string
	for _, variable := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if root := os.Getenv(variable); root != "" {
			roots = append(roots, root)
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, ".local"))
	}
	roots = append(roots, pythonRoots()...)
	roots = append(roots, "/usr/local", "/usr")
	var sites []string
	for _, root := range roots {
		for _, pattern := range []string{"lib/python3*/site-packages", "lib64/python3*/site-packages", "lib/python3*/dist-packages", "lib/python3/dist-packages"} {
			found, _ := filepath.Glob(filepath.Join(root, pattern)) // a root with brackets in it matches nothing
			sites = append(sites, found...)
		}
	}
	return existing(sites)
}

// pythonRoots is the installation folder of the python3 on PATH, as named and with links resolved; for pyenv, whose
// python3 is a script, those of all its versions.
func pythonRoots() []string {
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil
	}
	folder := filepath.Dir(python)
	if filepath.Base(folder) == "shims" {
		versions, _ := filepath.Glob(filepath.Join(filepath.Dir(folder), "versions", "*"))
		return versions
	}
	roots := []string{filepath.Dir(folder)}
	if real, err := filepath.EvalSymlinks(python); err == nil {
		roots = append(roots, filepath.Dir(filepath.Dir(real)))
	}
	return roots
}

// existing keeps the folders that exist, each once.
func existing(folders []string) []string {
	seen := map[string]bool{}
	var kept []string
	for _, folder := range folders {
		folder = filepath.Clean(folder)
		if seen[folder] {
			continue
		}
		seen[folder] = true
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			kept = append(kept, folder)
		}
	}
	return kept
}
