// Device memory: guarded host memory. Each allocation ends at a page that cannot be touched and starts as NaN; freed ones stay
// reserved and untouchable for a while, so that late uses fault and can be named. Page-locked host memory is counted and checked.
//
//   FAKECUDA_MEMORY=BYTES    how much the device has, 4 GiB unless told
//   FAKECUDA_TIGHT=1         memory is aligned to 16 bytes instead of 256, so that reads past the end fault sooner
#include <sys/mman.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include "fakecuda.h"

using namespace fakecuda;

namespace {
struct Alloc { char* base; size_t n; char* map; size_t maplen; bool live; int id; };
std::map<dptr, Alloc> allocations;      // by the start of the mapping, freed ones too
std::deque<dptr> freed;                 // the longest freed first
std::map<dptr, size_t> pinned;
size_t used;
int next_id;
const size_t PAGE = 4096, KEPT = 2048;  // KEPT: freed allocations that are still known

size_t total() {
  static size_t t = [] { const char* e = getenv("FAKECUDA_MEMORY"); return e && *e ? (size_t)strtoull(e, nullptr, 10) : (size_t)4 << 30; }();
  return t;
}

Alloc* find(dptr p) {
  auto it = allocations.upper_bound(p);
  if (it == allocations.begin()) return nullptr;
  Alloc& a = (--it)->second;
  return p < (dptr)a.map + a.maplen ? &a : nullptr;
}

int allocate(dptr* p, size_t n) {
  if (!n) return bad(INVALID_VALUE, "cuMemAlloc of 0 bytes");
  if (n > total() - used) return OUT_OF_MEMORY;
  static const size_t align = getenv("FAKECUDA_TIGHT") ? 16 : 256;
  size_t rounded = (n + align - 1) & ~(align - 1), body = (rounded + PAGE - 1) & ~(PAGE - 1);
  char* m = (char*)mmap(nullptr, body + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m == MAP_FAILED) return OUT_OF_MEMORY;
  mprotect(m + PAGE, body, PROT_READ | PROT_WRITE);
  char* base = m + PAGE + body - rounded;  // flush with the guard page: an overrun faults
  memset(m + PAGE, 0xff, body);            // NaN: reads of memory that nobody wrote show
  allocations[(dptr)m] = {base, n, m, body + 2 * PAGE, true, next_id++};
  used += n;
  fakecuda_count("allocation", 1);
  *p = (dptr)base;
  return OK;
}

void release(Alloc& a) {
  for (char* c = a.base + a.n; c < a.map + a.maplen - PAGE; c++)
    if (*c != (char)0xff) { bad(0, "write past the end of the %zu byte allocation #%d", a.n, a.id); break; }
  a.live = false;
  used -= a.n;
  fakecuda_count("allocation", -1);
  mmap(a.map, a.maplen, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);  // gives the pages back
  freed.push_back((dptr)a.map);
  while (freed.size() > KEPT) {
    auto old = allocations.find(freed.front());
    munmap(old->second.map, old->second.maplen);
    allocations.erase(old);
    freed.pop_front();
  }
}

int free_device(dptr p) {
  Alloc* a = find(p);
  if (!a || (dptr)a->base != p) return bad(INVALID_VALUE, "cuMemFree of %s", where(p).c_str());
  if (!a->live) return bad(INVALID_VALUE, "cuMemFree twice: %s", where(p).c_str());
  release(*a);
  return OK;
}
}  // namespace

