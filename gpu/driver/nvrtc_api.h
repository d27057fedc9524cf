/* The part of NVRTC's C interface that this package uses. gpu/tools/check_api.c compares it with the real header. */
#ifndef AE_NVRTC_API_H
#define AE_NVRTC_API_H
#include <stddef.h>

typedef void *NvrtcProgram;
enum { AE_NVRTC_ERROR_OUT_OF_MEMORY = 1, AE_NVRTC_ERROR_COMPILATION = 6 };

int nvrtcVersion(int *major, int *minor);
const char *nvrtcGetErrorString(int);
int nvrtcGetNumSupportedArchs(int *);
int nvrtcGetSupportedArchs(int *);
int nvrtcCreateProgram(NvrtcProgram *, const char *source, const char *name, int nheaders, const char *const *headers, const char *const *names);
int nvrtcDestroyProgram(NvrtcProgram *);
int nvrtcCompileProgram(NvrtcProgram, int noptions, const char *const *options);
int nvrtcGetProgramLogSize(NvrtcProgram, size_t *);
int nvrtcGetProgramLog(NvrtcProgram, char *);
int nvrtcGetPTXSize(NvrtcProgram, size_t *);
int nvrtcGetPTX(NvrtcProgram, char *);
int nvrtcGetCUBINSize(NvrtcProgram, size_t *);
int nvrtcGetCUBIN(NvrtcProgram, char *);
#endif
