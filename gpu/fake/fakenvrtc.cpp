// NVRTC for tests: compiles the source with g++ into a shared library and returns a text that the fake driver takes for PTX. The
// text carries the library as hexadecimal digits (a real driver refuses it), and a declaration for each kernel. Results are kept by their source in the
// folder nvrtc beside this library, as g++ takes its time.
//
//   FAKENVRTC_ALSO=LIBRARY    what g++ took is also given to a real NVRTC, which has to take it too
//   FAKENVRTC_KEEP=FOLDER     that one's PTX is left there
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include "fakecuda.h"
#include "fiber.h"

// The calls of NVRTC, this one's and a real one's.
API nvrtcCreateProgram(void** out, const char* source, const char* name, int n, const char* const* headers, const char* const* names);
API nvrtcCompileProgram(void* program, int n, const char* const* options);
API nvrtcDestroyProgram(void** program);
API nvrtcGetProgramLogSize(void* program, size_t* n);
API nvrtcGetProgramLog(void* program, char* to);
API nvrtcGetPTXSize(void* program, size_t* n);
API nvrtcGetPTX(void* program, char* to);

namespace {
enum { OK_ = 0, INVALID_INPUT = 3, COMPILATION = 6, INTERNAL = 11 };
struct Program {
  std::string name, source, log, ptx;
  std::vector<std::pair<std::string, std::string>> headers;
};
#define ENTER_NVRTC if (int e_ = fakecuda_enter(__func__)) return e_

// The folder of this library; build.sh leaves what a compilation needs in nvrtc below it.
std::string folder() {
  Dl_info info;
  if (!dladdr((void*)&folder, &info)) return ".";
  std::string path = info.dli_fname;
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string read(const std::string& path) {
  std::ifstream f(path, std::ios::binary);
  std::stringstream s;
  s << f.rdbuf();
  return s.str();
}
bool write(const std::string& path, const std::string& text) {
  std::ofstream f(path, std::ios::binary);
  f << text;
  return (bool)f.flush();
}

uint64_t hash(const std::string& s, uint64_t h) {  // FNV-1a
  for (unsigned char c : s) h = (h ^ c) * 1099511628211ull;
  return h;
}
std::string key(const Program& p) {
  uint64_t a = 14695981039346656037ull, b = 88172645463325252ull;
  auto add = [&](const std::string& s) { a = hash(s, a); b = hash(s + "|", b); };
  add(read(folder() + "/nvrtc/stamp"));
  add(p.source);
  for (auto& [name, text] : p.headers) { add(name); add(text); }
  char k[40];
  snprintf(k, sizeof k, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
  return k;
}

struct Entry { std::string name; unsigned threads; };
std::vector<Entry> entries(const std::string& source) {
  static const std::regex r(R"re(extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\(\s*(\d+)[^)]*\)\s*)?(\w+)\s*\()re");
  std::vector<Entry> list;
  for (std::sregex_iterator i(source.begin(), source.end(), r), end; i != end; ++i)
    list.push_back({(*i)[2], (*i)[1].matched ? (unsigned)atoi((*i)[1].str().c_str()) : 1024});
  return list;
}

// The functions of an assembly listing that can reach a barrier or a warp exchange.
std::set<std::string> meeting(const std::string& listing) {
  std::map<std::string, std::set<std::string>> callers;
  std::istringstream in(listing);
  std::string line, function;
  while (std::getline(in, line)) {
    if (line.size() > 1 && line[0] != '\t' && line[0] != '.' && line.back() == ':') function = line.substr(0, line.size() - 1);
    size_t c = line.find("call\t");
    if (c == std::string::npos) c = line.find("jmp\t");
    if (c == std::string::npos) c = line.find("bl\t");
    if (c == std::string::npos || function.empty()) continue;
    std::string to = line.substr(line.find('\t', c) + 1);
    callers[to.substr(0, to.find_first_of("@ \t"))].insert(function);
  }
  std::set<std::string> found;
  std::vector<std::string> todo;
  for (auto& [to, from] : callers)
    for (const char* f : {"10sync_block", "9warp_xchg", "11warp_ballot"})
      if (to.find(f) != std::string::npos) todo.push_back(to);
  while (!todo.empty()) {
    std::string f = todo.back();
    todo.pop_back();
    for (auto& g : callers[f]) if (found.insert(g).second) todo.push_back(g);
  }
  return found;
}

// Writes the text that the driver takes: head, library, declarations.
std::string text(const std::string& library, const std::string& declarations) {
  std::string out = ".version 8.0\n.target sm_90\n.address_size 64\n";
  static const char* digits = "0123456789abcdef";
  for (size_t i = 0; i < library.size(); i += 512) {
    out += "fakenvrtc ";
    for (size_t j = i; j < library.size() && j < i + 512; j++) { out += digits[(unsigned char)library[j] >> 4]; out += digits[library[j] & 15]; }
    out += "\n";
  }
  return out + declarations;
}

// Declares the kernels with the sizes that the library has for them.
std::string declare(const std::string& library, const std::vector<Entry>& list, const std::set<std::string>& meet, bool statics, std::string* log) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  auto* get = handle ? (hostcuda::Library(*)())dlsym(handle, "hostcuda_library") : nullptr;
  if (!get) { *log += "the compiled library cannot be loaded: " + std::string(dlerror()); return ""; }
  std::string out;
  for (auto& e : list) {
    const hostcuda::Kernel* k = get().kernels;
    while (k && e.name != k->name) k = k->next;
    if (!k) continue;
    out += "\n.visible .entry " + e.name + "(\n";
    for (int i = 0; i < k->nparam; i++)
      out += "\t.param .align 8 .b8 " + e.name + "_param_" + std::to_string(i) + "[" + std::to_string(k->size[i]) + "]" + (i + 1 < k->nparam ? ",\n" : "\n");
    out += ")\n.maxntid " + std::to_string(e.threads) + ", 1, 1\n{\n";
    if (statics) out += "\t.shared .align 4 .b8 statics[4];\n";
    bool meets = false;
    for (auto& f : meet) meets |= f == e.name || f.find(std::to_string(e.name.size()) + e.name) != std::string::npos;
    if (meets) out += "\tbar.sync \t0;\n";
    out += "\tret;\n}\n";
  }
  dlclose(handle);
  return out;
}

int shell(const std::string& command) { return system(command.c_str()); }

// Compiles in a folder of its own; returns false with the compiler's words in the log.
bool compile(Program* p, const std::string& work) {
  std::string tools = folder() + "/nvrtc";
  auto list = entries(p->source);
  std::string unit = "namespace {\n#line 1 \"" + p->name + "\"\n" + p->source + "\n}\n";
  for (auto& e : list) unit += "HOSTCUDA_KERNEL(" + e.name + ")\n";
  unit += "extern \"C\" __attribute__((visibility(\"default\"))) hostcuda::Library hostcuda_library() { return hostcuda::library(); }\n";
  if (!write(work + "/unit.cpp", unit)) return false;
  for (auto& [name, header] : p->headers) {
    if (header.find("#include <") != std::string::npos) { p->log = name + ": there are no standard headers in NVRTC\n"; return false; }
    if (!write(work + "/" + name, header)) return false;
  }
  if (p->source.find("#include <") != std::string::npos) { p->log = p->name + ": there are no standard headers in NVRTC\n"; return false; }
  std::string flags = read(tools + "/flags");
  while (!flags.empty() && flags.back() == '\n') flags.pop_back();
  std::string quiet = " 2>'" + work + "/log'";
  bool ok = shell(flags + " -I'" + work + "' -S -o '" + work + "/unit.s' '" + work + "/unit.cpp'" + quiet) == 0;
  p->log += read(work + "/log");
  if (!ok) return false;
  ok = shell(flags.substr(0, flags.find(' ')) + " -shared -s -o '" + work + "/unit.so' '" + work + "/unit.s' '" + tools + "/fiber.o'" + quiet) == 0;
  p->log += read(work + "/log");
  if (!ok) return false;
  bool statics = p->source.find("__shared__") != std::string::npos;
  for (auto& [name, header] : p->headers) statics |= header.find("__shared__") != std::string::npos;
  std::string declared = declare(work + "/unit.so", list, meeting(read(work + "/unit.s")), statics, &p->log);
  if (declared.empty()) return false;
  p->ptx = text(read(work + "/unit.so"), declared);
  return true;
}

// Has a real NVRTC compile the program; false where it does not, with its words in the log.
bool also(Program* p, const char* path, int n, const char* const* options) {
  static void* real = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!real) { p->log = "FAKENVRTC_ALSO: " + std::string(dlerror()) + "\n"; return false; }
#define REAL(name) ((decltype(&name))dlsym(real, #name))
  std::vector<const char*> headers, names;
  for (auto& [name, text] : p->headers) { names.push_back(name.c_str()); headers.push_back(text.c_str()); }
  void* program = nullptr;
  if (REAL(nvrtcCreateProgram)(&program, p->source.c_str(), p->name.c_str(), (int)headers.size(), headers.data(), names.data())) return false;
  bool ok = REAL(nvrtcCompileProgram)(program, n, options) == 0;
  size_t size = 0;
  if (!ok && !REAL(nvrtcGetProgramLogSize)(program, &size)) {
    std::string log(size, 0);
    REAL(nvrtcGetProgramLog)(program, log.data());
    p->log = "FAKENVRTC_ALSO: " + log;
  }
  const char* keep = getenv("FAKENVRTC_KEEP");
  if (ok && keep && !REAL(nvrtcGetPTXSize)(program, &size)) {
    std::string ptx(size, 0);
    REAL(nvrtcGetPTX)(program, ptx.data());
    write(std::string(keep) + "/" + key(*p) + ".ptx", ptx.c_str());
  }
  REAL(nvrtcDestroyProgram)(&program);
  return ok;
}

int size_of(const std::string& s, size_t* n) { *n = s.size() + 1; return OK_; }
int copy(const std::string& s, char* to) { memcpy(to, s.c_str(), s.size() + 1); return OK_; }
}  // namespace

