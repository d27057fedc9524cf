// NVML for tests: devices draw 100 W, always.
#include <chrono>
#include <cstdio>
#include <cstring>
#include "fakecuda.h"

namespace {
enum { OK_ = 0, UNINITIALIZED = 1, NOT_FOUND = 6 };
int users;
int device;
double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
#define ENTER_NVML if (int e_ = fakecuda_enter(__func__)) return e_; if (!users) return UNINITIALIZED
}  // namespace

API nvmlInit_v2() { if (int e = fakecuda_enter(__func__)) return e; users++; fakecuda_count("NVML user", 1); return OK_; }
API nvmlShutdown() {
  int injected = fakecuda_enter(__func__);
  if (!users) return UNINITIALIZED;
  users--;
  fakecuda_count("NVML user", -1);
  return injected;
}
extern "C" __attribute__((visibility("default"))) const char* nvmlErrorString(int e) {
  switch (e) {
    case 0: return "Success";
    case 1: return "Uninitialized";
    case 6: return "Not Found";
  }
  return "Unknown Error";
}
API nvmlSystemGetDriverVersion(char* text, unsigned n) { ENTER_NVML; snprintf(text, n, "580.0.fake"); return OK_; }
API nvmlDeviceGetHandleByPciBusId_v2(const char* pci, void** d) {
  ENTER_NVML;
  if (!strstr(pci, ":01:00.0")) return NOT_FOUND;
  *d = &device;
  return OK_;
}
API nvmlDeviceGetTotalEnergyConsumption(void*, unsigned long long* mJ) { ENTER_NVML; *mJ = (unsigned long long)(seconds() * 100e3); return OK_; }
API nvmlDeviceGetPowerUsage(void*, unsigned* mW) { ENTER_NVML; *mW = 100000; return OK_; }
API nvmlDeviceGetTemperature(void*, int, unsigned* c) { ENTER_NVML; *c = 40; return OK_; }
