// Streams, events and graphs. Every asynchronous call is an operation in a stream's queue. Unless FAKECUDA_LAZY=1 it runs at once;
// then, it runs when something waits for it, which shows every wait that is missing. Capture is thread-local: what the capturing
// thread may not do meanwhile is an error, and ends the capture, as on a GPU.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include "fakecuda.h"

using namespace fakecuda;

namespace {
struct Node { const char* kind; Op op; };
struct Graph { std::vector<Node> nodes; };
struct Stream;

// A capture in progress: of the stream where it began and of those that joined by waiting for its events.
struct Capture {
  Stream* origin;
  std::thread::id thread;
  Graph graph;
  bool invalid = false;
};

struct Stream {
  bool blocking = true;                // synchronises with the default stream
  std::vector<Op> queue;               // from operation number done + 1 on
  size_t done = 0;                     // operations that have run
  bool busy = false;
  std::shared_ptr<Capture> capture;
  size_t joined = 0;                   // nodes of the capture that the origin had waited for, for a stream that joined it
  size_t captured = 0;                 // nodes of the capture after this stream's last one
  size_t pushed() const { return done + queue.size(); }
};

struct Event {
  bool timing;
  bool recorded = false;
  Stream* stream = nullptr;            // null: the stream is gone, so all its work is done
  size_t upto = 0;                     // what has to be done of it
  std::shared_ptr<Capture> capture;    // recorded while capturing
  size_t node = 0;
  std::shared_ptr<double> ms = std::make_shared<double>(-1);  // when it happened
};

struct Exec { std::shared_ptr<std::vector<Node>> nodes; };

Stream legacy;
Handles<Stream> streams{"stream"};
Handles<Event> events{"event"};
Handles<Graph> graphs{"graph"};
Handles<Exec> execs{"executable graph"};

double now() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
bool is_legacy(void* h) { return !h || h == (void*)1 || h == (void*)2; }
Stream* stream_of(void* h) { return is_legacy(h) ? &legacy : streams.has(h) ? (Stream*)h : nullptr; }
#define STREAM(s, h) Stream* s = stream_of(h); if (!s) return bad(INVALID_HANDLE, "%s: no such stream, or destroyed", __func__)

int run(const Op& op) {
  if (sticky) return sticky;
  int r = op();
  if (r && !sticky) sticky = is_sticky(r) ? r : ILLEGAL_ADDRESS;
  return r;
}

// Runs a stream's work up to operation number upto.
int drain(Stream* s, size_t upto) {
  if (s->busy) return OK;
  s->busy = true;
  int r = OK;
  size_t n = 0;
  for (; n < s->queue.size() && s->done + n < upto && !r; n++) r = run(s->queue[n]);
  if (r) n = s->queue.size();  // what lay behind is lost with the context
  s->queue.erase(s->queue.begin(), s->queue.begin() + n);
  s->done += n;
  s->busy = false;
  return r;
}
int drain(Stream* s) { return drain(s, (size_t)-1); }

// The capture that this thread has begun, if any.
std::shared_ptr<Capture> capturing_here() {
  for (Stream* s : streams.all)
    if (s->capture && s->capture->thread == std::this_thread::get_id()) return s->capture;
  return nullptr;
}

int enqueue_to(Stream* s, const char* kind, Op op) {
  if (s->capture) {
    if (s->capture->invalid) return CAPTURE_INVALIDATED;
    s->capture->graph.nodes.push_back({kind, std::move(op)});
    s->captured = s->capture->graph.nodes.size();
    return OK;
  }
  if (lazy()) {
    if (s->blocking && s != &legacy)
      if (int r = drain(&legacy)) return r;  // such streams and the default one wait for each other
    s->queue.push_back(std::move(op));
    return OK;
  }
  run(op);  // an error shows at the next call, as on a GPU
  s->done++;
  return OK;
}

// An event's wait, from the stream's queue or the host.
int wait_for(Event* e) {
  if (!e->recorded || !e->stream) return OK;
  return drain(e->stream, e->upto);
}
}  // namespace

namespace fakecuda {
bool lazy() { static bool l = [] { const char* e = getenv("FAKECUDA_LAZY"); return e && *e && *e != '0'; }(); return l; }

int enqueue(void* h, const char* kind, Op op) {
  Stream* s = stream_of(h);
  if (!s) return bad(INVALID_HANDLE, "%s on a stream that does not exist", kind);
  if (s == &legacy && capturing_here()) return no_capture(kind);
  return enqueue_to(s, kind, std::move(op));
}

int drain_all() {
  if (int r = drain(&legacy)) return r;
  for (Stream* s : streams.all) if (int r = drain(s)) return r;
  return sticky;
}

int drain_legacy() {
  if (int r = drain(&legacy)) return r;
  for (Stream* s : streams.all) if (s->blocking) if (int r = drain(s)) return r;
  return sticky;
}

int no_capture(const char* call) {
  auto c = capturing_here();
  if (!c) return OK;
  c->invalid = true;
  return bad(CAPTURE_UNSUPPORTED, "%s while this thread captures a stream", call);
}

void streams_reset() {
  execs.clear(); graphs.clear(); events.clear(); streams.clear();
  legacy.queue.clear();
}
}  // namespace fakecuda

