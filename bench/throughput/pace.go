package throughput

import (
	"context"
	"time"
)

// pace is how long a side runs: at least so many seconds and steps, first to warm up.
type pace struct {
	warm      float64 // seconds
	warmSteps int     // 0: no warm-up
	seconds   float64
	block     float64 // seconds after which the device is waited for
	steps     int
}

// Shares of a round.
const (
	warmShare  = 0.1 // of the round's seconds go before it
	leastWarm  = 2   // steps
	blockShare = 0.1 // of the round's seconds make a block
	leastSteps = 4   // in a round
)

// paceOf is the pace of a round.
func paceOf(seconds float64) pace {
	return pace{warm: warmShare * seconds, warmSteps: leastWarm, seconds: seconds, block: blockShare * seconds, steps: leastSteps}
}

// pacer watches the steps of a round: a warm-up, then blocks.
type pacer struct {
	pace
	sync   func() error            // waits until the device has done all steps so far
	joules func() (float64, error) // nil: not known

	measuring bool
	start     time.Time // of the warm-up, then of the first block
	from      time.Time // of the block
	done      int       // steps of the block
	all       int       // of all blocks
	blocks    []block
	energy    float64 // read at the start
}

// begin starts the warm-up, or the first block where there is none.
func (p *pacer) begin() {
	if p.warmSteps == 0 {
		p.measure()
		return
	}
	p.start = time.Now()
}

// measure starts the first block.
func (p *pacer) measure() {
	p.measuring, p.done, p.energy = true, 0, energy(p.joules)
	p.start = time.Now()
	p.from = p.start
}

// step is called after every step. It tells when the round is over.
func (p *pacer) step() (over bool, err error) {
	p.done++
	now := time.Now()
	if !p.measuring {
		if p.done < p.warmSteps || now.Sub(p.start).Seconds() < p.warm {
			return false, nil
		}
		if err := p.sync(); err != nil {
			return true, err
		}
		p.measure()
		return false, nil
	}
	if now.Sub(p.from).Seconds() < p.block {
		return false, nil
	}
	if err := p.sync(); err != nil {
		return true, err
	}
	now = time.Now()
	p.blocks = append(p.blocks, block{p.done, now.Sub(p.from)})
	p.all, p.done, p.from = p.all+p.done, 0, now
	return p.all >= p.steps && now.Sub(p.start).Seconds() >= p.seconds, nil
}

// figure is the round's, once it is over.
func (p *pacer) figure(batch int) Figure {
	f := figure(p.blocks, batch)
	if now := energy(p.joules); now > p.energy && p.energy > 0 {
		f.Joules = now - p.energy
	}
	return f
}

// energy is a reading in joules, 0 where there is none: what cannot be read is not reported.
func energy(joules func() (float64, error)) float64 {
	if joules == nil {
		return 0
	}
	j, err := joules()
	if err != nil {
		return 0
	}
	return j
}

// stepping is a side whose steps are over when they return.
type stepping struct {
	batch  int
	step   func(context.Context) error
	joules func() (float64, error)
	close  func() error
}

// Steps is a side that makes steps of batch examples, each done when step returns.
func Steps(batch int, step func(context.Context) error) Side {
	return &stepping{batch: batch, step: step, close: func() error { return nil }}
}

// round makes steps until the round is over.
func (s *stepping) round(ctx context.Context, at pace) (Figure, error) {
	p := &pacer{pace: at, sync: func() error { return nil }, joules: s.joules}
	p.begin()
	for over := false; !over; {
		if ctx.Err() != nil {
			return Figure{}, context.Cause(ctx)
		}
		err := s.step(ctx)
		if err == nil {
			over, err = p.step()
		}
		if err != nil {
			return Figure{}, err
		}
	}
	return p.figure(s.batch), nil
}

// Close implements io.Closer.
func (s *stepping) Close() error { return s.close() }
