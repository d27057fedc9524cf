package model

import (
	"slices"
	"sort"
	"strings"

	"aetrain/configs"
	"aetrain/graph"
)

// Names of terms. Those in losses that stand for several: all penalties (and the bottleneck's own terms), and all that the model
// loses to adversaries.
const (
	reconstructionTerm = "reconstruction"
	bottleneckTerm     = "bottleneck" // what a bottleneck has only logged
	everyPenalty       = "penalties"
	everyAdversary     = "adversaries"
)

// allPhases is the phase of an evaluation, which has the terms of all of them.
const allPhases = -1

// lossConfigs returns the configured losses by name, in the order of their names; the usual single one where there are none. An
// adversary whose own term no loss has gets one, in phase 0.
func (m *Model) lossConfigs() (names []string, losses map[string]LossConfig) {
	losses = map[string]LossConfig{}
	for name, l := range m.Config.Losses {
		losses[name] = l
	}
	if len(losses) == 0 {
		losses[lossName] = LossConfig{EverySteps: 1}
	}
	for _, a := range m.adversaryNames() {
		own := false
		for _, l := range losses {
			_, has := l.Terms[ownTerm(a)]
			own = own || has
		}
		if !own {
			losses[ownTerm(a)] = LossConfig{Terms: map[string]float64{ownTerm(a): 1}, EverySteps: 1}
		}
	}
	losses = m.onlyLosses(losses)
	for name := range losses {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, losses
}

// termNames are the names of all terms that the model has.
func (m *Model) termNames() []string {
	names := append([]string{reconstructionTerm}, m.bottleneckTerms()...)
	names = append(names, m.penaltyNames()...)
	for _, a := range m.adversaryNames() {
		names = append(names, ownTerm(a), foolingTerm(a))
	}
	return names
}

// bottleneckTerms are the names of the bottleneck's own terms.
func (m *Model) bottleneckTerms() []string {
	if b, ok := m.Config.Bottleneck.(Termed); ok {
		return b.TermNames()
	}
	return nil
}

// weightOf is the weight of a term in a loss: what the loss says of it, or of all penalties or adversaries together. A loss that
// lists nothing has all but what discriminators minimise.
func (m *Model) weightOf(l LossConfig, term string) (weight float64, ok bool) {
	if l.Terms == nil {
		return 1, !m.isOwnTerm(term)
	}
	if w, ok := l.Terms[term]; ok {
		return w, true
	}
	group := everyPenalty
	switch {
	case m.isOwnTerm(term) || term == reconstructionTerm:
		return 0, false
	case strings.HasPrefix(term, adversaryTerm+"."):
		group = everyAdversary
	}
	weight, ok = l.Terms[group]
	return weight, ok
}

// judgedBy returns the adversary whose own term a loss has.
func (m *Model) judgedBy(l LossConfig) (adversary string, ok bool) {
	for _, a := range m.adversaryNames() {
		if _, has := l.Terms[ownTerm(a)]; has {
			return a, true
		}
	}
	return "", false
}

// phaseTerms are the terms that a phase computes: those of its losses, and in the first one those that are only logged.
func (m *Model) phaseTerms(phase int) map[string]bool {
	wanted := map[string]bool{bottleneckTerm: phase == 0}
	for _, t := range m.termNames() {
		phases := m.phasesOf(t)
		logged := phase == 0 && len(phases) == 0 && m.only == nil && !strings.HasPrefix(t, adversaryTerm+".")
		if slices.Contains(phases, phase) || logged {
			wanted[t] = true
		}
	}
	return wanted
}

// evaluated are the terms of an evaluation: all, but in a stage that has some of the losses those of them.
func (m *Model) evaluated() map[string]bool {
	if m.only == nil {
		return nil
	}
	wanted := map[string]bool{bottleneckTerm: true}
	for phase := range m.Phases() {
		for term := range m.phaseTerms(phase) {
			wanted[term] = true
		}
	}
	return wanted
}

// phasesOf are the phases whose losses have a term.
func (m *Model) phasesOf(term string) []int {
	var phases []int
	_, losses := m.lossConfigs()
	for _, l := range losses {
		if _, ok := m.weightOf(l, term); ok {
			phases = append(phases, l.Phase)
		}
	}
	return phases
}

// Logs reports whether a term is logged in a phase: the first that has it, so that rows show it once.
func (m *Model) Logs(term string, phase int) bool {
	if m.priorOnly {
		return true
	}
	if phases := m.phasesOf(term); len(phases) > 0 {
		return slices.Min(phases) == phase
	}
	return phase == 0
}

// losses reduces the terms to the losses of a phase.
func (m *Model) losses(f *Forward, terms []Term, phase int) []Loss {
	names, all := m.lossConfigs()
	var losses []Loss
	for _, name := range names {
		l := all[name]
		if phase != allPhases && l.Phase != phase {
			continue
		}
		loss := Loss{Name: name, Value: m.reduce(f, l, terms), Trains: l.Trains, Phase: l.Phase, EverySteps: max(1, l.EverySteps)}
		if a, ok := m.judgedBy(l); ok {
			c := m.Config.Adversaries[a]
			loss.EverySteps = max(loss.EverySteps, c.EverySteps)
			if written(c.Optimizer) {
				loss.Optimizer = graph.Join(adversariesPath, a)
			}
			if len(loss.Trains) == 0 {
				loss.Trains = []string{graph.Join(adversariesPath, a)}
			}
		}
		if written(l.Optimizer) {
			loss.Optimizer = graph.Join("losses", name)
		}
		losses = append(losses, loss)
	}
	return losses
}

// reduce weighs the terms of one loss and reduces them by its bound.
func (m *Model) reduce(f *Forward, l LossConfig, terms []Term) graph.Value {
	var weighted []graph.Value
	for _, t := range terms {
		if weight, ok := m.weightOf(l, t.Name); ok && t.Minimise.Valid() {
			weighted = append(weighted, weigh(t.Minimise, t.Weight, weight))
		}
	}
	return m.bound(l).Reduce(f, weighted)
}

// written reports whether a table has keys.
func written(s *configs.Section) bool { return s != nil && len(s.Keys("")) > 0 }

// TrainsAutoencoder reports whether a loss trains encoder or decoder.
func (l Loss) TrainsAutoencoder() bool {
	return len(l.Trains) == 0 || slices.ContainsFunc(l.Trains, func(p string) bool { return Under(p, intoEncoder) || Under(p, intoDecoder) })
}

// autoencoderLoss is what encoder and decoder minimise: that of the one loss that trains them, or, where several share terms, each
// term once with the largest of its weights. The zero Value where a phase trains neither.
func (m *Model) autoencoderLoss(f *Forward, losses []Loss, terms []Term, phase int) graph.Value {
	var theirs []Loss
	for _, l := range losses {
		if l.TrainsAutoencoder() {
			theirs = append(theirs, l)
		}
	}
	_, all := m.lossConfigs()
	count := 0
	for _, l := range all {
		if (Loss{Trains: l.Trains}).TrainsAutoencoder() {
			if _, own := m.judgedBy(l); !own {
				count++
			}
		}
	}
	if count == 1 && len(theirs) == 1 {
		return theirs[0].Value
	}
	together := LossConfig{Terms: map[string]float64{}}
	for _, t := range terms {
		if phase != allPhases && !m.Logs(t.Name, phase) {
			continue
		}
		for _, l := range theirs {
			if w, ok := m.weightOf(all[l.Name], t.Name); ok && !m.isOwnTerm(t.Name) {
				together.Terms[t.Name] = max(w, together.Terms[t.Name])
			}
		}
	}
	if len(together.Terms) == 0 {
		return graph.Value{}
	}
	return m.reduce(f, together, terms)
}

// checkLosses looks for losses that name what is not there.
func (m *Model) checkLosses() []error {
	var errs []error
	known := m.termNames()
	names, all := m.lossConfigs()
	for _, name := range names {
		l, key := all[name], "model.losses."+name
		for term := range l.Terms {
			if !slices.Contains(known, term) && term != everyPenalty && term != everyAdversary {
				errs = append(errs, mistake(key+".terms."+term, "no such term%s; there are %s", near(term, known), strings.Join(known, ", ")))
			}
		}
		if l.Bound != "" {
			if _, ok := Bounds.Canonical(l.Bound); !ok {
				errs = append(errs, mistake(key+".bound", "%w", Bounds.Unknown(l.Bound)))
			}
		}
		if a, ok := m.judgedBy(l); ok {
			errs = append(errs, checkJudge(l, key, a)...)
		}
	}
	for phase := range m.Phases() {
		if !slices.ContainsFunc(names, func(name string) bool { return all[name].Phase == phase }) {
			errs = append(errs, mistake("model.losses", "phase %d has no loss: phases are numbered from 0 without gaps", phase))
		}
	}
	return errs
}

// checkJudge holds a discriminator's loss to training it alone: others would learn to be told apart.
func checkJudge(l LossConfig, key, adversary string) []error {
	if len(l.Terms) > 1 {
		return []error{mistake(key+".terms", "%s is what its discriminator minimises, and stands in a loss alone", ownTerm(adversary))}
	}
	for _, p := range l.Trains {
		if !Under(p, graph.Join(adversariesPath, adversary)) {
			return []error{mistake(key+".trains", "%s is for the discriminator alone: trains = [%q]", ownTerm(adversary), graph.Join(adversariesPath, adversary))}
		}
	}
	return nil
}