// A version that no real one has: programs that keep what was compiled tell it from that of a GPU.
API nvrtcVersion(int* major, int* minor) { ENTER_NVRTC; *major = 12; *minor = 98; return OK_; }
extern "C" __attribute__((visibility("default"))) const char* nvrtcGetErrorString(int e) {
  switch (e) {
    case 0: return "NVRTC_SUCCESS";
    case 1: return "NVRTC_ERROR_OUT_OF_MEMORY";
    case 3: return "NVRTC_ERROR_INVALID_INPUT";
    case 4: return "NVRTC_ERROR_INVALID_PROGRAM";
    case 5: return "NVRTC_ERROR_INVALID_OPTION";
    case 6: return "NVRTC_ERROR_COMPILATION";
    case 11: return "NVRTC_ERROR_INTERNAL_ERROR";
  }
  return "NVRTC_ERROR unknown";
}
static const int archs[] = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};
API nvrtcGetNumSupportedArchs(int* n) { ENTER_NVRTC; *n = sizeof archs / sizeof *archs; return OK_; }
API nvrtcGetSupportedArchs(int* list) { ENTER_NVRTC; memcpy(list, archs, sizeof archs); return OK_; }
API nvrtcCreateProgram(void** out, const char* source, const char* name, int n, const char* const* headers, const char* const* names) {
  ENTER_NVRTC;
  auto* p = new Program{name ? name : "default_program", source, "", "", {}};
  for (int i = 0; i < n; i++) p->headers.push_back({names[i], headers[i]});
  fakecuda_count("NVRTC program", 1);
  *out = p;
  return OK_;
}
API nvrtcDestroyProgram(void** p) {
  int injected = fakecuda_enter(__func__);
  fakecuda_count("NVRTC program", -1);
  delete (Program*)*p;
  *p = nullptr;
  return injected;
}
API nvrtcCompileProgram(void* h, int n, const char* const* options) {
  ENTER_NVRTC;
  Program* p = (Program*)h;
  for (int i = 0; i < n; i++)
    if (!strstr("--std=c++17 -default-device --use_fast_math --fmad=false --fmad=true -lineinfo", options[i]) && strncmp(options[i], "--gpu-architecture=", 19)) {
      p->log = "nvrtc: error: unrecognized option " + std::string(options[i]) + "\n";
      return 5;
    }
  std::string kept = folder() + "/nvrtc/" + key(*p);
  const char* real = getenv("FAKENVRTC_ALSO");
  if (real && !also(p, real, n, options)) return COMPILATION;
  p->ptx = read(kept);
  if (!p->ptx.empty()) return OK_;
  char work[] = P_tmpdir "/fakenvrtc-XXXXXX";
  if (!mkdtemp(work)) return INTERNAL;
  bool ok = compile(p, work);
  shell("rm -rf '" + std::string(work) + "'");
  if (!ok) return COMPILATION;
  std::string mine = kept + "." + std::to_string(getpid()) + "." + std::to_string((uintptr_t)p);
  if (!write(mine, p->ptx) || rename(mine.c_str(), kept.c_str())) unlink(mine.c_str());  // a folder that cannot be written to: no harm
  return OK_;
}
API nvrtcGetProgramLogSize(void* p, size_t* n) { ENTER_NVRTC; return size_of(((Program*)p)->log, n); }
API nvrtcGetProgramLog(void* p, char* to) { ENTER_NVRTC; return copy(((Program*)p)->log, to); }
API nvrtcGetPTXSize(void* p, size_t* n) { ENTER_NVRTC; return size_of(((Program*)p)->ptx, n); }
API nvrtcGetPTX(void* p, char* to) { ENTER_NVRTC; return copy(((Program*)p)->ptx, to); }
// Machine code is the same text.
API nvrtcGetCUBINSize(void* p, size_t* n) { ENTER_NVRTC; return size_of(((Program*)p)->ptx, n); }
API nvrtcGetCUBIN(void* p, char* to) { ENTER_NVRTC; return copy(((Program*)p)->ptx, to); }
