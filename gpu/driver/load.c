//go:build gpu && cgo

#define _GNU_SOURCE
#include "load.h"
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

/* A row of the table that tramp.S builds: a C function of a library, and the slot its forwarder jumps through. */
struct forward { const char *name; void **slot; void *fallback; long lib; };
extern const struct forward ae_forwards[] __attribute__((visibility("hidden")));

/* What slots hold before their library is open: functions that return its "not initialised". */
#define HIDDEN __attribute__((visibility("hidden")))
HIDDEN int ae_no_device(void) { return 100; }   /* CUDA_ERROR_NO_DEVICE */
HIDDEN int ae_no_lt(void) { return 1; }         /* CUBLAS_STATUS_NOT_INITIALIZED */
HIDDEN int ae_no_dnn(void) { return 1001; }     /* CUDNN_STATUS_NOT_INITIALIZED */
HIDDEN int ae_no_nvrtc(void) { return 11; }     /* NVRTC_ERROR_INTERNAL_ERROR */
HIDDEN int ae_no_nvml(void) { return 1; }       /* NVML_ERROR_UNINITIALIZED */
HIDDEN int ae_no_count(int *n) { if (n) *n = 0; return 0; }
static int not_found(void) { return 500; }      /* CUDA_ERROR_NOT_FOUND */

/* Package cu calls cuInit in its init() and ends the process on an error. This one does nothing, so that a run on the
 * CPU never touches the driver; ae_init does the real thing. It is hidden: other libraries find the driver's own. */
HIDDEN int cuInit(unsigned flags) { (void)flags; return 0; }

void *ae_open(const char *name, char *err, unsigned long nerr) {
  void *h = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!h) {
    const char *why = dlerror();
    snprintf(err, nerr, "%s", why ? why : "dlopen failed");
  }
  return h;
}

void ae_path(void *handle, char *path, unsigned long npath) {
  struct link_map *m = 0;
  path[0] = 0;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &m) == 0 && m && m->l_name) snprintf(path, npath, "%s", m->l_name);
}

const char *ae_fill(int lib, void *handle) {
  const char *missing = 0;
  for (const struct forward *f = ae_forwards; f->name; f++) {
    if (f->lib != lib) continue;
    void *p = dlsym(handle, f->name);
    if (!p && !missing) missing = f->name;
    *f->slot = p ? p : lib == AE_LIB_CUDA ? (void *)not_found : f->fallback;
  }
  return missing;
}

int ae_init(void *handle, char *err, unsigned long nerr) {
  int (*init)(unsigned) = (int (*)(unsigned))dlsym(handle, "cuInit");
  int (*text)(int, const char **) = (int (*)(int, const char **))dlsym(handle, "cuGetErrorString");
  if (!init) {
    snprintf(err, nerr, "the library has no cuInit");
    return -1;
  }
  int code = init(0);
  if (code) {
    const char *s = 0;
    if (text) text(code, &s);
    snprintf(err, nerr, "cuInit: %s (%d)", s ? s : "no text", code);
  }
  return code;
}
