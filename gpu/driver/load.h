/* Loading of NVIDIA's libraries: what libraries.go and load.go call. */
#ifndef AE_LOAD_H
#define AE_LOAD_H

/* The libraries, as the forwarders' table numbers them. */
enum { AE_LIB_CUDA = 0, AE_LIB_LT = 1, AE_LIB_DNN = 2, AE_LIB_NVRTC = 3, AE_LIB_NVML = 4 };

/* Opens a library by name or path. Returns its handle, or null with the loader's message in err. */
void *ae_open(const char *name, char *err, unsigned long nerr);

/* Writes the path that the loader took for an open library. */
void ae_path(void *handle, char *path, unsigned long npath);

/* Points the forwarders of a library at an open one. Returns the first name that it lacks, or null.
 * The driver may lack names (an old one): calling such a one returns CUDA_ERROR_NOT_FOUND. */
const char *ae_fill(int lib, void *handle);

/* Runs the cuInit of an open libcuda. Returns its status, with the driver's text in err. */
int ae_init(void *handle, char *err, unsigned long nerr);

#endif
