package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"aetrain/graph"

	"gorgonia.org/tensor"
)

// LoaderOptions say what batches a Loader makes.
type LoaderOptions struct {
	Batch    int                            // examples of a batch
	Fields   []string                       // which fields, in this order; nil: all of the source's
	Seed     uint64                         // of the order
	Shuffle  bool                           // an order of its own each epoch
	DropLast bool                           // leave out a short last batch
	MinLast  int                            // leave out a last batch that is shorter than this
	Training bool                           // with what transforms do to training batches only; Row0 is then 0
	Epoch    int                            // where to begin: the epoch, from 0,
	Index    int                            // and the batch in it
	Epochs   int                            // epochs before io.EOF; 0: endless
	Workers  int                            // goroutines that read; 0: automatic
	Held     int                            // how many batches the caller uses at once; 0: one
	Alloc    func(graph.Spec) *tensor.Dense // memory of batches; nil: ordinary
	Blocks   string                         // a field of labels, of which each gets an equal, contiguous block of every batch
	Unread   bool                           // only Indices are wanted: who has the set elsewhere reads there
}

// Batch is some examples. It stays as it is until Next has been called Held more times.
type Batch struct {
	Fields  []*tensor.Dense // of the Loader's fields, in their order; the first axis is Size
	Size    int
	Epoch   int   // from 0
	Index   int   // in the epoch, from 0
	Last    bool  // of its epoch
	Indices []int // the examples' places in the split
	Row0    int   // what the input row0 is: the first example's place in the split; in training 0, as rows count within the batch
	names   []Field
}

// Field returns a field by name, nil where there is none.
func (b *Batch) Field(name string) *tensor.Dense {
	if i := FieldIndex(b.names, name); i >= 0 {
		return b.Fields[i]
	}
	return nil
}

// epochReader is a source whose examples change from epoch to epoch in training.
type epochReader interface {
	readTraining(dst []*tensor.Dense, indices []int, epoch int) error
}

// Loader reads batches ahead of who uses them. Workers take turns in beginning a batch and fill slots of a ring, from which Next
// takes them in the order in which they were begun: neither that order nor a single bit depends on the number of workers.
// All memory is reserved by NewLoader. One goroutine at a time may use it.
type Loader struct {
	source Source
	o      LoaderOptions
	fields []Field
	steps  int // batches an epoch
	slots  []*slot

	workers sync.WaitGroup
	cancel  context.CancelFunc // ends the workers of this pass

	// Of who begins a batch.
	mu    sync.Mutex
	order interface{ of(epoch int) []int }
	begun int // batches begun since the pass began

	taken int // batches that Next has returned in this pass
	ended error
}

// slot holds one batch of the ring, and memory for both sizes that a batch has.
type slot struct {
	batch   Batch
	indices []int
	sizes   []int             // as in Loader.Sizes
	dst     [][]*tensor.Dense // by size: all fields of the source
	fields  [][]*tensor.Dense // by size: those that are wanted
	err     error
	free    chan struct{} // holds a token while the slot may be filled
	ready   chan struct{} // holds a token while the slot is filled
}

// mostWorkers is what automatic stops at: in-memory sources need one, and reading files gains little from more.
const mostWorkers = 4

// NewLoader reserves memory and begins to read.
func NewLoader(s Source, o LoaderOptions) (*Loader, error) {
	if o.Batch < 1 {
		return nil, fmt.Errorf("data: batch is %d, want at least 1", o.Batch)
	}
	if o.Workers < 1 {
		o.Workers = max(1, min(mostWorkers, runtime.GOMAXPROCS(0)/2))
	}
	o.Held = max(1, o.Held)
	l := &Loader{source: s, o: o, order: newOrder(s.Len(), o.Shuffle, o.Seed)}
	l.steps = s.Len() / o.Batch
	if rest := s.Len() % o.Batch; rest > 0 && rest >= o.MinLast && !o.DropLast {
		l.steps++
	}
	if o.Blocks != "" {
		b, err := newBlocks(s, o.Blocks, o.Batch, o.Shuffle, o.Seed)
		if err != nil {
			return nil, err
		}
		l.order, l.steps = b, len(b.at)/o.Batch
	}
	if l.steps == 0 {
		return nil, fmt.Errorf("data: %d examples give no batch of %d", s.Len(), o.Batch)
	}
	wanted, err := l.choose(o.Fields)
	if err != nil {
		return nil, err
	}
	l.reserve(wanted)
	if err := l.Seek(o.Epoch, o.Index); err != nil {
		return nil, err
	}
	return l, nil
}

// choose finds the wanted fields in the source and returns their places.
func (l *Loader) choose(names []string) ([]int, error) {
	all := l.source.Fields()
	if names == nil {
		names = fieldNames(all)
	}
	places := make([]int, len(names))
	for i, name := range names {
		at := FieldIndex(all, name)
		if at < 0 {
			return nil, fmt.Errorf("the data has no field %s; it has %v", name, fieldNames(all))
		}
		places[i] = at
		l.fields = append(l.fields, all[at])
	}
	return places, nil
}

