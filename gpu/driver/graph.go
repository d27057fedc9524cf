//go:build gpu && cgo

package driver

/*
#include <cuda.h>

static CUresult ae_capture_begin(CUstream s) { return cuStreamBeginCapture(s, CU_STREAM_CAPTURE_MODE_RELAXED); }

static CUresult ae_graph_ready(CUgraphExec *x, CUgraph g) { return cuGraphInstantiateWithFlags(x, g, 0); }
*/
import "C"

import "errors"

// Graph is recorded work that is enqueued as a whole, with one C call.
type Graph struct {
	exec  C.CUgraphExec
	nodes int
}

// Capture records what f enqueues on s, instead of doing it, and makes a graph of it. Everything that f calls has to be
// allowed in a capture: nothing may be waited for. Library calls should have run once before, as libraries load code and
// allocate at the first use; where one could not, the relaxed mode lets it do that here. Other threads may use the
// device meanwhile. Addresses and scalar arguments are part of the graph; what is in memory is read when it runs.
// If f fails, its error is returned and nothing is kept.
func Capture(s Stream, f func() error) (*Graph, error) {
	if err := check("cuStreamBeginCapture", C.ae_capture_begin(s.handle())); err != nil {
		return nil, err
	}
	var graph C.CUgraph
	open := true
	end := func() error {
		open = false
		return check("cuStreamEndCapture", C.cuStreamEndCapture(s.handle(), &graph))
	}
	defer func() {
		if open { // f panicked
			_ = end() // the panic goes on
		}
		if graph != nil {
			C.cuGraphDestroy(graph)
		}
	}()
	err := f()
	if ended := end(); err == nil {
		err = ended
	}
	if err != nil {
		return nil, err
	}
	if graph == nil {
		return nil, errors.New("cuStreamEndCapture: no graph")
	}
	return instantiate(graph)
}

// instantiate makes a graph that can run.
func instantiate(graph C.CUgraph) (*Graph, error) {
	g := &Graph{}
	var nodes C.size_t
	if err := check("cuGraphGetNodes", C.cuGraphGetNodes(graph, nil, &nodes)); err != nil {
		return nil, err
	}
	g.nodes = int(nodes)
	if err := check("cuGraphInstantiate", C.ae_graph_ready(&g.exec, graph)); err != nil {
		return nil, err
	}
	return g, nil
}

// Launch enqueues the graph's work on s. A graph runs one launch after the other, on whichever streams.
func (g *Graph) Launch(s Stream) error {
	if code := C.cuGraphLaunch(g.exec, s.handle()); code != 0 {
		return check("cuGraphLaunch", code)
	}
	return nil
}

// Upload prepares the device for the first Launch, which is then as fast as later ones.
func (g *Graph) Upload(s Stream) error {
	return check("cuGraphUpload", C.cuGraphUpload(g.exec, s.handle()))
}

// Nodes is the number of kernels, copies and fills in the graph.
func (g *Graph) Nodes() int { return g.nodes }

// Destroy frees the graph, which must not be running. A nil Graph is nothing to free.
func (g *Graph) Destroy() error {
	if g == nil || g.exec == nil {
		return nil
	}
	err := check("cuGraphExecDestroy", C.cuGraphExecDestroy(g.exec))
	g.exec = nil
	return err
}
