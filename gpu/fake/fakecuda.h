// What the parts of the fake driver share. Every exported call starts with ENTER, which holds the driver's one lock, counts the
// call and ends it with an injected error where a test asked for one (control.cpp).
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

typedef unsigned long long dptr;

#define API extern "C" __attribute__((visibility("default"))) int

// For the fake libraries beside libcuda: they count, fail, check and enqueue through these.
API fakecuda_enter(const char* name);  // 0, or the error that the call must return
API fakecuda_range(const char* call, const void* p, size_t bytes);  // 0 where [p, p+bytes) is within one live allocation
extern "C" __attribute__((visibility("default"))) void fakecuda_count(const char* kind, int change);  // of live objects
extern "C" __attribute__((visibility("default"))) int fakecuda_enqueue(void* stream, std::function<int()> op);
extern "C" __attribute__((visibility("default"))) int fakecuda_need_context(const char* call);

namespace fakecuda {

enum Error {
  OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201,
  INVALID_PTX = 218, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700, OUT_OF_RESOURCES = 701,
  LAUNCH_FAILED = 719, CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901, CAPTURE_UNMATCHED = 903, CAPTURE_UNJOINED = 904,
  CAPTURE_WRONG_THREAD = 908, UNKNOWN = 999
};

extern std::recursive_mutex mu;
extern int sticky;  // an error that the context does not survive: every later call returns it
bool is_sticky(int code);

void note_leaks();  // what is live now was not given back

// Says on stderr what is wrong, and returns the code.
int bad(int code, const char* format, ...) __attribute__((format(printf, 2, 3)));

#define ENTER                                                       \
  std::lock_guard<std::recursive_mutex> lock_(fakecuda::mu);        \
  if (int injected_ = fakecuda_enter(__func__)) return injected_

// For calls that give something back: an injected error is returned, but the work is done all the same, as CUDA's calls do that
// report the error of something else. AFTER(r) is what such a call returns.
#define ENTER_RELEASE                                         \
  std::lock_guard<std::recursive_mutex> lock_(fakecuda::mu);  \
  const int injected_ = fakecuda_enter(__func__)
#define AFTER(r) (injected_ ? ((void)(r), injected_) : (r))

// For calls that want a current context; NEED_CONTEXT without ENTER is for those that cannot fail by injection.
#define NEED_CONTEXT if (int e_ = fakecuda_need_context(__func__)) return e_

// ---- memory.cpp
int check_range(const char* call, dptr p, size_t n);
int check_pinned(const char* call, const void* p, size_t n);
bool is_device(dptr p, bool* live);
std::string where(dptr p);  // "0x...: 8 bytes past the end of the 64 byte allocation #3"
void memory_reset();        // everything is freed: the context is gone
size_t live_bytes();

// ---- stream.cpp
bool lazy();                                // queued work waits for somebody who waits for it
typedef std::function<int()> Op;
int enqueue(void* stream, const char* kind, Op op);
int drain_all();                            // runs all queued work of every stream
int drain_legacy();                         // of the default stream and those that it synchronises with
int no_capture(const char* call);           // an error where this thread captures: the call is not allowed then
void streams_reset();

// ---- module.cpp
void modules_reset();

// Handles that the caller holds: what is not in the set was destroyed, or never made.
template <class T> struct Handles {
  const char* kind;
  std::set<T*> all;
  T* add(T* t) { all.insert(t); fakecuda_count(kind, 1); return t; }
  bool has(void* t) const { return all.count((T*)t) != 0; }
  bool remove(void* t) {
    if (!all.erase((T*)t)) return false;
    fakecuda_count(kind, -1);
    delete (T*)t;
    return true;
  }
  void clear() { while (!all.empty()) remove(*all.begin()); }
};
#define CHECK_HANDLE(set, h) if (!(set).has(h)) return bad(INVALID_HANDLE, "%s: no such %s, or destroyed", __func__, (set).kind)
}  // namespace fakecuda