namespace fakecuda {
std::string where(dptr p) {
  char b[160];
  Alloc* a = find(p);
  if (!a) snprintf(b, sizeof b, "%#llx: not device memory", p);
  else if (p < (dptr)a->base) snprintf(b, sizeof b, "%#llx: %lld bytes before the %zu byte %sallocation #%d", p, (dptr)a->base - p, a->n, a->live ? "" : "FREED ", a->id);
  else if (p < (dptr)a->base + a->n) snprintf(b, sizeof b, "%#llx: %lld bytes into the %zu byte %sallocation #%d", p, p - (dptr)a->base, a->n, a->live ? "" : "FREED ", a->id);
  else snprintf(b, sizeof b, "%#llx: %lld bytes past the end of the %zu byte %sallocation #%d", p, p - (dptr)a->base - a->n, a->n, a->live ? "" : "FREED ", a->id);
  return b;
}

int check_range(const char* call, dptr p, size_t n) {
  Alloc* a = find(p);
  if (a && a->live && p >= (dptr)a->base && p + n <= (dptr)a->base + a->n) return OK;
  return bad(INVALID_VALUE, "%s: %zu bytes at %s", call, n, where(p).c_str());
}

int check_pinned(const char* call, const void* h, size_t n) {
  dptr p = (dptr)h;
  if (find(p)) return bad(INVALID_VALUE, "%s: the host's side is device memory (%s)", call, where(p).c_str());
  auto it = pinned.upper_bound(p);
  if (it != pinned.begin() && p + n <= (--it)->first + it->second) return OK;
  return bad(INVALID_VALUE, "%s: %zu bytes of host memory at %p that are not page-locked (cuMemAllocHost): an asynchronous copy wants that", call, n, h);
}

static int check_host(const char* call, const void* h) {
  return find((dptr)h) ? bad(INVALID_VALUE, "%s: the host's side is device memory (%s)", call, where((dptr)h).c_str()) : OK;
}

bool is_device(dptr p, bool* live) {
  Alloc* a = find(p);
  *live = a && a->live;
  return a;
}

size_t live_bytes() { return used; }

void memory_reset() {
  std::vector<dptr> maps;
  for (auto& [map, a] : allocations) if (a.live) maps.push_back(map);
  for (dptr m : maps) release(allocations[m]);
  for (auto& [p, n] : pinned) { munmap((void*)p, (n + PAGE - 1) & ~(PAGE - 1)); fakecuda_count("page-locked allocation", -1); }
  pinned.clear();
}
}  // namespace fakecuda

