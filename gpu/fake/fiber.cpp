// Block executor: fibers with a hand-written switch, __syncthreads and warp exchange, deadlock detection.
#include "fiber.h"
#include <sys/mman.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace hostcuda {
Thread* cur;
dim3 g_blockIdx, g_blockDim, g_gridDim;
static std::vector<unsigned char> dyn;
void* dyn_shared() { return dyn.data(); }

enum State { RUN, BAR, WARP, DONE };
struct Fiber {
  Thread t;
  State st;
  unsigned mask, parity, live;  // live: lanes that took part in the last exchange
  uint64_t slot[2];
#if defined(__x86_64__)
  void* sp;
#else
  ucontext_t uc;
#endif
  char* stack;
};
static const size_t STACK = 64 << 10;
static std::vector<Fiber> fib;
static int ci;                // current fiber
static bool coop;             // false: plain loop, a barrier is a bug
static Invoke g_run;
static void** g_args;
const char* fault;

#if defined(__x86_64__)
extern "C" void hc_switch(void** from, void* to);
asm(R"(
.text
.type hc_switch,@function
hc_switch:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
)");
static void* main_sp;
static void to_fiber(Fiber& f) { hc_switch(&main_sp, f.sp); }
static void to_main(Fiber& f) { hc_switch(&f.sp, main_sp); }
#else
static ucontext_t main_uc;
static void to_fiber(Fiber& f) { swapcontext(&main_uc, &f.uc); }
static void to_main(Fiber& f) { swapcontext(&f.uc, &main_uc); }
#endif

static void entry() {
  g_run(g_args);
  Fiber& f = fib[ci];
  f.st = DONE;
  to_main(f);
  abort();
}

static void prepare(Fiber& f) {
  if (!f.stack) {
    char* p = (char*)mmap(nullptr, STACK + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    mprotect(p, 4096, PROT_NONE);
    f.stack = p + 4096;
  }
#if defined(__x86_64__)
  void** s = (void**)(f.stack + STACK);
  *--s = nullptr;               // keeps the stack 16-aligned at entry
  *--s = (void*)entry;
  for (int i = 0; i < 6; i++) *--s = nullptr;
  f.sp = s;
#else
  getcontext(&f.uc);
  f.uc.uc_stack.ss_sp = f.stack;
  f.uc.uc_stack.ss_size = STACK;
  f.uc.uc_link = nullptr;
  makecontext(&f.uc, entry, 0);
#endif
  f.st = RUN;
  f.parity = 0;
}

void sync_block() {
  if (!coop) { fault = "__syncthreads in a kernel whose PTX has no barrier"; return; }
  Fiber& f = fib[ci];
  f.st = BAR;
  to_main(f);
}

uint64_t warp_xchg(unsigned mask, uint64_t v, int src) {
  if (!coop) { fault = "warp exchange in a kernel whose PTX has none"; return v; }
  Fiber& f = fib[ci];
  unsigned par = f.parity & 1;
  if (!(mask >> (f.t.lin & 31) & 1)) fault = "calling lane is not in the shuffle mask";
  f.slot[par] = v;
  f.mask = mask;
  f.st = WARP;
  f.parity++;
  to_main(f);
  if (src < 0) return v;
  if (!(f.live >> src & 1)) return ~0ull;  // undefined on a GPU; a NaN here
  return fib[(f.t.lin & ~31u) + src].slot[par];
}

unsigned warp_ballot(unsigned mask, bool p) {
  if (!coop) { fault = "warp vote in a kernel whose PTX has none"; return 0; }
  warp_xchg(mask, p, -1);
  Fiber& f = fib[ci];
  unsigned par = (f.parity - 1) & 1, base = f.t.lin & ~31u, bits = 0;
  for (unsigned l = 0; l < 32; l++)
    if (f.live >> l & 1 && fib[base + l].slot[par]) bits |= 1u << l;
  return bits;
}

extern "C" char __start_hostshared[] __attribute__((weak, visibility("hidden")));
extern "C" char __stop_hostshared[] __attribute__((weak, visibility("hidden")));

// Runs one block; returns null or what went wrong.
static const char* run_block(unsigned n) {
  for (unsigned i = 0; i < n; i++) prepare(fib[i]);
  for (;;) {
    unsigned done = 0, bar = 0;
    for (unsigned i = 0; i < n; i++) {
      if (fib[i].st == RUN) { ci = i; cur = &fib[i].t; to_fiber(fib[i]); if (fault) return fault; }
      done += fib[i].st == DONE;
      bar += fib[i].st == BAR;
    }
    if (done == n) return nullptr;
    bool progress = false;
    if (done + bar == n) {
      if (done) return "__syncthreads after some threads of the block returned";
      for (unsigned i = 0; i < n; i++) fib[i].st = RUN;
      continue;
    }
    for (unsigned w = 0; w < n; w += 32)
      for (unsigned l = 0; l < 32 && w + l < n; l++) {
        Fiber& f = fib[w + l];
        if (f.st != WARP) continue;
        bool all = true;
        unsigned live = 0;
        for (unsigned k = 0; k < 32 && w + k < n; k++)
          if (f.mask >> k & 1) {
            Fiber& o = fib[w + k];
            if (o.st == DONE) continue;  // exited lanes do not hold the others up
            live |= 1u << k;
            if (o.st != WARP || o.mask != f.mask || o.parity != f.parity) all = false;
          }
        if (!all) continue;
        for (unsigned k = 0; k < 32 && w + k < n; k++)
          if (live >> k & 1) { fib[w + k].st = RUN; fib[w + k].live = live; }
        progress = true;
      }
    bool runnable = progress;
    for (unsigned i = 0; !runnable && i < n; i++) runnable = fib[i].st == RUN;
    if (!runnable) return "deadlock: threads wait at different barriers or shuffles";
  }
}

const char* run_grid(const Kernel* k, bool cooperative, dim3 grid, dim3 block, unsigned smem, void** args) {
  unsigned n = block.x * block.y * block.z;
  if (n == 0 || n > 1024) return "block size out of range";
  if (fib.size() < n) fib.resize(n);
  dyn.resize(smem + 16);
  g_run = k->run; g_args = args; g_blockDim = block; g_gridDim = grid; coop = cooperative; fault = nullptr;
  for (unsigned i = 0; i < n; i++) fib[i].t = {{i % block.x, i / block.x % block.y, i / (block.x * block.y)}, i};
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++) {
        g_blockIdx = {x, y, z};
        memset(dyn.data(), 0xff, smem);  // shared memory starts as NaN, as nothing on a GPU clears it
        if (__start_hostshared) memset(__start_hostshared, 0xff, __stop_hostshared - __start_hostshared);
        if (coop) {
          if (const char* e = run_block(n)) return e;
        } else {
          for (unsigned i = 0; i < n; i++) { cur = &fib[i].t; ci = i; k->run(args); }
          if (fault) return fault;
        }
      }
  return nullptr;
}
}  // namespace hostcuda