extern "C" __attribute__((visibility("default"))) int fakecuda_enqueue(void* stream, std::function<int()> op) {
  std::lock_guard<std::recursive_mutex> lock(mu);
  NEED_CONTEXT;
  return enqueue(stream, "library call", std::move(op));
}

// ---- streams
API cuStreamCreate(void** s, unsigned flags) {
  ENTER; NEED_CONTEXT;
  auto* x = streams.add(new Stream);
  x->blocking = !(flags & 1);
  *s = x;
  return OK;
}
API cuStreamCreateWithPriority(void** s, unsigned flags, int) { ENTER; return cuStreamCreate(s, flags); }
API cuStreamDestroy_v2(void* h) {
  ENTER_RELEASE; NEED_CONTEXT;
  CHECK_HANDLE(streams, h);
  Stream* s = (Stream*)h;
  int r = drain(s);
  for (Event* e : events.all) if (e->stream == s) e->stream = nullptr;
  for (Stream* t : streams.all) if (t != s && t->capture && t->capture->origin == s) t->capture = nullptr;
  streams.remove(s);
  return AFTER(r);
}
API cuStreamSynchronize(void* h) {
  ENTER; NEED_CONTEXT;
  STREAM(s, h);
  if (s->capture) return no_capture(__func__);
  if (int r = drain(s)) return r;
  return sticky;
}
API cuStreamQuery(void* h) {
  ENTER; NEED_CONTEXT;
  STREAM(s, h);
  if (s->capture) return no_capture(__func__);
  return s->queue.empty() ? OK : NOT_READY;
}
API cuStreamGetFlags(void* h, unsigned* f) { ENTER; NEED_CONTEXT; STREAM(s, h); *f = !s->blocking; return OK; }
API cuStreamGetPriority(void* h, int* p) { ENTER; NEED_CONTEXT; STREAM(s, h); (void)s; *p = 0; return OK; }

// ---- events
API cuEventCreate(void** e, unsigned flags) {
  ENTER; NEED_CONTEXT;
  auto* x = events.add(new Event);
  x->timing = !(flags & 2);
  *e = x;
  return OK;
}
API cuEventDestroy_v2(void* h) { ENTER_RELEASE; NEED_CONTEXT; CHECK_HANDLE(events, h); events.remove(h); return injected_; }
API cuEventRecord(void* h, void* hs) {
  ENTER; NEED_CONTEXT;
  CHECK_HANDLE(events, h);
  STREAM(s, hs);
  Event* e = (Event*)h;
  e->recorded = true;
  e->ms = std::make_shared<double>(-1);
  e->stream = s;
  e->capture = s->capture;
  if (s->capture) {
    if (s->capture->invalid) return CAPTURE_INVALIDATED;
    e->node = s->capture->graph.nodes.size();
    return OK;
  }
  auto ms = e->ms;
  int r = enqueue_to(s, "event", [ms] { *ms = now(); return 0; });
  e->upto = s->pushed();
  return r;
}
API cuEventSynchronize(void* h) {
  ENTER; NEED_CONTEXT;
  CHECK_HANDLE(events, h);
  if (((Event*)h)->capture) return no_capture(__func__);
  if (int r = wait_for((Event*)h)) return r;
  return sticky;
}
API cuEventQuery(void* h) {
  ENTER; NEED_CONTEXT;
  CHECK_HANDLE(events, h);
  Event* e = (Event*)h;
  if (e->capture) return no_capture(__func__);
  static int polls;  // in lazy mode a poll that never waits would never end
  if (e->recorded && e->stream && e->stream->done < e->upto) return ++polls % 8 ? NOT_READY : wait_for(e);
  return OK;
}
API cuEventElapsedTime(float* ms, void* a, void* b) {
  ENTER; NEED_CONTEXT;
  CHECK_HANDLE(events, a);
  CHECK_HANDLE(events, b);
  Event *x = (Event*)a, *y = (Event*)b;
  if (!x->recorded || !y->recorded || !x->timing || !y->timing) return bad(INVALID_HANDLE, "cuEventElapsedTime: an event that was not recorded, or made without timing");
  if (*x->ms < 0 || *y->ms < 0) return NOT_READY;
  *ms = (float)(*y->ms - *x->ms);
  return OK;
}
API cuEventElapsedTime_v2(float* ms, void* a, void* b) { ENTER; return cuEventElapsedTime(ms, a, b); }
API cuStreamWaitEvent(void* hs, void* h, unsigned) {
  ENTER; NEED_CONTEXT;
  CHECK_HANDLE(events, h);
  STREAM(s, hs);
  Event* e = (Event*)h;
  if (e->capture && e->capture->origin) {
    if (s->capture && s->capture != e->capture) return no_capture(__func__);
    if (!s->capture) { s->capture = e->capture; s->captured = e->node; }
    if (e->stream && e->stream != s) e->stream->joined = std::max(e->stream->joined, e->node);
    return OK;
  }
  if (s->capture) return no_capture("cuStreamWaitEvent on an event from outside of the capture");
  if (!e->recorded || !e->stream || e->stream == s) return OK;
  Stream* of = e->stream;
  size_t upto = e->upto;
  return enqueue_to(s, "wait", [of, upto] { return streams.has(of) || of == &legacy ? drain(of, upto) : OK; });
}

