// Initialisation, devices, contexts, error texts. There is one device (FAKECUDA_DEVICES more of it), and its context is the
// primary one: gone, with all that it held, when the last one who retained it lets go.
//
//   FAKECUDA_INIT=CODE     cuInit returns CODE
//   FAKECUDA_DEVICES=N     how many devices are reported (they share one memory)
//   FAKECUDA_CC=MAJOR.MINOR    compute capability, 9.0 unless told
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include "fakecuda.h"

using namespace fakecuda;

namespace {
struct Context { int device, refs; };
std::map<int, Context> primary;
thread_local std::vector<Context*> current;

int env(const char* name, int other) { const char* e = getenv(name); return e && *e ? atoi(e) : other; }
int devices() { return env("FAKECUDA_DEVICES", 1); }
int capability(int part) {
  int major = 9, minor = 0;
  if (const char* e = getenv("FAKECUDA_CC")) sscanf(e, "%d.%d", &major, &minor);
  return part ? minor : major;
}

struct Text { int code; const char *name, *text; };
const Text texts[] = {
  {0, "CUDA_SUCCESS", "no error"}, {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"}, {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
  {3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"}, {34, "CUDA_ERROR_STUB_LIBRARY", "CUDA driver is a stub library"},
  {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"},
  {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"}, {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
  {201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}, {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
  {218, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"}, {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."},
  {400, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}, {500, "CUDA_ERROR_NOT_FOUND", "named symbol not found"}, {600, "CUDA_ERROR_NOT_READY", "device not ready"},
  {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"}, {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
  {702, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"}, {719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
  {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"},
  {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
  {901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"},
  {903, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"},
  {904, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"},
  {908, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD", "attempt to terminate a thread-local capture sequence from another thread"},
  {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

// The context ends: what it held is freed, a sticky error is forgotten.
int end_context() {
  int r = sticky ? OK : drain_all();
  streams_reset();
  modules_reset();
  memory_reset();
  sticky = 0;
  return r;
}
}  // namespace

extern "C" __attribute__((visibility("default"))) int fakecuda_need_context(const char* call) {
  if (current.empty() || !current.back()) return bad(INVALID_CONTEXT, "%s: no context is current on this OS thread", call);
  if (!current.back()->refs) return bad(INVALID_CONTEXT, "%s: the current context was destroyed", call);
  return sticky;
}

API cuInit(unsigned) { ENTER; return env("FAKECUDA_INIT", 0); }
API cuDriverGetVersion(int* v) { ENTER; *v = 13000; return OK; }
API cuGetErrorString(int e, const char** s) {
  for (auto& t : texts) if (t.code == e) { *s = t.text; return OK; }
  *s = nullptr;
  return INVALID_VALUE;
}
API cuGetErrorName(int e, const char** s) {
  for (auto& t : texts) if (t.code == e) { *s = t.name; return OK; }
  *s = nullptr;
  return INVALID_VALUE;
}

API cuDeviceGetCount(int* n) { ENTER; *n = devices(); return OK; }
API cuDeviceGet(int* d, int i) { ENTER; *d = i; return i < 0 || i >= devices() ? INVALID_DEVICE : OK; }
API cuDeviceGetName(char* s, int n, int) { ENTER; snprintf(s, n, "fake CUDA device"); return OK; }
static void uuid(void* u, int d) { for (int i = 0; i < 16; i++) ((unsigned char*)u)[i] = (unsigned char)(0xa0 + i + d); }
API cuDeviceGetUuid(void* u, int d) { ENTER; uuid(u, d); return OK; }
API cuDeviceGetUuid_v2(void* u, int d) { ENTER; uuid(u, d); return OK; }
API cuDeviceGetPCIBusId(char* s, int n, int d) { ENTER; snprintf(s, n, "0000:%02x:00.0", d + 1); return OK; }
API cuDeviceComputeCapability(int* major, int* minor, int) { ENTER; *major = capability(0); *minor = capability(1); return OK; }
API cuDeviceGetAttribute(int* v, int a, int d) {
  ENTER;
  const int optin = capability(0) >= 9 ? 227 << 10 : capability(0) == 8 ? 163 << 10 : capability(1) == 5 ? 64 << 10 : 96 << 10;
  switch (a) {
    case 1: *v = 1024; break;             // threads a block
    case 2: case 3: *v = 1024; break;     // block x, y
    case 4: *v = 64; break;               // block z
    case 5: *v = 2147483647; break;       // grid x
    case 6: case 7: *v = 65535; break;    // grid y, z
    case 8: *v = 48 << 10; break;         // shared memory a block
    case 9: *v = 64 << 10; break;         // constant memory
    case 10: *v = 32; break;              // warp
    case 12: *v = 65536; break;           // registers a block
    case 13: *v = 1500000; break;         // kHz
    case 16: *v = 8; break;               // multiprocessors
    case 33: *v = d + 1; break;           // PCI bus
    case 34: *v = 0; break;               // PCI device
    case 36: *v = 2500000; break;         // kHz of the memory
    case 37: *v = 256; break;             // bits of its bus
    case 38: *v = 4 << 20; break;         // L2
    case 39: *v = 2048; break;            // threads a multiprocessor
    case 40: *v = 1; break;               // copy engines
    case 50: *v = 0; break;               // PCI domain
    case 75: *v = capability(0); break;
    case 76: *v = capability(1); break;
    case 81: *v = optin + 1024; break;    // shared memory a multiprocessor
    case 97: *v = optin; break;           // shared memory a block, opted in
    case 115: *v = 1; break;              // memory pools
    default: *v = 0;
  }
  return OK;
}

API cuDevicePrimaryCtxRetain(void** c, int d) {
  ENTER;
  if (d < 0 || d >= devices()) return INVALID_DEVICE;
  Context& p = primary[d];
  p.device = d;
  if (!p.refs++) fakecuda_count("context", 1);
  *c = &p;
  return OK;
}
API cuDevicePrimaryCtxRelease_v2(int d) {
  ENTER_RELEASE;
  Context& p = primary[d];
  if (p.refs <= 0) return bad(INVALID_CONTEXT, "cuDevicePrimaryCtxRelease: nobody holds the context");
  if (--p.refs) return injected_;
  fakecuda_count("context", -1);
  if (!sticky) note_leaks();
  return AFTER(end_context());
}
API cuDevicePrimaryCtxReset_v2(int) { ENTER_RELEASE; end_context(); return injected_; }
API cuDevicePrimaryCtxGetState(int d, unsigned* flags, int* active) { ENTER; *flags = 0; *active = primary[d].refs > 0; return OK; }
API cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { ENTER; return OK; }
API cuCtxSetCurrent(void* c) { ENTER; if (current.empty()) current.push_back((Context*)c); else current.back() = (Context*)c; return OK; }
API cuCtxGetCurrent(void** c) { ENTER; *c = current.empty() ? nullptr : current.back(); return OK; }
API cuCtxPushCurrent_v2(void* c) { ENTER; current.push_back((Context*)c); return OK; }
API cuCtxPopCurrent_v2(void** c) {
  ENTER_RELEASE;
  if (current.empty()) return INVALID_CONTEXT;
  if (c) *c = current.back();
  current.pop_back();
  return injected_;
}
API cuCtxGetDevice(int* d) { ENTER; NEED_CONTEXT; *d = current.back()->device; return OK; }
API cuCtxGetApiVersion(void*, unsigned* v) { ENTER; *v = 13000; return OK; }
API cuCtxGetStreamPriorityRange(int* least, int* greatest) { ENTER; *least = *greatest = 0; return OK; }
API cuCtxSynchronize() { ENTER; NEED_CONTEXT; if (int r = no_capture(__func__)) return r; return drain_all(); }
API cuProfilerStart() { return OK; }
API cuProfilerStop() { return OK; }