// reserve makes the ring: a slot for each worker, those the caller holds, and one that is ready. Fields that nobody wants are
// read all the same, into ordinary memory.
func (l *Loader) reserve(wanted []int) {
	all := l.source.Fields()
	l.slots = make([]*slot, l.o.Workers+l.o.Held+1)
	for i := range l.slots {
		s := &slot{indices: make([]int, l.Sizes()[0]), sizes: l.Sizes(), free: make(chan struct{}, 1), ready: make(chan struct{}, 1)}
		for _, n := range s.sizes {
			dst := NewBatch(all, n, nil)
			fields := make([]*tensor.Dense, len(wanted))
			for k, at := range wanted {
				if l.o.Alloc != nil {
					dst[at] = l.o.Alloc(all[at].batch(n))
				}
				fields[k] = dst[at]
			}
			s.dst, s.fields = append(s.dst, dst), append(s.fields, fields)
		}
		l.slots[i] = s
	}
}

// Steps is the number of batches of an epoch.
func (l *Loader) Steps() int { return l.steps }

// Sizes are the sizes that batches have, longest first: one or two.
func (l *Loader) Sizes() []int {
	if l.o.Blocks != "" {
		return []int{l.o.Batch}
	}
	var sizes []int
	if l.source.Len() >= l.o.Batch {
		sizes = append(sizes, l.o.Batch)
	}
	if l.steps*l.o.Batch > l.source.Len() {
		sizes = append(sizes, l.source.Len()%l.o.Batch)
	}
	return sizes
}

// Fields are those of the batches.
func (l *Loader) Fields() []Field { return l.fields }

// Seek goes to a batch; Epochs count from there. Batches that Next has returned are no longer valid.
func (l *Loader) Seek(epoch, index int) error {
	if epoch < 0 || index < 0 || index >= l.steps {
		return fmt.Errorf("data: batch %d of epoch %d is wanted; an epoch has %d", index, epoch, l.steps)
	}
	l.stop()
	l.o.Epoch, l.o.Index = epoch, index
	l.begun, l.taken, l.ended = 0, 0, nil
	for _, s := range l.slots {
		drain(s.free)
		drain(s.ready)
		s.free <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	for range l.o.Workers {
		l.workers.Go(func() { l.work(ctx) })
	}
	return nil
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}

// stop ends the workers.
func (l *Loader) stop() {
	if l.cancel != nil {
		l.cancel()
		l.workers.Wait()
		l.cancel = nil
	}
}

// Close ends reading. The source stays open: it belongs to who opened it.
func (l *Loader) Close() error {
	l.stop()
	l.ended = errors.New("data: the loader is closed")
	return nil
}

// Next returns the next batch; io.EOF after the last, ctx's error if that ends first, or the error with which a batch was read.
func (l *Loader) Next(ctx context.Context) (*Batch, error) {
	if l.ended != nil {
		return nil, l.ended
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l.o.Epochs > 0 && l.taken == l.total() {
		return nil, io.EOF
	}
	s := l.slots[l.taken%len(l.slots)]
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.err != nil {
		l.ended = fmt.Errorf("epoch %d, batch %d: %w", s.batch.Epoch+1, s.batch.Index+1, s.err)
		return nil, l.ended
	}
	l.taken++
	if done := l.taken - 1 - l.o.Held; done >= 0 { // the caller has just given it up
		l.slots[done%len(l.slots)].free <- struct{}{}
	}
	return &s.batch, nil
}

// total is the number of batches of a pass that ends.
func (l *Loader) total() int { return l.o.Epochs*l.steps - l.o.Index }

// work fills slots until there is nothing left to begin.
func (l *Loader) work(ctx context.Context) {
	for {
		s := l.begin(ctx)
		if s == nil {
			return
		}
		if l.o.Unread {
			s.ready <- struct{}{}
			continue
		}
		if r, ok := l.source.(epochReader); ok && l.o.Training {
			s.err = r.readTraining(s.target(), s.batch.Indices, s.batch.Epoch)
		} else {
			s.err = l.source.Read(s.target(), s.batch.Indices)
		}
		s.ready <- struct{}{}
	}
}

// begin waits for the next slot of the ring and says which examples go there; nil at the end.
func (l *Loader) begin(ctx context.Context) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.o.Epochs > 0 && l.begun == l.total() {
		return nil
	}
	s := l.slots[l.begun%len(l.slots)]
	select {
	case <-s.free:
	case <-ctx.Done():
		return nil
	}
	place := l.o.Index + l.begun
	l.begun++
	b := &s.batch
	b.Epoch, b.Index = l.o.Epoch+place/l.steps, place%l.steps
	b.Last = b.Index == l.steps-1
	from := b.Index * l.o.Batch
	b.Indices = s.indices[:copy(s.indices, l.order.of(b.Epoch)[from:])]
	b.Size = len(b.Indices)
	b.Row0 = from
	if l.o.Training {
		b.Row0 = 0
	}
	b.names, b.Fields = l.fields, s.fields[s.sizeIndex()]
	return s
}

// sizeIndex is the place of the batch's size in sizes.
func (s *slot) sizeIndex() int {
	for i, n := range s.sizes {
		if n == s.batch.Size {
			return i
		}
	}
	return 0
}

// target are the tensors that the source fills.
func (s *slot) target() []*tensor.Dense { return s.dst[s.sizeIndex()] }
