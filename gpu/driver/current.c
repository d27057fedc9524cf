//go:build gpu && cgo

#include "current.h"

/* The thread's context, as set here: nobody else sets it. Remembering it saves a call of the driver each time. The model
 * is right for a program, and for anything that is there when the program starts. */
static __thread ae_current current __attribute__((tls_model("initial-exec")));

CUresult ae_enter(ae_current c, ae_current *before) {
  *before = current;
  if (current.generation == c.generation) return CUDA_SUCCESS;
  CUresult code = cuCtxSetCurrent(c.context);
  if (code == CUDA_SUCCESS) current = c;
  return code;
}

void ae_leave(ae_current before) {
  if (before.generation == current.generation || !before.context) return;
  if (cuCtxSetCurrent(before.context) == CUDA_SUCCESS) current = before;
}