// ---- capture and graphs
API cuStreamBeginCapture_v2(void* h, int mode) {
  ENTER; NEED_CONTEXT;
  STREAM(s, h);
  if (s == &legacy || s->capture) return bad(CAPTURE_UNSUPPORTED, "cuStreamBeginCapture: this stream cannot be captured now");
  if (mode != 1 && mode != 2) return bad(CAPTURE_UNSUPPORTED, "cuStreamBeginCapture: mode %d; thread-local and relaxed capture are understood, and held to the rules of the first", mode);
  s->capture = std::make_shared<Capture>();
  s->capture->origin = s;
  s->capture->thread = std::this_thread::get_id();
  return OK;
}
API cuStreamEndCapture(void* h, void** g) {
  ENTER_RELEASE; NEED_CONTEXT;
  STREAM(s, h);
  *g = nullptr;
  auto c = s->capture;
  if (!c) return bad(CAPTURE_UNMATCHED, "cuStreamEndCapture: the stream is not capturing");
  if (c->thread != std::this_thread::get_id()) return bad(CAPTURE_WRONG_THREAD, "cuStreamEndCapture from another OS thread");
  if (c->origin != s) return bad(CAPTURE_UNMATCHED, "cuStreamEndCapture: the capture began on another stream");
  bool unjoined = false;
  for (Stream* t : streams.all)
    if (t->capture == c) {
      if (t != s && t->joined < t->captured) unjoined = true;
      t->capture = nullptr;
      t->joined = t->captured = 0;
    }
  for (Event* e : events.all) if (e->capture == c) e->capture = nullptr, e->recorded = false;
  c->origin = nullptr;
  if (c->invalid) return AFTER((int)CAPTURE_INVALIDATED);
  if (unjoined) return AFTER(bad(CAPTURE_UNJOINED, "cuStreamEndCapture: a stream that joined the capture was not joined back"));
  if (injected_) return injected_;
  auto* graph = graphs.add(new Graph);
  *graph = std::move(c->graph);
  *g = graph;
  return OK;
}
API cuStreamIsCapturing(void* h, int* v) { ENTER; NEED_CONTEXT; STREAM(s, h); *v = s->capture ? s->capture->invalid ? 2 : 1 : 0; return OK; }
API cuGraphGetNodes(void* g, void** nodes, size_t* n) {
  ENTER; NEED_CONTEXT;
  CHECK_HANDLE(graphs, g);
  auto& list = ((Graph*)g)->nodes;
  if (nodes)
    for (size_t i = 0; i < *n; i++) nodes[i] = i < list.size() ? &list[i] : nullptr;
  *n = list.size();
  return OK;
}
static int instantiate(const char* call, void** x, void* g) {
  if (int r = fakecuda_need_context(call)) return r;
  if (int r = no_capture(call)) return r;
  if (!graphs.has(g)) return bad(INVALID_HANDLE, "%s: no such graph, or destroyed", call);
  *x = execs.add(new Exec{std::make_shared<std::vector<Node>>(((Graph*)g)->nodes)});
  return OK;
}
API cuGraphInstantiateWithFlags(void** x, void* g, unsigned long long) { ENTER; return instantiate(__func__, x, g); }
API cuGraphInstantiateWithParams(void** x, void* g, void*) { ENTER; return instantiate(__func__, x, g); }
API cuGraphUpload(void* x, void*) { ENTER; NEED_CONTEXT; CHECK_HANDLE(execs, x); return OK; }
API cuGraphDestroy(void* g) { ENTER_RELEASE; NEED_CONTEXT; CHECK_HANDLE(graphs, g); graphs.remove(g); return injected_; }
API cuGraphExecDestroy(void* g) { ENTER_RELEASE; NEED_CONTEXT; CHECK_HANDLE(execs, g); execs.remove(g); return injected_; }
API cuGraphLaunch(void* x, void* hs) {
  ENTER; NEED_CONTEXT;
  CHECK_HANDLE(execs, x);
  STREAM(s, hs);
  auto nodes = ((Exec*)x)->nodes;
  return enqueue_to(s, "graph", [nodes] {
    for (auto& n : *nodes) if (int r = n.op()) return r;
    return 0;
  });
}
