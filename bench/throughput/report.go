package throughput

import (
	"encoding/json"
	"math"
	"runtime"
	"slices"
	"time"

	"aetrain/cpu/cpuinfo"
)

// Ours is the name of our side.
const Ours = "aetrain"

// Report is all that was measured.
type Report struct {
	Time    time.Time         `json:"time"`
	System  string            `json:"system"`
	Go      string            `json:"go"`
	CPU     string            `json:"cpu,omitempty"`
	Cores   int               `json:"cores"`
	Rounds  int               `json:"rounds"`
	Seconds float64           `json:"seconds"` // of each side in a round
	Devices []DeviceFacts     `json:"devices"`
	Peers   []json.RawMessage `json:"peers,omitempty"` // what they say of themselves
	Rows    []*RowFacts       `json:"rows"`
	Results []*Result         `json:"results"`
	Skipped []Skipped         `json:"skipped,omitempty"`
}

// RowFacts are the circumstances of a row.
type RowFacts struct {
	Row        string        `json:"row"`
	Text       string        `json:"text"`
	Time       time.Time     `json:"time"`
	Rounds     int           `json:"rounds"`
	Seconds    float64       `json:"seconds"`
	Devices    []DeviceFacts `json:"devices"`                // as they were then
	HandOverNS []float64     `json:"hand_over_ns,omitempty"` // between two cores, before each round
}

// DeviceFacts is a device in a report.
type DeviceFacts struct {
	Name   string `json:"name"`
	Device string `json:"device"`
	Tier   string `json:"tier,omitempty"` // of instructions, where it is a processor
	Peaks  Peaks  `json:"peaks"`
}

// factsOf describes a device.
func factsOf(d Device) DeviceFacts {
	f := DeviceFacts{Name: d.Name, Device: d.Backend.Capabilities().Device, Peaks: d.Peaks}
	if d.address() == "cpu" {
		f.Tier = cpuinfo.Best().String()
	}
	return f
}

// Result is what one side did with a row on a device.
type Result struct {
	Row        string  `json:"row"`
	Device     string  `json:"device"`
	Side       string  `json:"side"` // "aetrain", "pytorch eager"
	Work       string  `json:"work"` // "train" or "encode"
	Precision  string  `json:"precision"`
	Batch      int     `json:"batch"` // examples of a step
	Parameters int     `json:"parameters"`
	GFLOP      float64 `json:"gflop"` // of a step's products
	GB         float64 `json:"gb"`    // that a step of ours moves: operands and results of all its parts

	StepMS            float64 `json:"step_ms"`
	ExamplesPerSecond float64 `json:"examples_per_second"`
	GFLOPS            float64 `json:"gflops"`
	PeakShare         float64 `json:"peak_share,omitempty"` // of the device's peak GFLOP/s
	GBps              float64 `json:"gb_per_s,omitempty"`   // ours alone: others move other bytes
	JoulesPerThousand float64 `json:"joules_per_1000,omitempty"`
	Ratio             float64 `json:"ratio,omitempty"`       // ours / this side, on the same device: median of the rounds' ratios
	FirstRatio        float64 `json:"first_ratio,omitempty"` // ours here / ours on the first device

	StartMS   float64 `json:"start_ms,omitempty"`   // of a fresh process, to the end of its first step
	PeakBytes int64   `json:"peak_bytes,omitempty"` // of a fresh process, in some steps

	Rounds []Figure `json:"rounds"`
	Failed string   `json:"-"`
}

// Skipped is a side that could not be measured.
type Skipped struct {
	Row    string `json:"row"`
	Device string `json:"device"`
	Side   string `json:"side"`
	Reason string `json:"reason"`
}

// newReport describes the machine.
func newReport(o Options) *Report {
	r := &Report{
		Time: time.Now().UTC().Truncate(time.Second), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Cores: runtime.NumCPU(), CPU: cpuinfo.Model(),
		Rounds: o.Rounds, Seconds: o.Seconds, Results: []*Result{},
	}
	for _, d := range o.Devices {
		r.Devices = append(r.Devices, factsOf(d))
	}
	for _, p := range o.Peers {
		r.Peers = append(r.Peers, p.Machine)
	}
	return r
}

