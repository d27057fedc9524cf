// Modules and launches. A module is PTX text: its kernels are looked up by name among those that g++ has compiled, in this library
// or, for text of the fake NVRTC, in the one that the text carries. The PTX tells what the host code cannot: sizes of parameters
// (they must agree), static shared memory, the largest block, and whether a block's threads must meet.
//
//   FAKECUDA_SHUFFLE=SEED    blocks and warps run in an order drawn from SEED
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <unordered_set>
#include "fakecuda.h"
#include "fiber.h"

API cuDeviceGetAttribute(int* v, int attribute, int device);

using namespace fakecuda;
using hostcuda::Kernel;
using hostcuda::Library;

namespace {
struct Func {
  const Kernel* k;
  Library library;
  std::weak_ptr<void> module;  // expires when the module is unloaded
  bool cooperative;
  unsigned statics;     // bytes of static shared memory
  unsigned max_threads;
  unsigned dynamic = 48 << 10;
};
struct Module {
  std::map<std::string, Func> functions;
  std::shared_ptr<void> alive = std::make_shared<int>();
  void* handle = nullptr;  // of the library that came with the text
  ~Module();
};
Handles<Module> modules{"module"};

unsigned shared_optin() { int v = 0; cuDeviceGetAttribute(&v, 97, 0); return v; }

std::unordered_set<void*> functions;  // of all loaded modules
Func* function_of(void* h) { return functions.count(h) ? (Func*)h : nullptr; }

Module::~Module() {
  for (auto& [name, f] : this->functions) ::functions.erase(&f);
  if (handle) dlclose(handle);
}

// ---- reading PTX
std::vector<unsigned> parameter_sizes(const std::string& list) {
  std::vector<unsigned> sizes;
  for (size_t i = 0; (i = list.find(".param", i)) != std::string::npos; i++) {
    std::string line = list.substr(i, std::min(list.find('\n', i), list.size()) - i);
    size_t bracket = line.find('[');
    // ".param .align 4 .b8 name[24]" or ".param .u64 name"
    sizes.push_back(bracket != std::string::npos ? atoi(line.c_str() + bracket + 1) : atoi(line.c_str() + line.find_first_of("0123456789")) / 8);
  }
  return sizes;
}

unsigned static_shared(const std::string& code) {
  unsigned n = 0;
  for (size_t i = 0; (i = code.find("\t.shared ", i)) != std::string::npos || (i = std::string::npos, false); i++) {
    std::string line = code.substr(i, code.find('\n', i) - i);
    size_t bracket = line.find('[');
    n += bracket != std::string::npos ? atoi(line.c_str() + bracket + 1) : 8;
  }
  return n;
}

// The declaration of an entry: what stands before its body and the body.
struct Entry { std::string name, parameters, directives, code; };

bool next_entry(const char*& p, Entry& e) {
  p = strstr(p, ".entry ");
  if (!p) return false;
  p += 7;
  const char* name = p;
  p += strcspn(p, "( \t\r\n");
  e.name.assign(name, p);
  const char *open = strchr(p, '('), *close = open ? strchr(open, ')') : nullptr, *body = close ? strchr(close, '{') : nullptr;
  if (!body) { e.code.clear(); return true; }
  e.parameters.assign(open, close);
  e.directives.assign(close, body);
  const char* end = strstr(body, "\n}");
  e.code.assign(body, end ? end : body + strlen(body));
  return true;
}

// The library that the fake NVRTC wrote into its text, as hexadecimal digits; a real driver refuses such a text.
int carried_library(Module& m, const char* text, Library& library) {
  const char* p = strstr(text, "fakenvrtc ");
  if (!p) return OK;
  std::string bytes;
  auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  for (; p && !strncmp(p, "fakenvrtc ", 10); p = strchr(p, '\n'), p = p ? p + 1 : p) {
    for (const char* c = p + 10; c[0] > ' ' && c[1] > ' '; c += 2) bytes.push_back((char)(digit(c[0]) << 4 | digit(c[1])));
  }
  // A file with a name of its own: the loader takes two libraries of one name for the same.
  char path[] = P_tmpdir "/fakecuda-XXXXXX";
  int fd = mkstemp(path);
  if (fd < 0) return OUT_OF_MEMORY;
  bool wrote = write(fd, bytes.data(), bytes.size()) == (ssize_t)bytes.size();
  close(fd);
  m.handle = wrote ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  unlink(path);
  auto* get = m.handle ? (Library(*)())dlsym(m.handle, "hostcuda_library") : nullptr;
  if (!get) return bad(INVALID_PTX, "the library in this text cannot be loaded: %s", wrote ? dlerror() : "short write");
  library = get();
  if (library.abi != hostcuda::library().abi) return bad(INVALID_PTX, "the library in this text is of another build of the fake driver");
  return OK;
}

int load(Module& m, const char* ptx) {
  if (!strstr(ptx, ".version") || !strstr(ptx, ".target")) return bad(INVALID_PTX, "only PTX text can be loaded");
  Library library = hostcuda::library();
  if (int r = carried_library(m, ptx, library)) return r;
  Entry e;
  for (const char* p = ptx; next_entry(p, e);) {
    if (e.code.empty()) return bad(INVALID_PTX, "kernel %s has no body", e.name.c_str());
    const Kernel* k = library.kernels;
    while (k && e.name != k->name) k = k->next;
    if (!k) return bad(NOT_FOUND, "PTX has kernel %s, the host build has not: rebuild the fake driver", e.name.c_str());
    auto sizes = parameter_sizes(e.parameters);
    bool same = (int)sizes.size() == k->nparam;
    for (int i = 0; same && i < k->nparam; i++) same = sizes[i] == k->size[i];
    if (!same) return bad(INVALID_PTX, "kernel %s: PTX and source have different parameters: the PTX is out of date", e.name.c_str());
    bool meets = false;
    for (const char* w : {"bar.", "barrier.", "shfl.", "vote.", "match.", "call"}) meets |= e.code.find(w) != std::string::npos;
    size_t bound = e.directives.find("ntid");  // .maxntid or .reqntid
    unsigned most = 1;
    if (bound == std::string::npos) most = 1024;
    else {
      unsigned d[3] = {1, 1, 1};
      sscanf(e.directives.c_str() + bound + 4, "%u , %u , %u", d, d + 1, d + 2);
      most = d[0] * d[1] * d[2];
    }
    m.functions[e.name] = Func{k, library, m.alive, meets, static_shared(e.code), most};
  }
  return OK;
}

// ---- running
thread_local sigjmp_buf back;
thread_local bool in_kernel;
thread_local void* fault_at;
struct sigaction old_segv;
void on_segv(int sig, siginfo_t* si, void* uc) {
  if (in_kernel) { fault_at = si->si_addr; siglongjmp(back, 1); }
  if (old_segv.sa_flags & SA_SIGINFO) old_segv.sa_sigaction(sig, si, uc);
  else { signal(sig, SIG_DFL); raise(sig); }
}

unsigned long long shuffle_seed() {
  static const unsigned long long seed = [] { const char* e = getenv("FAKECUDA_SHUFFLE"); return e && *e ? strtoull(e, nullptr, 10) * 2 + 1 : 0; }();
  static unsigned long long launches;
  return seed ? seed + (launches += 0x9e3779b97f4a7c15ull) : 0;
}

std::string at(const Func& f) {
  auto p = f.library.place();
  char b[96];
  snprintf(b, sizeof b, "block (%u,%u,%u), thread (%u,%u,%u)", p.block.x, p.block.y, p.block.z, p.thread.x, p.thread.y, p.thread.z);
  return b;
}

int execute(const Func& f, const hostcuda::Grid& g, void** args) {
  if (int injected = fakecuda_enter((std::string("kernel ") + f.k->name).c_str())) return injected;
  static bool once = [] {
    struct sigaction a {};
    a.sa_sigaction = on_segv;
    a.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigaction(SIGSEGV, &a, &old_segv);
    return true;
  }();
  (void)once;
  for (int i = 0; i < f.k->nparam; i++)
    if (f.k->isptr[i]) {
      dptr p = *(dptr*)args[i];
      bool live;
      if (p && (!is_device(p, &live) || !live)) return bad(ILLEGAL_ADDRESS, "kernel %s: argument %d is %s", f.k->name, i, where(p).c_str());
    }
  in_kernel = true;
  if (sigsetjmp(back, 1)) {
    in_kernel = false;
    return bad(ILLEGAL_ADDRESS, "kernel %s, %s: access to %s", f.k->name, at(f).c_str(), where((dptr)fault_at).c_str());
  }
  const char* wrong = f.library.run(f.k, g, args);
  in_kernel = false;
  return wrong ? bad(LAUNCH_FAILED, "kernel %s, %s: %s", f.k->name, at(f).c_str(), wrong) : OK;
}

// A launch's arguments, copied when it is asked for.
struct Arguments {
  std::vector<uint64_t> words;
  std::vector<void*> pointers;
  Arguments(const Kernel* k, void** params) {
    std::vector<size_t> at;
    for (int i = 0; i < k->nparam; i++) {
      at.push_back(words.size());
      words.resize(words.size() + (k->size[i] + 7) / 8 + (words.size() & 1));  // structs may want 16 bytes
      memcpy(&words[at.back()], params[i], k->size[i]);
    }
    for (size_t a : at) pointers.push_back(&words[a]);
  }
};
}  // namespace