API cuDeviceTotalMem_v2(size_t* n, int) { ENTER; *n = total(); return OK; }
API cuMemGetInfo_v2(size_t* f, size_t* t) { ENTER; NEED_CONTEXT; *f = total() - used; *t = total(); return OK; }
API cuMemAlloc_v2(dptr* p, size_t n) { ENTER; NEED_CONTEXT; if (int r = no_capture(__func__)) return r; return allocate(p, n); }
API cuMemFree_v2(dptr p) {
  ENTER_RELEASE; NEED_CONTEXT;
  if (int r = no_capture(__func__)) return r;
  if (int r = drain_all()) return r;
  return AFTER(free_device(p));
}
API cuMemAllocAsync(dptr* p, size_t n, void*) { ENTER; NEED_CONTEXT; return allocate(p, n); }
API cuMemFreeAsync(dptr p, void* s) { ENTER_RELEASE; NEED_CONTEXT; return AFTER(enqueue(s, "free", [p] { return free_device(p); })); }
static int allocate_host(void** p, size_t n) {
  if (!n) return INVALID_VALUE;
  void* m = mmap(nullptr, (n + PAGE - 1) & ~(PAGE - 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (m == MAP_FAILED) return OUT_OF_MEMORY;
  memset(m, 0xff, n);
  pinned[(dptr)m] = n;
  fakecuda_count("page-locked allocation", 1);
  *p = m;
  return OK;
}
API cuMemAllocHost_v2(void** p, size_t n) { ENTER; NEED_CONTEXT; if (int r = no_capture(__func__)) return r; return allocate_host(p, n); }
API cuMemHostAlloc(void** p, size_t n, unsigned) { ENTER; NEED_CONTEXT; if (int r = no_capture(__func__)) return r; return allocate_host(p, n); }
API cuMemFreeHost(void* p) {
  ENTER_RELEASE; NEED_CONTEXT;
  if (int r = no_capture(__func__)) return r;
  if (int r = drain_all()) return r;
  auto it = pinned.find((dptr)p);
  if (it == pinned.end()) return bad(INVALID_VALUE, "cuMemFreeHost of %p, which is not page-locked memory", p);
  munmap(p, (it->second + PAGE - 1) & ~(PAGE - 1));
  pinned.erase(it);
  fakecuda_count("page-locked allocation", -1);
  return injected_;
}
API cuMemHostGetDevicePointer_v2(dptr*, void*, unsigned) { return bad(INVALID_VALUE, "page-locked memory is not mapped to the device here"); }
API cuMemGetAddressRange_v2(dptr* base, size_t* n, dptr p) {
  ENTER; NEED_CONTEXT;
  Alloc* a = find(p);
  if (!a || !a->live) return NOT_FOUND;
  if (base) *base = (dptr)a->base;
  if (n) *n = a->n;
  return OK;
}

// Copies check both sides when they are asked for, and again when they run: a graph may outlive its memory.
static int copy(const char* call, dptr d, dptr s, size_t n, std::function<int()> check, bool now, void* stream, bool to_device = false) {
  if (!n) return OK;
  if (int r = check()) return r;
  auto op = [=] { if (int r = check()) return r; memmove((void*)d, (const void*)s, n); return 0; };
  if (!now) return enqueue(stream, "copy", op);
  if (int r = no_capture(call)) return r;
  if (to_device && lazy()) {
    // Such a copy returns when the data is staged; it is done in the order of the default stream, which others do not wait for.
    auto staged = std::make_shared<std::vector<char>>((const char*)s, (const char*)s + n);
    return enqueue(nullptr, "copy", [=] { if (int r = check_range(call, d, n)) return r; memcpy((void*)d, staged->data(), n); return 0; });
  }
  if (int r = drain_legacy()) return r;
  return op();
}
#define COPY_ENTER ENTER; NEED_CONTEXT; const char* call = __func__
API cuMemcpyHtoD_v2(dptr d, const void* h, size_t n) { COPY_ENTER; return copy(call, d, (dptr)h, n, [=] { return check_range(call, d, n) | check_host(call, h); }, true, nullptr, true); }
API cuMemcpyDtoH_v2(void* h, dptr d, size_t n) { COPY_ENTER; return copy(call, (dptr)h, d, n, [=] { return check_range(call, d, n) | check_host(call, h); }, true, nullptr); }
API cuMemcpyDtoD_v2(dptr d, dptr s, size_t n) { COPY_ENTER; return copy(call, d, s, n, [=] { return check_range(call, d, n) | check_range(call, s, n); }, true, nullptr); }
API cuMemcpyHtoDAsync_v2(dptr d, const void* h, size_t n, void* st) { COPY_ENTER; return copy(call, d, (dptr)h, n, [=] { return check_range(call, d, n) | check_pinned(call, h, n); }, false, st); }
API cuMemcpyDtoHAsync_v2(void* h, dptr d, size_t n, void* st) { COPY_ENTER; return copy(call, (dptr)h, d, n, [=] { return check_range(call, d, n) | check_pinned(call, h, n); }, false, st); }
API cuMemcpyDtoDAsync_v2(dptr d, dptr s, size_t n, void* st) { COPY_ENTER; return copy(call, d, s, n, [=] { return check_range(call, d, n) | check_range(call, s, n); }, false, st); }

// Fills are asynchronous, those without a stream too: they run in the default one.
template <class T> static int fill(const char* call, dptr d, T v, size_t n, void* stream, bool plain = false) {
  if (!n) return OK;
  if (d % sizeof v) return bad(INVALID_VALUE, "%s: %#llx is not aligned to %zu bytes", call, d, sizeof v);
  auto op = [=] { if (int r = check_range(call, d, n * sizeof v)) return r; std::fill((T*)d, (T*)d + n, v); return 0; };
  if (int r = check_range(call, d, n * sizeof v)) return r;
  if (plain) if (int r = no_capture(call)) return r;
  return enqueue(stream, "memset", op);
}
API cuMemsetD8Async(dptr d, unsigned char v, size_t n, void* s) { COPY_ENTER; return fill(call, d, v, n, s); }
API cuMemsetD16Async(dptr d, unsigned short v, size_t n, void* s) { COPY_ENTER; return fill(call, d, v, n, s); }
API cuMemsetD32Async(dptr d, unsigned v, size_t n, void* s) { COPY_ENTER; return fill(call, d, v, n, s); }
API cuMemsetD8_v2(dptr d, unsigned char v, size_t n) { COPY_ENTER; return fill(call, d, v, n, nullptr, true); }
API cuMemsetD16_v2(dptr d, unsigned short v, size_t n) { COPY_ENTER; return fill(call, d, v, n, nullptr, true); }
API cuMemsetD32_v2(dptr d, unsigned v, size_t n) { COPY_ENTER; return fill(call, d, v, n, nullptr, true); }
