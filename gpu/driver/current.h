/* Which context the calling thread has: see current.c. */
#ifndef AE_CURRENT_H
#define AE_CURRENT_H
#include <cuda.h>

/* A context while it is open; generation numbers are never used twice. */
typedef struct { CUcontext context; unsigned long long generation; } ae_current;

/* Makes c the thread's context, at no cost where it is already, and writes what was there before. */
CUresult ae_enter(ae_current c, ae_current *before);

/* Gives the thread its former context back. */
void ae_leave(ae_current before);

#endif
