package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"aetrain/data"
)

// talk is what a command says beside its result: lines on stderr, a bar where that is a terminal, and both kinds of lines in log.txt.
// It is safe for several goroutines.
type talk struct {
	mu       sync.Mutex
	out      io.Writer // stderr, or nothing with -quiet
	terminal bool
	verbose  bool

	log  io.Writer    // log.txt; nil: lines are kept until there is one
	kept bytes.Buffer // lines before that

	bar   *progressbar.ProgressBar
	what  string    // what the bar shows
	since time.Time // when that began
	told  time.Time // when a line was last written of it; zero: not yet
}

// talkOptions are the flags about talk.
type talkOptions struct {
	Quiet   bool // only errors
	Verbose bool // more
}

func (o *talkOptions) add(f *flags) {
	f.BoolVar(&o.Quiet, "quiet", false, "say nothing but errors")
	f.BoolVar(&o.Verbose, "v", false, "tell more: programs, kernels, what was read")
}

// newTalk returns talk that goes to stderr.
func newTalk(stderr io.Writer, o talkOptions) *talk {
	t := &talk{out: stderr, verbose: o.Verbose}
	if file, ok := stderr.(*os.File); ok {
		t.terminal = term.IsTerminal(int(file.Fd())) && !o.Quiet
	}
	if o.Quiet {
		t.out = io.Discard
	}
	return t
}

// Linef writes a line.
func (t *talk) Linef(format string, args ...any) {
	fmt.Fprintf(t, format+"\n", args...)
}

// Detailf writes a line that only -v wants.
func (t *talk) Detailf(format string, args ...any) {
	if t.verbose {
		t.Linef(format, args...)
	}
}

// Write writes whole lines, above the bar if there is one.
func (t *talk) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bar != nil {
		_ = t.bar.Clear() // a bar that stays is no reason to fail
	}
	_, err := t.out.Write(p)
	if err == nil {
		err = t.record(p)
	}
	return len(p), err
}

// record writes to the log, or keeps what is for it.
func (t *talk) record(p []byte) error {
	if t.log == nil {
		t.kept.Write(p)
		return nil
	}
	_, err := t.log.Write(p)
	return err
}

// logTo has all lines written to w, those so far included.
func (t *talk) logTo(w io.Writer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := w.Write(t.kept.Bytes())
	t.log = w
	t.kept.Reset()
	return err
}

// note writes a line to the log alone: main is to say it.
func (t *talk) note(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.record([]byte(text + "\n")) // the error itself is what counts
}

// result writes a command's result to stdout, and to the log.
func (t *talk) result(stdout io.Writer, text string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := io.WriteString(stdout, text); err != nil {
		return err
	}
	return t.record([]byte(text))
}

// How often progress is told: a bar several times a second, lines seldom, and none of what is soon over.
const (
	barEvery  = 100 * time.Millisecond
	lineAfter = 2 * time.Second
	lineEvery = 30 * time.Second
)

// progress shows how far reading, downloading or generating data is.
func (t *talk) progress(p data.Progress) { t.show(p.What, p.Done, p.Total, p.Unit) }

// show shows that done of total units are done, as a bar on a terminal, else as a line now and then. Total 0 is unknown.
func (t *talk) show(what string, done, total int64, unit string) {
	t.mu.Lock()
	if what != t.what {
		t.endBar()
		t.what, t.since, t.told = what, time.Now(), time.Time{}
		if t.terminal {
			t.bar = t.newBar(what, total, unit == "B")
		}
	}
	if t.bar != nil {
		_ = t.bar.Set64(done) // drawing is not worth an error
		if total > 0 && done >= total {
			t.endBar()
		}
	}
	due := t.bar == nil && !t.terminal && time.Since(t.since) > lineAfter && time.Since(t.told) > lineEvery
	if due {
		t.told = time.Now()
	}
	t.mu.Unlock()
	if due {
		t.Linef("%s: %s", what, amount(done, total, unit))
	}
}

// amount writes "12.1 of 9.45 MiB", "3,000 of 60,000 images".
func amount(done, total int64, unit string) string {
	write := func(n int64) string { return strings.TrimSpace(count(n) + " " + unit) }
	if unit == "B" {
		write = bytesText
	}
	if total <= 0 {
		return write(done)
	}
	return fmt.Sprintf("%s of %s", strings.TrimSuffix(write(done), " "+unit), write(total))
}

// newBar makes a bar of a known or unknown length.
func (t *talk) newBar(what string, total int64, bytes bool) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(t.out), progressbar.OptionSetDescription(what), progressbar.OptionShowBytes(bytes),
		progressbar.OptionThrottle(barEvery), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(true), progressbar.OptionShowCount(),
		progressbar.OptionSetSpinnerChangeInterval(0), // a goroutine of the bar's own would go on drawing after endBar
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}))
}

// endBar takes the bar away. The caller holds the lock.
func (t *talk) endBar() {
	if t.bar != nil {
		_ = t.bar.Clear() // a bar that stays is no reason to fail
	}
	t.bar, t.what = nil, ""
}

// done takes the bar away.
func (t *talk) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endBar()
}
