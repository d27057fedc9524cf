/* Compares our small headers of one of NVIDIA's libraries with its own, while compiling: see check_api.sh, which also
 * makes uses.h and renames.h from the list of functions that we use. */
#include <stddef.h>

#define SAME(name) _Static_assert((int)AE_##name == (int)name, #name)
#define LAYOUT(ours, theirs) _Static_assert(sizeof(ours) == sizeof(theirs), #theirs)
#define FIELD(ours, theirs, field) _Static_assert(offsetof(ours, field) == offsetof(theirs, field), #theirs "." #field)

#ifdef CHECK_LT
#include <cublasLt.h>
#include "uses.h"
#include "renames.h"
#include "../driver/lt_api.h"
SAME(CUDA_R_32F); SAME(CUDA_R_16BF); SAME(CUBLAS_OP_N); SAME(CUBLAS_OP_T);
SAME(CUBLAS_STATUS_ALLOC_FAILED); SAME(CUBLAS_STATUS_NOT_SUPPORTED);
SAME(CUBLAS_COMPUTE_32F); SAME(CUBLAS_COMPUTE_32F_FAST_TF32);
SAME(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT); SAME(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
SAME(CUBLASLT_MATMUL_DESC_TRANSA); SAME(CUBLASLT_MATMUL_DESC_TRANSB); SAME(CUBLASLT_MATMUL_DESC_EPILOGUE);
SAME(CUBLASLT_MATMUL_DESC_BIAS_POINTER);
SAME(CUBLASLT_EPILOGUE_DEFAULT); SAME(CUBLASLT_EPILOGUE_RELU); SAME(CUBLASLT_EPILOGUE_BIAS); SAME(CUBLASLT_EPILOGUE_RELU_BIAS);
SAME(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE); SAME(CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE);
SAME(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES); SAME(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
SAME(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES); SAME(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
SAME(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES); SAME(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
LAYOUT(LtAlgo, cublasLtMatmulAlgo_t);
LAYOUT(LtHeuristic, cublasLtMatmulHeuristicResult_t);
FIELD(LtHeuristic, cublasLtMatmulHeuristicResult_t, workspaceSize);
FIELD(LtHeuristic, cublasLtMatmulHeuristicResult_t, state);
FIELD(LtHeuristic, cublasLtMatmulHeuristicResult_t, wavesCount);
#endif

#ifdef CHECK_DNN
#include <cudnn.h>
#include "uses.h"
#include "renames.h"
#include "../driver/dnn_api.h"
_Static_assert(CUDNN_MAJOR == 9, "libcudnn.so.9 is what is opened");
SAME(CUDNN_STATUS_NOT_SUPPORTED);
SAME(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED); SAME(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED);
SAME(CUDNN_DATA_FLOAT); SAME(CUDNN_DATA_BFLOAT16); SAME(CUDNN_TENSOR_NCHW); SAME(CUDNN_CROSS_CORRELATION);
SAME(CUDNN_DEFAULT_MATH); SAME(CUDNN_TENSOR_OP_MATH); SAME(CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION); SAME(CUDNN_FMA_MATH);
SAME(CUDNN_DETERMINISTIC);
#define PERF(theirs)                      \
  LAYOUT(DnnPerf, theirs);                \
  FIELD(DnnPerf, theirs, status);         \
  FIELD(DnnPerf, theirs, memory);         \
  FIELD(DnnPerf, theirs, determinism);    \
  FIELD(DnnPerf, theirs, mathType)
PERF(cudnnConvolutionFwdAlgoPerf_t);
PERF(cudnnConvolutionBwdDataAlgoPerf_t);
PERF(cudnnConvolutionBwdFilterAlgoPerf_t);
/* The order of the names in conv.go. */
#define ALGO(name, number) _Static_assert((int)CUDNN_CONVOLUTION_##name == number, #name)
ALGO(FWD_ALGO_IMPLICIT_GEMM, 0); ALGO(FWD_ALGO_IMPLICIT_PRECOMP_GEMM, 1); ALGO(FWD_ALGO_GEMM, 2); ALGO(FWD_ALGO_DIRECT, 3);
ALGO(FWD_ALGO_FFT, 4); ALGO(FWD_ALGO_FFT_TILING, 5); ALGO(FWD_ALGO_WINOGRAD, 6); ALGO(FWD_ALGO_WINOGRAD_NONFUSED, 7);
ALGO(BWD_DATA_ALGO_0, 0); ALGO(BWD_DATA_ALGO_1, 1); ALGO(BWD_DATA_ALGO_FFT, 2); ALGO(BWD_DATA_ALGO_FFT_TILING, 3);
ALGO(BWD_DATA_ALGO_WINOGRAD, 4); ALGO(BWD_DATA_ALGO_WINOGRAD_NONFUSED, 5);
ALGO(BWD_FILTER_ALGO_0, 0); ALGO(BWD_FILTER_ALGO_1, 1); ALGO(BWD_FILTER_ALGO_FFT, 2); ALGO(BWD_FILTER_ALGO_3, 3);
ALGO(BWD_FILTER_ALGO_WINOGRAD, 4); ALGO(BWD_FILTER_ALGO_WINOGRAD_NONFUSED, 5); ALGO(BWD_FILTER_ALGO_FFT_TILING, 6);
#endif

#ifdef CHECK_NVRTC
#include <nvrtc.h>
#include "uses.h"
#include "renames.h"
#include "../driver/nvrtc_api.h"
SAME(NVRTC_ERROR_OUT_OF_MEMORY); SAME(NVRTC_ERROR_COMPILATION);
LAYOUT(NvrtcProgram, nvrtcProgram);
#endif

#ifdef CHECK_NVML
#include <nvml.h>
#include "uses.h"
#include "renames.h"
#include "../driver/nvml_api.h"
SAME(NVML_SUCCESS);
LAYOUT(NvmlDevice, nvmlDevice_t);
#endif
