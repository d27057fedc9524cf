package throughput

import "time"

// Shares of a round. torch/bench.py goes by the same.
const (
	warmShare  = 0.1 // of the round's seconds go before it
	leastWarm  = 3   // steps
	blockShare = 0.1 // of the round's seconds make a block
	leastSteps = 4   // in a round
)

// pacer watches the steps of a round: a warm-up, then blocks.
type pacer struct {
	seconds float64
	sync    func() error            // waits until the device has done all steps so far
	joules  func() (float64, error) // nil: not known

	measuring bool
	start     time.Time // of the warm-up, then of the first block
	from      time.Time // of the block
	steps     int       // of the block
	all       int       // of all blocks
	blocks    []block
	energy    float64 // read at the start
}

// begin starts the warm-up.
func (p *pacer) begin() { p.start = time.Now() }

// step is called after every step. It tells when the round is over.
func (p *pacer) step() (over bool, err error) {
	p.steps++
	now := time.Now()
	if !p.measuring {
		if p.steps < leastWarm || now.Sub(p.start).Seconds() < warmShare*p.seconds {
			return false, nil
		}
		if err := p.sync(); err != nil {
			return true, err
		}
		p.measuring, p.steps, p.energy = true, 0, energy(p.joules)
		p.start = time.Now()
		p.from = p.start
		return false, nil
	}
	if now.Sub(p.from).Seconds() < blockShare*p.seconds {
		return false, nil
	}
	if err := p.sync(); err != nil {
		return true, err
	}
	now = time.Now()
	p.blocks = append(p.blocks, block{p.steps, now.Sub(p.from)})
	p.all, p.steps, p.from = p.all+p.steps, 0, now
	return p.all >= leastSteps && now.Sub(p.start).Seconds() >= p.seconds, nil
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
