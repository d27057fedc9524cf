// The block executor: fibers with a hand-written switch, barriers, warp exchanges, and a word about every deadlock.
#include "fiber.h"
#include <sys/mman.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace hostcuda {
Thread* cur;
dim3 g_blockIdx, g_blockDim, g_gridDim;
Kernel* hostcuda_kernels;

namespace {
enum State { RUN, BARRIER, WARP, DONE };
struct Fiber {
  Thread t;
  State state;
  unsigned mask, parity, live;  // live: lanes that took part in the last exchange
  uint64_t slot[2];
#if defined(__x86_64__)
  void* sp;
#else
  ucontext_t uc;
#endif
};

const size_t STACK = 64 << 10, MOST = 1024;  // bytes of a thread's stack; threads of a block
const uint64_t CANARY = 0x5ca1ab1e0ddba11ull;

// The stacks of all threads of a block: pages that nobody touches cost nothing.
struct Stacks {
  char* base = nullptr;
  ~Stacks() { if (base) munmap(base, MOST * STACK); }
  char* at(unsigned i) {
    if (!base) {
      base = (char*)mmap(nullptr, MOST * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (base == MAP_FAILED) { perror("fakecuda: stacks"); abort(); }
    }
    return base + i * STACK;
  }
} stacks;
std::vector<Fiber> fibers;
std::vector<unsigned char> dynamic;
unsigned running;   // index of the fiber that runs
bool cooperative;
Invoke invoke;
void** arguments;
const char* fault;
}  // namespace

void* dyn_shared() { return (void*)(((uintptr_t)dynamic.data() + 127) & ~(uintptr_t)127); }

#if defined(__x86_64__)
extern "C" __attribute__((visibility("hidden"))) void hostcuda_switch(void** from, void* to);
asm(R"(
.text
.hidden hostcuda_switch
.globl hostcuda_switch
.type hostcuda_switch,@function
hostcuda_switch:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
)");
static void* scheduler;
static void resume(Fiber& f) { hostcuda_switch(&scheduler, f.sp); }
static void yield(Fiber& f) { hostcuda_switch(&f.sp, scheduler); }
#else
static ucontext_t scheduler;
static void resume(Fiber& f) { swapcontext(&scheduler, &f.uc); }
static void yield(Fiber& f) { swapcontext(&f.uc, &scheduler); }
#endif

static void entry() {
  invoke(arguments);
  Fiber& f = fibers[running];
  f.state = DONE;
  yield(f);
  abort();  // nobody resumes a thread that is done
}

static void prepare(Fiber& f) {
  char* stack = stacks.at(f.t.lin);
  // Tops of stacks differ by a little, else all would fight for the same few lines of the cache.
  size_t colour = (f.t.lin % 32) * 192;
#if defined(__x86_64__)
  void** s = (void**)(stack + STACK - colour);
  *--s = nullptr;  // keeps the stack 16-aligned at entry
  *--s = (void*)entry;
  for (int i = 0; i < 6; i++) *--s = nullptr;
  f.sp = s;
#else
  getcontext(&f.uc);
  f.uc.uc_stack.ss_sp = stack;
  f.uc.uc_stack.ss_size = STACK - colour;
  f.uc.uc_link = nullptr;
  makecontext(&f.uc, entry, 0);
#endif
  *(uint64_t*)(stack + 256) = CANARY;
  f.state = RUN;
  f.parity = 0;
}

void sync_block() {
  if (!cooperative) { fault = "__syncthreads in a kernel whose PTX has no barrier"; return; }
  Fiber& f = fibers[running];
  f.state = BARRIER;
  yield(f);
}

// Publishes v in this lane's slot and waits for the other lanes of mask; the slot's index alternates between exchanges.
static unsigned exchange(unsigned mask, uint64_t v) {
  if (!cooperative) { fault = "a warp exchange in a kernel whose PTX has none"; return 0; }
  Fiber& f = fibers[running];
  unsigned slot = f.parity++ & 1;
  if (!(mask >> (f.t.lin & 31) & 1)) fault = "a lane takes part in a warp exchange that its mask leaves out";
  f.slot[slot] = v;
  f.mask = mask;
  f.state = WARP;
  yield(f);
  return slot;
}

uint64_t warp_xchg(unsigned mask, uint64_t v, int src) {
  unsigned slot = exchange(mask, v);
  if (src < 0 || !cooperative) return v;
  Fiber& f = fibers[running];
  if (!(f.live >> src & 1)) return ~0ull;  // undefined on a GPU; a NaN here
  return fibers[(f.t.lin & ~31u) + src].slot[slot];
}

unsigned warp_ballot(unsigned mask, bool p) {
  unsigned slot = exchange(mask, p), bits = 0;
  if (!cooperative) return 0;
  Fiber& f = fibers[running];
  for (unsigned l = 0; l < 32; l++)
    if (f.live >> l & 1 && fibers[(f.t.lin & ~31u) + l].slot[slot]) bits |= 1u << l;
  return bits;
}

// Lets go the lanes of a warp whose exchange is complete. Exited lanes do not hold the others up.
static bool complete(Fiber* warp, unsigned lanes) {
  bool progress = false;
  for (unsigned l = 0; l < lanes; l++) {
    if (warp[l].state != WARP) continue;
    unsigned live = 0, mask = warp[l].mask;
    bool all = true;
    for (unsigned k = 0; k < lanes && all; k++)
      if (mask >> k & 1 && warp[k].state != DONE) {
        live |= 1u << k;
        all = warp[k].state == WARP && warp[k].mask == mask && warp[k].parity == warp[l].parity;
      }
    if (!all) continue;
    for (unsigned k = 0; k < lanes; k++)
      if (live >> k & 1) { warp[k].state = RUN; warp[k].live = live; }
    progress = true;
  }
  return progress;
}

// Runs a warp until each lane is done or waits at a barrier, or for a lane that will not come.
static void run_warp(unsigned first, unsigned lanes) {
  do
    for (unsigned i = first; i < first + lanes; i++)
      if (fibers[i].state == RUN) {
        running = i; cur = &fibers[i].t;
        resume(fibers[i]);
        if (*(uint64_t*)(stacks.at(i) + 256) != CANARY) fault = "a thread's stack overflowed";
        if (fault) return;
      }
  while (complete(&fibers[first], lanes));
}

static unsigned long long draw(unsigned long long& s) {  // xorshift64*
  s ^= s >> 12; s ^= s << 25; s ^= s >> 27;
  return s * 2685821657736338717ull;
}
static void permute(std::vector<unsigned>& order, unsigned long long& seed) {
  for (size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[draw(seed) % i]);
}

// Runs one block as fibers, warp after warp between barriers.
static void run_block(unsigned n, std::vector<unsigned>& warps, unsigned long long& seed) {
  for (unsigned i = 0; i < n; i++) prepare(fibers[i]);
  for (;;) {
    if (seed) permute(warps, seed);
    for (unsigned w : warps) {
      run_warp(w * 32, n - w * 32 < 32 ? n - w * 32 : 32);
      if (fault) return;
    }
    unsigned done = 0, waiting = 0;
    for (unsigned i = 0; i < n; i++) { done += fibers[i].state == DONE; waiting += fibers[i].state == BARRIER; }
    if (done == n) return;
    if (done + waiting < n) { fault = "deadlock: threads of a warp wait at different barriers or exchanges"; return; }
    if (done) { fault = "__syncthreads after some threads of the block returned"; return; }
    for (unsigned i = 0; i < n; i++) fibers[i].state = RUN;
  }
}

// Runs one block whose threads need not meet, forwards or backwards.
static void run_loop(unsigned n, void** args, bool backwards) {
  for (unsigned i = 0; i < n; i++) {
    running = backwards ? n - 1 - i : i;
    cur = &fibers[running].t;
    invoke(args);
  }
}

// Nothing on a GPU clears shared memory: it starts as NaN. Large arrays are poisoned for the first blocks only; later ones see
// what the block before has left, as on a GPU.
static void poison(const Kernel* k, const Grid& g, size_t block) {
  auto set = [&](void* p, size_t n) { if (n && (n <= 8192 || block < 4)) memset(p, 0xff, n); };
  set(dyn_shared(), g.shared);
  if (g.statics) set(k->shared, k->shared_end - k->shared);
}

static const char* run(const Kernel* k, const Grid& g, void** args) {
  unsigned n = g.threads.x * g.threads.y * g.threads.z;
  size_t total = (size_t)g.blocks.x * g.blocks.y * g.blocks.z;
  unsigned long long seed = g.shuffle;
  if (fibers.size() < n) fibers.resize(n);
  dynamic.resize(g.shared + 256);
  invoke = k->run; arguments = args; g_blockDim = g.threads; g_gridDim = g.blocks; cooperative = g.cooperative; fault = nullptr;
  for (unsigned i = 0; i < n; i++)
    fibers[i].t = {{i % g.threads.x, i / g.threads.x % g.threads.y, i / (g.threads.x * g.threads.y)}, i};
  std::vector<unsigned> warps((n + 31) / 32), blocks;
  std::iota(warps.begin(), warps.end(), 0);
  if (seed && total < 1u << 24) {
    blocks.resize(total);
    std::iota(blocks.begin(), blocks.end(), 0);
    permute(blocks, seed);
  }
  for (size_t i = 0; i < total && !fault; i++) {
    size_t b = blocks.empty() ? i : blocks[i];
    g_blockIdx = {(unsigned)(b % g.blocks.x), (unsigned)(b / g.blocks.x % g.blocks.y), (unsigned)(b / ((size_t)g.blocks.x * g.blocks.y))};
    poison(k, g, i);
    if (cooperative) run_block(n, warps, seed);
    else run_loop(n, args, seed && draw(seed) & 1);
  }
  return fault;
}

Library library() {
  return {HOSTCUDA_ABI, hostcuda_kernels, run, [] { return Place{g_blockIdx, cur ? cur->tid : dim3{0, 0, 0}}; }};
}
}  // namespace hostcuda
