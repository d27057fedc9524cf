package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"aetrain/trainer"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want string
	}{{110.618, "110.62"}, {85.3111, "85.31"}, {1.23456, "1.235"}, {0.062213, "0.06221"}, {0, "0"}, {-3.5, "-3.500"}, {1e8, "1.000e+08"}, {math.NaN(), "NaN"}, {math.Inf(1), "+Inf"}} {
		if got := number(c.x); got != c.want {
			t.Errorf("number(%v) = %q, want %q", c.x, got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 48210: "48,210", 1234567: "1,234,567", -1200: "-1,200"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		12 * time.Second: "12 s", 200 * time.Second: "3 min 20 s", 125 * time.Minute: "2 h 5 min", 1234 * time.Millisecond: "1.2 s", 0: "0 s",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{12: "12 B", 2048: "2 KiB", 1<<20 - 1024: "0.999 MiB", 9912422: "9.45 MiB", 5 << 40: "5 TiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestTermsOrder(t *testing.T) {
	got := terms(map[string]float64{"kl": 25.314, "reconstruction": 85.306, "loss": 110.62, "gradient_norm": 3, "capacity": 1})
	if want := "loss 110.62  reconstruction 85.31  capacity 1.000  kl 25.31"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNumbersAreJSON(t *testing.T) {
	text, err := json.Marshal(numbers(map[string]float64{"a": math.NaN(), "b": math.Inf(-1), "c": 1.5}))
	if want := `{"a":null,"b":null,"c":1.5}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}

func TestQuoteArgument(t *testing.T) {
	for word, want := range map[string]string{"runs/vae-1": "runs/vae-1", "my runs/a": "'my runs/a'", "it's": `'it'\''s'`, "": "''"} {
		if got := quoteArgument(word); got != want {
			t.Errorf("quoteArgument(%q) = %s, want %s", word, got, want)
		}
	}
}

// The line of a log is the one that working days show.
func TestEpochLine(t *testing.T) {
	r := &trainer.Run{
		Options: trainer.Options{Train: &trainer.Config{Epochs: 10, ValidateEvery: 1}},
		Step:    1407, Epoch: 3, StepsPerEpoch: 469, Seen: 180000,
		EpochRow:   map[string]float64{"loss": 110.62, "reconstruction": 85.31, "kl": 25.31, "gradient_norm": 4},
		Validation: map[string]float64{"loss": 109.87, "mse": 0.01},
		Best:       &trainer.Best{Metric: "loss", Value: 109.87, Step: 1407},
	}
	began := time.Now().Add(-12 * time.Second)
	p := &trainingProgress{talk: newTalk(&bytes.Buffer{}, talkOptions{}), began: began, first: 1407 - 3283, rate: 48210}
	got := p.line(r, true)
	want := "epoch 3/10  step 1407  loss 110.62  reconstruction 85.31  kl 25.31  validation 109.87 (best)  48,210 examples/s  "
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, " s left") {
		t.Errorf("got  %s\nwant %s12 s left", got, want)
	}
	r.Best.Step, r.Step, r.Epoch = 938, 1500, 3
	if got := p.line(r, false); !strings.HasPrefix(got, "epoch 4/10  step 1500  loss") || strings.Contains(got, "validation") {
		t.Errorf("within an epoch: %s", got)
	}
}

// Without a terminal a long epoch, and a long download, say something each 30 s.
func TestLinesOfLongWork(t *testing.T) {
	var out bytes.Buffer
	talk := newTalk(&out, talkOptions{})
	r := &trainer.Run{Options: trainer.Options{Train: &trainer.Config{Epochs: 1}}, Step: 5, StepsPerEpoch: 10, EpochRow: map[string]float64{"loss": 2}}
	p := newProgress(talk, 0)
	p.Step(r)
	if out.Len() != 0 {
		t.Errorf("too early: %q", out.String())
	}
	p.said = p.said.Add(-lineEvery)
	p.Step(r)
	p.Step(r)
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "epoch 1/1  step 5  loss 2.000  ") {
		t.Errorf("after 30 s: %q", got)
	}
	out.Reset()
	talk.show("downloading x.gz", 1, 3<<20, "B")
	talk.since = talk.since.Add(-lineAfter)
	talk.show("downloading x.gz", 1<<20, 3<<20, "B")
	talk.show("downloading x.gz", 2<<20, 3<<20, "B")
	if got, want := out.String(), "downloading x.gz: 1 MiB of 3 MiB\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// shared is a Writer for several goroutines.
type shared struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *shared) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Len()
}

// A bar of unknown length draws when it is told something, and no more once it is taken away.
func TestBarEnds(t *testing.T) {
	var out shared
	talk := newTalk(&out, talkOptions{})
	talk.terminal = true
	talk.show("reading a.csv", 1, 0, "rows")
	time.Sleep(barEvery + time.Millisecond)
	talk.show("reading a.csv", 2, 0, "rows")
	if out.len() == 0 {
		t.Fatal("the bar shows nothing")
	}
	talk.done()
	drawn := out.len()
	time.Sleep(3 * barEvery)
	if now := out.len(); now != drawn {
		t.Errorf("the bar was taken away, and %d bytes were drawn since", now-drawn)
	}
}

func TestTalkKeepsForTheLog(t *testing.T) {
	var out, log bytes.Buffer
	talk := newTalk(&out, talkOptions{Quiet: true})
	talk.Linef("early")
	if err := talk.logTo(&log); err != nil {
		t.Fatal(err)
	}
	talk.Linef("late")
	talk.Detailf("detail")
	if out.Len() != 0 || log.String() != "early\nlate\n" {
		t.Errorf("said %q, logged %q", out.String(), log.String())
	}
}