// begin notes the circumstances of a row.
func (r *Report) begin(row Row) {
	r.Rows = append(r.Rows, &RowFacts{Row: row.Name, Text: row.Text, Time: time.Now().UTC().Truncate(time.Second), Rounds: r.Rounds, Seconds: r.Seconds, Devices: r.Devices})
}

// handOver measures the hand-over between two cores, where several threads of the processor take part.
func (r *Report) handOver(devices []Device) {
	for _, d := range devices {
		if d.address() == "cpu" && d.Threads != 1 {
			if t := HandOver(); t > 0 {
				now := r.Rows[len(r.Rows)-1]
				now.HandOverNS = append(now.HandOverNS, float64(t))
			}
			return
		}
	}
}

// add begins a result.
func (r *Report) add(row Row, d Device, side string, f facts) *Result {
	work := "train"
	if row.Encode > 0 {
		work = "encode"
	}
	res := &Result{Row: row.Name, Device: d.Name, Side: side, Work: work, Precision: f.precision, Batch: f.batch, Parameters: f.parameters, GFLOP: f.flop / 1e9, GB: f.bytes / 1e9}
	r.Results = append(r.Results, res)
	return res
}

// skip notes a side that cannot take part.
func (r *Report) skip(row Row, d Device, side string, err error) {
	r.Skipped = append(r.Skipped, Skipped{row.Name, d.Name, side, err.Error()})
}

// dropFailed moves sides that have failed to those that were left out.
func (r *Report) dropFailed() {
	r.Results = slices.DeleteFunc(r.Results, func(res *Result) bool {
		if res.Failed != "" {
			r.Skipped = append(r.Skipped, Skipped{res.Row, res.Device, res.Side, res.Failed})
		}
		return res.Failed != ""
	})
}

// drop forgets a row that was not measured to its end.
func (r *Report) drop(row string) {
	r.Results = slices.DeleteFunc(r.Results, func(res *Result) bool { return res.Row == row })
	r.Rows = slices.DeleteFunc(r.Rows, func(f *RowFacts) bool { return f.Row == row })
}

// conclude takes the medians of a row's rounds.
func (r *Report) conclude(row string) {
	var first *Result // ours on the first device
	ours := map[string]*Result{}
	for _, res := range r.Results {
		if res.Row != row {
			continue
		}
		res.medians(r.peak(res))
		if res.Side == Ours {
			ours[res.Device] = res
			if first == nil {
				first = res
			} else {
				res.FirstRatio = ratio(res, first)
			}
		}
	}
	for _, res := range r.Results {
		if us := ours[res.Device]; res.Row == row && us != nil && us != res {
			res.Ratio = ratio(us, res)
		}
	}
}

// medians fills a result's figures from its rounds.
func (res *Result) medians(peak float64) {
	var ms, rates []float64
	joules, examples := 0.0, 0
	for _, f := range res.Rounds {
		ms, rates = append(ms, f.StepMS), append(rates, f.ExamplesPerSecond)
		joules, examples = joules+f.Joules, examples+f.Examples
	}
	res.StepMS, res.ExamplesPerSecond = median(ms), median(rates)
	perSecond := 1e3 / res.StepMS
	res.GFLOPS = res.GFLOP * perSecond
	if res.Side == Ours {
		res.GBps = res.GB * perSecond
	}
	if peak > 0 {
		res.PeakShare = res.GFLOPS / peak
	}
	if joules > 0 {
		res.JoulesPerThousand = 1000 * joules / float64(examples)
	}
}

// peak is the limit of the device that a result was measured on, 0 if it is not known.
func (r *Report) peak(res *Result) float64 {
	for _, d := range r.Devices {
		if d.Name == res.Device {
			return d.Peaks.GFLOPS[res.Precision]
		}
	}
	return 0
}

// ratio is the median of the rounds' ratios of a to b; 0 where there are none.
func ratio(a, b *Result) float64 {
	var list []float64
	for i := range min(len(a.Rounds), len(b.Rounds)) {
		if x := a.Rounds[i].ExamplesPerSecond / b.Rounds[i].ExamplesPerSecond; !math.IsNaN(x) && !math.IsInf(x, 0) {
			list = append(list, x)
		}
	}
	if len(list) == 0 {
		return 0
	}
	return median(list)
}
