//go:build gpu && cgo

#include "current.h"

/* The thread's context, as set here: nobody else sets it. Remembering it saves a call of the driver each time. */
static __thread ae_current current;

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
