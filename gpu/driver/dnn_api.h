/* The part of cuDNN 9's C interface that this package uses: its legacy convolution calls, which cuDNN 9 declares,
 * exports and calls deprecated; all use of them is in dnn.go, conv.go and conv_plan.c. Building needs no cudnn.h (which comes in a
 * package of half a gigabyte). gpu/tools/check_api.c compares this with the real header. */
#ifndef AE_DNN_API_H
#define AE_DNN_API_H
#include <stddef.h>

typedef void *DnnHandle, *DnnTensor, *DnnFilter, *DnnConv;
typedef struct { int algo, status; float time; size_t memory; int determinism, mathType, reserved[3]; } DnnPerf;

enum {
  AE_CUDNN_STATUS_NOT_SUPPORTED = 3000,
  AE_CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED = 4003, AE_CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED = 4004,
  AE_CUDNN_DATA_FLOAT = 0, AE_CUDNN_DATA_BFLOAT16 = 9, AE_CUDNN_TENSOR_NCHW = 0, AE_CUDNN_CROSS_CORRELATION = 1,
  AE_CUDNN_DEFAULT_MATH = 0, AE_CUDNN_TENSOR_OP_MATH = 1, AE_CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION = 2, AE_CUDNN_FMA_MATH = 3,
  AE_CUDNN_DETERMINISTIC = 1
};

size_t cudnnGetVersion(void);
size_t cudnnGetCudartVersion(void);
const char *cudnnGetErrorString(int);
void cudnnGetLastErrorString(char *message, size_t);
int cudnnCreate(DnnHandle *);
int cudnnDestroy(DnnHandle);
int cudnnSetStream(DnnHandle, void *);
int cudnnCreateTensorDescriptor(DnnTensor *);
int cudnnDestroyTensorDescriptor(DnnTensor);
int cudnnSetTensorNdDescriptor(DnnTensor, int type, int nd, const int *dim, const int *stride);
int cudnnCreateFilterDescriptor(DnnFilter *);
int cudnnDestroyFilterDescriptor(DnnFilter);
int cudnnSetFilterNdDescriptor(DnnFilter, int type, int format, int nd, const int *dim);
int cudnnCreateConvolutionDescriptor(DnnConv *);
int cudnnDestroyConvolutionDescriptor(DnnConv);
int cudnnSetConvolutionNdDescriptor(DnnConv, int n, const int *pad, const int *stride, const int *dilation, int mode, int type);
int cudnnSetConvolutionMathType(DnnConv, int);
int cudnnSetConvolutionGroupCount(DnnConv, int);
int cudnnGetConvolutionForwardAlgorithm_v7(DnnHandle, DnnTensor x, DnnFilter w, DnnConv, DnnTensor y, int want, int *got, DnnPerf *);
int cudnnGetConvolutionBackwardDataAlgorithm_v7(DnnHandle, DnnFilter w, DnnTensor dy, DnnConv, DnnTensor dx, int want, int *got, DnnPerf *);
int cudnnGetConvolutionBackwardFilterAlgorithm_v7(DnnHandle, DnnTensor x, DnnTensor dy, DnnConv, DnnFilter dw, int want, int *got, DnnPerf *);
int cudnnGetConvolutionForwardWorkspaceSize(DnnHandle, DnnTensor x, DnnFilter w, DnnConv, DnnTensor y, int algo, size_t *);
int cudnnGetConvolutionBackwardDataWorkspaceSize(DnnHandle, DnnFilter w, DnnTensor dy, DnnConv, DnnTensor dx, int algo, size_t *);
int cudnnGetConvolutionBackwardFilterWorkspaceSize(DnnHandle, DnnTensor x, DnnTensor dy, DnnConv, DnnFilter dw, int algo, size_t *);
int cudnnConvolutionForward(DnnHandle, const void *alpha, DnnTensor, const void *x, DnnFilter, const void *w, DnnConv, int algo,
                            void *work, size_t nwork, const void *beta, DnnTensor, void *y);
int cudnnConvolutionBackwardData(DnnHandle, const void *alpha, DnnFilter, const void *w, DnnTensor, const void *dy, DnnConv, int algo,
                                 void *work, size_t nwork, const void *beta, DnnTensor, void *dx);
int cudnnConvolutionBackwardFilter(DnnHandle, const void *alpha, DnnTensor, const void *x, DnnTensor, const void *dy, DnnConv, int algo,
                                   void *work, size_t nwork, const void *beta, DnnFilter, void *dw);
#endif
