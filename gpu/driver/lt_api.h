/* The part of cuBLASLt's C interface that this package uses, so that building needs no cublasLt.h (which comes in a
 * package of half a gigabyte). gpu/tools/check_api.c compares it with the real header. */
#ifndef AE_LT_API_H
#define AE_LT_API_H
#include <stddef.h>
#include <stdint.h>

typedef struct ae_lt *LtHandle;
typedef void *LtDesc, *LtLayout, *LtPreference;
typedef struct { uint64_t data[8]; } LtAlgo;
typedef struct { LtAlgo algo; size_t workspaceSize; int state; float wavesCount; int reserved[4]; } LtHeuristic;

enum {
  AE_CUDA_R_32F = 0, AE_CUDA_R_16BF = 14,
  AE_CUBLAS_OP_N = 0, AE_CUBLAS_OP_T = 1,
  AE_CUBLAS_STATUS_ALLOC_FAILED = 3, AE_CUBLAS_STATUS_NOT_SUPPORTED = 15,
  AE_CUBLAS_COMPUTE_32F = 68, AE_CUBLAS_COMPUTE_32F_FAST_TF32 = 77,
  AE_CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT = 5, AE_CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET = 6,
  AE_CUBLASLT_MATMUL_DESC_TRANSA = 3, AE_CUBLASLT_MATMUL_DESC_TRANSB = 4, AE_CUBLASLT_MATMUL_DESC_EPILOGUE = 7,
  AE_CUBLASLT_MATMUL_DESC_BIAS_POINTER = 8,
  AE_CUBLASLT_EPILOGUE_DEFAULT = 1, AE_CUBLASLT_EPILOGUE_RELU = 2, AE_CUBLASLT_EPILOGUE_BIAS = 4, AE_CUBLASLT_EPILOGUE_RELU_BIAS = 6,
  AE_CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE = 2, AE_CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE = 4,
  AE_CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1, AE_CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK = 3,
  AE_CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES = 5, AE_CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES = 6,
  AE_CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES = 7, AE_CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES = 8
};

int cublasLtCreate(LtHandle *);
int cublasLtDestroy(LtHandle);
size_t cublasLtGetVersion(void);
const char *cublasLtGetStatusString(int);
int cublasLtMatmulDescCreate(LtDesc *, int compute, int scale);
int cublasLtMatmulDescDestroy(LtDesc);
int cublasLtMatmulDescSetAttribute(LtDesc, int, const void *, size_t);
int cublasLtMatrixLayoutCreate(LtLayout *, int type, uint64_t rows, uint64_t cols, int64_t ld);
int cublasLtMatrixLayoutDestroy(LtLayout);
int cublasLtMatrixLayoutSetAttribute(LtLayout, int, const void *, size_t);
int cublasLtMatmulPreferenceCreate(LtPreference *);
int cublasLtMatmulPreferenceDestroy(LtPreference);
int cublasLtMatmulPreferenceSetAttribute(LtPreference, int, const void *, size_t);
int cublasLtMatmulAlgoGetHeuristic(LtHandle, LtDesc, LtLayout a, LtLayout b, LtLayout c, LtLayout d, LtPreference, int want, LtHeuristic *, int *got);
int cublasLtMatmul(LtHandle, LtDesc, const void *alpha, const void *A, LtLayout, const void *B, LtLayout, const void *beta,
                   const void *C, LtLayout, void *D, LtLayout, const LtAlgo *, void *work, size_t nwork, void *stream);
#endif
