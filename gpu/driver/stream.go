//go:build gpu && cgo

package driver

/*
#include <cuda.h>
*/
import "C"

import (
	"unsafe"

	"gorgonia.org/cu"
)

// Stream is a queue of work on the device, done in order. The zero Stream is the driver's default stream.
// Streams of NewStream do not wait for the default stream, nor it for them.
type Stream struct{ s cu.Stream }

// NewStream makes a stream.
func NewStream() (Stream, error) {
	s, err := cu.MakeStream(cu.NonBlocking)
	return Stream{s}, wrap("cuStreamCreate", err)
}

// Synchronize waits until all work of the stream is done. A kernel that failed shows here.
func (s Stream) Synchronize() error { return wrap("cuStreamSynchronize", s.s.Synchronize()) }

// Wait makes later work of the stream wait for the event, without holding up the host.
func (s Stream) Wait(e Event) error { return wrap("cuStreamWaitEvent", s.s.Wait(e.e, 0)) }

// Destroy ends the stream; work that was enqueued is still done.
func (s Stream) Destroy() error { return wrap("cuStreamDestroy", s.s.Destroy()) }

// handle is the stream as C calls of this package take it.
func (s Stream) handle() C.CUstream { return C.CUstream(s.pointer()) }

// pointer is the stream as the libraries take it.
func (s Stream) pointer() unsafe.Pointer { return unsafe.Pointer(s.s.C()) }
