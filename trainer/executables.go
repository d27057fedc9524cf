package trainer

import "aetrain/backend"

// Executables lists the loaded training programs, stage by stage, those of the longest batch first: their sizes, and which kernels were chosen.
func (r *Run) Executables() []backend.Executable {
	var all []backend.Executable
	for _, st := range r.stages {
		for _, size := range r.loader.Sizes() {
			if st.steps[size] == nil {
				continue // it only fits a prior
			}
			for _, ph := range st.steps[size].phases {
				for _, p := range ph.parts {
					all = append(all, p.exe)
				}
				if ph.update != nil {
					all = append(all, ph.update.exe)
				}
			}
		}
	}
	return all
}
