package trainer

import "aetrain/backend"

// Executables lists the loaded training programs, those of the longest batch first: their sizes, and which kernels were chosen.
func (r *Run) Executables() []backend.Executable {
	var all []backend.Executable
	for _, size := range r.loader.Sizes() {
		for _, ph := range r.steps[size].phases {
			for _, p := range ph.parts {
				all = append(all, p.exe)
			}
			if ph.update != nil {
				all = append(all, ph.update.exe)
			}
		}
	}
	return all
}
