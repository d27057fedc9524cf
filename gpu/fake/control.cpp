// What tests steer and read: injected errors, counts of calls, counts of live objects.
//
//   FAKECUDA_FAIL=NAME:K[:CODE]     the K-th call (from 1) of NAME returns CODE, once; with -K, that call and all later ones
//   fakecuda_fail(name, k, code)    the same at run time, counted from now; k = 0 takes it back. code 0: a plain one
//   fakecuda_calls(name)            how often NAME was called since fakecuda_reset_calls()
//   fakecuda_report(buffer, n)      lines "calls NAME COUNT", "kernels NAME COUNT", "live KIND COUNT" and "leaked KIND COUNT", the
//                                   last of what a context still held when it was given back; returns the bytes wanted
//
// NAME is a function of the API, or "kernel " and a kernel's name: its K-th execution, wherever a stream or a graph comes to it,
// fails as one does that touches memory that is not its own. The context does not survive that.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include "fakecuda.h"

using namespace fakecuda;

namespace fakecuda {
std::recursive_mutex mu;
int sticky;

bool is_sticky(int code) { return (code >= 700 && code != OUT_OF_RESOURCES && code < 720) || code == 214 || code == 226; }

int bad(int code, const char* f, ...) {
  va_list a;
  va_start(a, f);
  fputs("fakecuda: ", stderr);
  vfprintf(stderr, f, a);
  fputc('\n', stderr);
  va_end(a);
  return code;
}
}  // namespace fakecuda

namespace {
struct Entry { long calls = 0, fail_at = 0; int code = 0; bool on = false; };  // on: later calls fail too
const char kernel_prefix[] = "kernel ";
bool is_kernel(const std::string& name) { return name.compare(0, sizeof kernel_prefix - 1, kernel_prefix) == 0; }
std::map<std::string, Entry, std::less<>>& entries() { static std::map<std::string, Entry, std::less<>> m; return m; }
std::map<std::string, long>& leaked() { static std::map<std::string, long> m; return m; }
std::map<std::string, long>& live() { static std::map<std::string, long> m; return m; }

// The plain error of each library.
int plain(const char* name) {
  if (!strncmp(name, "cublasLt", 8)) return 14;  // CUBLAS_STATUS_INTERNAL_ERROR
  if (!strncmp(name, "cudnn", 5)) return 4000;   // CUDNN_STATUS_INTERNAL_ERROR
  if (!strncmp(name, "nvrtc", 5)) return 11;     // NVRTC_ERROR_INTERNAL_ERROR
  if (!strncmp(name, "nvml", 4)) return 999;     // NVML_ERROR_UNKNOWN
  if (is_kernel(name)) return ILLEGAL_ADDRESS;
  if (strstr(name, "Alloc")) return OUT_OF_MEMORY;
  return UNKNOWN;
}

// The name as callers of the API write it: without the version of the ABI.
std::string plain_name(const char* name) {
  std::string s = name;
  size_t n = s.size();
  if (n > 3 && s[n - 3] == '_' && s[n - 2] == 'v' && s[n - 1] >= '2' && s[n - 1] <= '9' && s.compare(0, 4, "cudn") && s.compare(0, 4, "nvml")) s.resize(n - 3);
  return s;
}

void from_environment() {
  static bool once = [] {
    const char* e = getenv("FAKECUDA_FAIL");
    if (!e) return true;
    std::string s = e;
    size_t a = s.find(':'), b = a == std::string::npos ? a : s.find(':', a + 1);
    if (a == std::string::npos) { fprintf(stderr, "fakecuda: FAKECUDA_FAIL=%s: want NAME:K[:CODE]\n", e); return true; }
    Entry& x = entries()[plain_name(s.substr(0, a).c_str())];
    long k = atol(s.c_str() + a + 1);
    x.fail_at = labs(k);
    x.on = k < 0;
    x.code = b == std::string::npos ? 0 : atoi(s.c_str() + b + 1);
    return true;
  }();
  (void)once;
}
}  // namespace

API fakecuda_enter(const char* name) {
  std::lock_guard<std::recursive_mutex> lock(mu);
  from_environment();
  auto& all = entries();
  std::string key = plain_name(name);
  Entry& e = all[key];
  ++e.calls;
  if (!e.fail_at || e.calls < e.fail_at) return 0;
  if (!e.on) e.fail_at = 0;
  int code = e.code ? e.code : plain(key.c_str());
  if (!strncmp(name, "cu", 2) && strncmp(name, "cublas", 6) && strncmp(name, "cudnn", 5) && is_sticky(code)) sticky = code;
  return code;
}

API fakecuda_fail(const char* name, long k, int code) {
  std::lock_guard<std::recursive_mutex> lock(mu);
  Entry& e = entries()[plain_name(name)];
  e.fail_at = k ? e.calls + labs(k) : 0;
  e.on = k < 0;
  e.code = code;
  return 0;
}

API fakecuda_reset_calls() {
  std::lock_guard<std::recursive_mutex> lock(mu);
  entries().clear();
  leaked().clear();
  return 0;
}

extern "C" __attribute__((visibility("default"))) long fakecuda_calls(const char* name) {
  std::lock_guard<std::recursive_mutex> lock(mu);
  return entries()[plain_name(name)].calls;
}

extern "C" __attribute__((visibility("default"))) void fakecuda_count(const char* kind, int change) {
  std::lock_guard<std::recursive_mutex> lock(mu);
  live()[kind] += change;
}

extern "C" __attribute__((visibility("default"))) long fakecuda_report(char* buffer, long n) {
  std::lock_guard<std::recursive_mutex> lock(mu);
  std::string s;
  for (auto& [name, e] : entries())
    if (e.calls) s += (is_kernel(name) ? "kernels " + name.substr(sizeof kernel_prefix - 1) : "calls " + name) + " " + std::to_string(e.calls) + "\n";
  for (auto& [kind, count] : live())
    if (count) s += "live " + kind + " " + std::to_string(count) + "\n";
  for (auto& [kind, count] : leaked())
    s += "leaked " + kind + " " + std::to_string(count) + "\n";
  if (n > 0) snprintf(buffer, n, "%s", s.c_str());
  return s.size() + 1;
}

namespace fakecuda {
void note_leaks() {
  for (auto& [kind, count] : live())
    if (count) leaked()[kind] += count;
}
}  // namespace fakecuda
