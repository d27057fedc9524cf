package throughput

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// Question is a line to a peer; torch/bench.py describes the protocol.
type Question struct {
	Do        string  `json:"do"`
	ID        int     `json:"id"`
	Row       string  `json:"row,omitempty"`
	Device    string  `json:"device,omitempty"`
	Way       string  `json:"way,omitempty"`
	Precision string  `json:"precision,omitempty"`
	Batch     int     `json:"batch,omitempty"`
	Threads   int     `json:"threads,omitempty"`
	Seconds   float64 `json:"seconds,omitempty"`
	Block     float64 `json:"block,omitempty"`
	Steps     int     `json:"steps,omitempty"`
}

// answer is a line from a peer.
type answer struct {
	Error      string       `json:"error,omitempty"`
	Ways       []string     `json:"ways,omitempty"`
	Parameters int          `json:"parameters,omitempty"`
	Loss       float64      `json:"loss,omitempty"`
	Blocks     [][2]float64 `json:"blocks,omitempty"` // steps, seconds
	PeakBytes  int64        `json:"peak_bytes,omitempty"`
}

// Served is what a peer has opened.
type Served struct {
	Side
	Parameters int
	Loss       float64 // of the first batch with the first weights; 0: not known
}

// Server is a peer in Go.
type Server struct {
	About map[string]any // what it says of itself; "name" is its name
	Ways  func(row, device string) []string
	Open  func(ctx context.Context, q Question) (*Served, error)
}

// Serve answers the questions that come in, until there are no more.
func (s *Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	say := json.NewEncoder(out)
	if err := say.Encode(s.About); err != nil {
		return err
	}
	open := map[int]*Served{}
	defer func() {
		for _, o := range open {
			_ = o.Close() // nobody asks any more
		}
	}()
	lines := bufio.NewScanner(in)
	for lines.Scan() && ctx.Err() == nil {
		var q Question
		err := json.Unmarshal(lines.Bytes(), &q)
		var a answer
		if err == nil {
			a, err = s.answer(ctx, q, open)
		}
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := say.Encode(a); err != nil {
			return err
		}
	}
	return lines.Err()
}

// answer answers one question.
func (s *Server) answer(ctx context.Context, q Question, open map[int]*Served) (answer, error) {
	switch q.Do {
	case "ways":
		return answer{Ways: s.Ways(q.Row, q.Device)}, nil
	case "memory":
		return answer{PeakBytes: peakBytes()}, nil
	case "open":
		o, err := s.Open(ctx, q)
		if err != nil {
			return answer{}, err
		}
		open[q.ID] = o
		return answer{Parameters: o.Parameters, Loss: o.Loss}, nil
	}
	o := open[q.ID]
	if o == nil {
		return answer{}, fmt.Errorf("nothing is open under %d", q.ID)
	}
	switch q.Do {
	case "close":
		delete(open, q.ID)
		return answer{}, o.Close()
	case "warm", "measure":
		f, err := o.round(ctx, pace{seconds: q.Seconds, block: q.Block, steps: max(1, q.Steps)})
		if err != nil || q.Do == "warm" {
			return answer{}, err
		}
		return answer{Blocks: [][2]float64{{float64(f.Steps), f.StepMS * float64(f.Steps) / 1e3}}}, nil
	}
	return answer{}, fmt.Errorf("there is no question %q", q.Do)
}