namespace fakecuda {
void modules_reset() { modules.clear(); }
}  // namespace fakecuda

API fakecuda_range(const char* call, const void* p, size_t n) {
  std::lock_guard<std::recursive_mutex> lock(mu);
  return check_range(call, (dptr)p, n);
}

// Options 3 and 4 are the buffer for errors and its size, 5 and 6 those for information.
API cuModuleLoadDataEx(void** out, const void* image, unsigned n, const int* options, void** values) {
  ENTER; NEED_CONTEXT;
  if (int r = no_capture(__func__)) return r;
  auto m = std::make_unique<Module>();
  int r = load(*m, (const char*)image);
  if (r) {
    char* log = nullptr;
    size_t size = 0;
    for (unsigned i = 0; i < n; i++) {
      if (options[i] == 5) log = (char*)values[i];
      if (options[i] == 6) size = (size_t)values[i];
    }
    if (log && size) snprintf(log, size, "the fake driver does not take this PTX");
    return r;
  }
  for (auto& [name, f] : m->functions) functions.insert(&f);
  *out = modules.add(m.release());
  return OK;
}
API cuModuleLoadData(void** out, const void* image) { ENTER; return cuModuleLoadDataEx(out, image, 0, nullptr, nullptr); }
API cuModuleUnload(void* h) {
  ENTER_RELEASE; NEED_CONTEXT;
  if (int r = no_capture(__func__)) return r;
  CHECK_HANDLE(modules, h);
  if (int r = drain_all()) return r;
  modules.remove(h);
  return injected_;
}
API cuModuleGetFunction(void** f, void* h, const char* name) {
  ENTER; NEED_CONTEXT;
  CHECK_HANDLE(modules, h);
  auto& all = ((Module*)h)->functions;
  auto it = all.find(name);
  if (it == all.end()) return NOT_FOUND;
  *f = &it->second;
  return OK;
}
API cuFuncSetAttribute(void* h, int a, int v) {
  ENTER; NEED_CONTEXT;
  Func* f = function_of(h);
  if (!f) return INVALID_HANDLE;
  if (a != 8) return OK;
  if (v < 0 || v + f->statics > shared_optin()) return bad(INVALID_VALUE, "cuFuncSetAttribute: %d bytes of shared memory for %s, which has %u static ones; %u are allowed", v, f->k->name, f->statics, shared_optin());
  f->dynamic = v;
  return OK;
}
API cuFuncSetCacheConfig(void*, int) { ENTER; return OK; }
API cuFuncGetAttribute(int* v, int a, void* h) {
  ENTER; NEED_CONTEXT;
  Func* f = function_of(h);
  if (!f) return INVALID_HANDLE;
  switch (a) {
    case 0: *v = f->max_threads; break;
    case 1: *v = f->statics; break;
    case 4: *v = 32; break;  // registers
    case 5: *v = 80; break;  // PTX version
    case 8: *v = f->dynamic; break;
    default: *v = 0;
  }
  return OK;
}
API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* n, void* h, int threads, size_t shared) {
  ENTER; NEED_CONTEXT;
  Func* f = function_of(h);
  if (!f) return INVALID_HANDLE;
  size_t by_shared = shared + f->statics ? (shared_optin() + 1024) / (shared + f->statics + 1024) : 32;
  *n = (int)std::min<size_t>({32, (size_t)2048 / std::max(threads, 1), by_shared});
  return OK;
}
API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* n, void* h, int threads, size_t shared, unsigned) {
  ENTER;
  return cuOccupancyMaxActiveBlocksPerMultiprocessor(n, h, threads, shared);
}
API cuLaunchKernel(void* h, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned smem, void* st, void** params, void** extra) {
  ENTER; NEED_CONTEXT;
  Func* f = function_of(h);
  if (!f) return bad(INVALID_HANDLE, "cuLaunchKernel: no such function, or its module was unloaded");
  size_t threads = (size_t)bx * by * bz;
  if (extra || !gx || !gy || !gz || gx > 2147483647u || gy > 65535 || gz > 65535 || !threads || bz > 64 || threads > 1024 || smem > f->dynamic ||
      (f->dynamic == 48 << 10 && smem + f->statics > 48 << 10))
    return bad(INVALID_VALUE, "kernel %s: launch (%u,%u,%u)x(%u,%u,%u) with %u bytes of shared memory and %u static ones", f->k->name, gx, gy, gz, bx, by, bz, smem, f->statics);
  if (threads > f->max_threads) return bad(INVALID_VALUE, "kernel %s: %zu threads a block; its __launch_bounds__ allow %u", f->k->name, threads, f->max_threads);
  auto args = std::make_shared<Arguments>(f->k, params);
  Func copy = *f;
  return enqueue(st, "kernel", [=] {
    if (copy.module.expired()) return bad(ILLEGAL_ADDRESS, "a kernel is launched whose module was unloaded");
    return execute(copy, {{gx, gy, gz}, {bx, by, bz}, smem, copy.statics != 0, copy.cooperative, shuffle_seed()}, args->pointers.data());
  });
}
