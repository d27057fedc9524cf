package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"aetrain/trainer"
)

// trainingProgress shows training: a line an epoch and, in between, a bar on a terminal or a line each 30 s elsewhere.
type trainingProgress struct {
	talk  *talk
	began time.Time // of this process's first step
	first int       // steps done before it
	epoch pace      // of the epoch under way
	rate  float64   // examples a second in it
	said  time.Time // last line
}

// pace is when an epoch's first step was done, and how many examples had been seen then.
type pace struct {
	at       time.Time
	examples int
}

var _ trainer.Progress = (*trainingProgress)(nil)

// newProgress shows training of which step is done already.
func newProgress(t *talk, step int) *trainingProgress {
	now := time.Now()
	return &trainingProgress{talk: t, began: now, said: now, first: step}
}

// Step moves the bar, or writes a line when the last one is long ago.
func (p *trainingProgress) Step(r *trainer.Run) {
	now := time.Now()
	if p.epoch.at.IsZero() { // the epoch's first step: what was done between epochs is no training
		p.epoch = pace{now, r.Seen}
	} else if d := now.Sub(p.epoch.at).Seconds(); d > 0 {
		p.rate = float64(r.Seen-p.epoch.examples) / d
	}
	if p.talk.terminal {
		p.draw(r)
	} else if now.Sub(p.said) >= lineEvery {
		p.said = now
		p.talk.Linef("%s", p.line(r, false))
	}
}

// Epoch writes the epoch's line.
func (p *trainingProgress) Epoch(r *trainer.Run) {
	p.talk.done()
	p.said = time.Now()
	p.talk.Linef("%s", p.line(r, true))
	p.epoch = pace{}
}

// Close takes the bar away.
func (p *trainingProgress) Close() { p.talk.done() }

// draw moves the epoch's bar.
func (p *trainingProgress) draw(r *trainer.Run) {
	t := p.talk
	t.mu.Lock()
	defer t.mu.Unlock()
	name := p.epochText(r)
	if t.what != name {
		t.endBar()
		t.what = name
		t.bar = progressbar.NewOptions(r.StepsPerEpoch, progressbar.OptionSetWriter(t.out), progressbar.OptionThrottle(barEvery),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(24), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionShowCount(),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}))
	}
	words := name
	if loss, ok := r.EpochRow["loss"]; ok {
		words += "  loss " + number(loss)
	}
	if p.rate > 0 {
		words += fmt.Sprintf("  %s examples/s", count(int(p.rate)))
	}
	if left := p.left(r); left != "" {
		words += "  " + left
	}
	t.bar.Describe(words)
	_ = t.bar.Set((r.Step-1)%r.StepsPerEpoch + 1) // drawing is not worth an error
}

// line is "epoch 3/10  step 1407  loss 110.62  reconstruction 85.31  kl 25.31  validation 109.87 (best)  48,210 examples/s  12 s left".
func (p *trainingProgress) line(r *trainer.Run, end bool) string {
	parts := []string{p.epochText(r), fmt.Sprintf("step %d", r.Step)}
	if text := terms(r.EpochRow); text != "" {
		parts = append(parts, text)
	}
	if v, ok := r.Validation["loss"]; ok && end && validatedNow(r) {
		text := "validation " + number(v)
		if r.Best != nil && r.Best.Step == r.Step {
			text += " (best)"
		}
		parts = append(parts, text)
	}
	parts = append(parts, fmt.Sprintf("%s examples/s", count(int(p.rate))))
	if left := p.left(r); left != "" {
		parts = append(parts, left)
	}
	return strings.Join(parts, "  ")
}

// validatedNow reports whether there was a validation at this very step.
func validatedNow(r *trainer.Run) bool {
	every := r.Train.ValidateEvery
	return trainer.Every(every).Due(r.Step, r.StepsPerEpoch) || every > 0 && r.Step == r.LastStep()
}

// epochText is "epoch 3/10" of the last step's epoch, or "epoch 3" where no end is known.
func (p *trainingProgress) epochText(r *trainer.Run) string {
	epoch, last := (max(r.Step, 1)-1)/r.StepsPerEpoch+1, r.LastStep()
	stage := ""
	if name := r.StageName(); name != "" {
		stage = "  " + name
	}
	if last == 0 {
		return fmt.Sprintf("epoch %d", epoch) + stage
	}
	of := float64(last) / float64(r.StepsPerEpoch)
	return fmt.Sprintf("epoch %d/%d", epoch, int(math.Ceil(of-1e-9))) + stage
}

// left is "12 s left", "" where no end is known or none is left.
func (p *trainingProgress) left(r *trainer.Run) string {
	last, done := r.LastStep(), r.Step-p.first
	if last <= r.Step || done <= 0 {
		return ""
	}
	each := time.Since(p.began) / time.Duration(done)
	return span(max(each*time.Duration(last-r.Step), time.Second)) + " left"
}
