//go:build gpu && cgo

#include "conv_plan.h"
#include <string.h>

/* Runs a call that returns a status; on a failure its name is kept and the function returns. */
#define TRY(f, ...) do { int status = f(__VA_ARGS__); if (status) { *call = #f; return status; } } while (0)

static int tensor(DnnTensor *t, int type, int n, int c, int h, int w, const char **call) {
  int dim[4] = {n, c, h, w}, stride[4] = {c * h * w, h * w, w, 1};
  TRY(cudnnCreateTensorDescriptor, t);
  TRY(cudnnSetTensorNdDescriptor, *t, type, 4, dim, stride);
  return 0;
}

/* Products are summed in float32 whatever the operands are. */
static int describe(const ae_conv_problem *p, ae_conv_plan *plan, const char **call) {
  int status, filter[4] = {p->k, p->c / p->groups, p->r, p->s};
  plan->pass = p->pass;
  if ((status = tensor(&plan->x, p->type, p->n, p->c, p->h, p->w, call)) || (status = tensor(&plan->y, p->type, p->n, p->k, p->p, p->q, call)))
    return status;
  TRY(cudnnCreateFilterDescriptor, &plan->w);
  TRY(cudnnSetFilterNdDescriptor, plan->w, p->type, AE_CUDNN_TENSOR_NCHW, 4, filter);
  TRY(cudnnCreateConvolutionDescriptor, &plan->conv);
  TRY(cudnnSetConvolutionNdDescriptor, plan->conv, 2, p->pad, p->stride, p->dilation, AE_CUDNN_CROSS_CORRELATION, AE_CUDNN_DATA_FLOAT);
  TRY(cudnnSetConvolutionGroupCount, plan->conv, p->groups);
  TRY(cudnnSetConvolutionMathType, plan->conv, p->math);
  return 0;
}

static int search(DnnHandle h, const ae_conv_plan *c, int want, int *got, DnnPerf *found, const char **call) {
  switch (c->pass) {
    case AE_CONV_FORWARD: TRY(cudnnGetConvolutionForwardAlgorithm_v7, h, c->x, c->w, c->conv, c->y, want, got, found); break;
    case AE_CONV_BACKWARD_DATA: TRY(cudnnGetConvolutionBackwardDataAlgorithm_v7, h, c->w, c->y, c->conv, c->x, want, got, found); break;
    default: TRY(cudnnGetConvolutionBackwardFilterAlgorithm_v7, h, c->x, c->y, c->conv, c->w, want, got, found);
  }
  return 0;
}

/* The workspace under our own math type: the search's figure is for the one that it would have chosen. */
static int workspace(DnnHandle h, const ae_conv_plan *c, int algo, size_t *n) {
  switch (c->pass) {
    case AE_CONV_FORWARD: return cudnnGetConvolutionForwardWorkspaceSize(h, c->x, c->w, c->conv, c->y, algo, n);
    case AE_CONV_BACKWARD_DATA: return cudnnGetConvolutionBackwardDataWorkspaceSize(h, c->w, c->y, c->conv, c->x, algo, n);
    default: return cudnnGetConvolutionBackwardFilterWorkspaceSize(h, c->x, c->y, c->conv, c->w, algo, n);
  }
}

/* Whether an algorithm transforms its operands (FFT, Winograd): sums of transformed values cancel, so that the result is off by
 * more than a sum of float32 products is. */
static int transforms(int pass, int algo) {
  static const unsigned which[] = {1 << 4 | 1 << 5 | 1 << 6 | 1 << 7, 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5, 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6};
  return which[pass] >> algo & 1;
}

enum { MOST = 16 };

/* Rows that round operands to half precision are left out, and what is left runs with the problem's math type: with that of
 * float32, which is strict, no transform either. An algorithm may come several times, once a math type: it is taken once. */
int ae_conv_plans(DnnHandle h, const ae_conv_problem *p, int want, ae_conv_plan *plans, int *got, const char **call) {
  DnnPerf found[MOST];
  int n = 0, status, taken = 0;
  *got = 0;
  memset(plans, 0, want * sizeof *plans);
  if ((status = describe(p, &plans[0], call)) || (status = search(h, &plans[0], MOST, &n, found, call))) {
    ae_conv_free(&plans[0]);
    return status;
  }
  for (int i = 0; i < n && *got < want; i++) {
    int deterministic = found[i].determinism == AE_CUDNN_DETERMINISTIC;
    size_t bytes = 0;
    if (found[i].status || found[i].mathType == AE_CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION || taken >> found[i].algo & 1 ||
        (p->deterministic && !deterministic) || (p->math == AE_CUDNN_FMA_MATH && transforms(p->pass, found[i].algo)) ||
        workspace(h, &plans[0], found[i].algo, &bytes) || bytes > p->workspace)
      continue;
    ae_conv_plan *plan = &plans[*got];
    if (*got > 0 && (status = describe(p, plan, call))) { /* each plan has descriptors of its own */
      ae_conv_free(plan);
      break;
    }
    plan->algo = found[i].algo, plan->workspace = bytes, plan->deterministic = deterministic;
    taken |= 1 << found[i].algo;
    ++*got;
  }
  if (*got == 0) {
    ae_conv_free(&plans[0]);
    *call = "the search for a convolution algorithm";
    return AE_CUDNN_STATUS_NOT_SUPPORTED;
  }
  return 0;
}

int ae_conv_run(DnnHandle h, ae_conv_plan *c, uint64_t x, uint64_t w, uint64_t y, uint64_t work, void *stream) {
  static const float one = 1, zero = 0;
  void *X = (void *)x, *W = (void *)w, *Y = (void *)y, *temp = (void *)work;
  int status = cudnnSetStream(h, stream);
  if (status) return status;
  switch (c->pass) {
    case AE_CONV_FORWARD:
      return cudnnConvolutionForward(h, &one, c->x, X, c->w, W, c->conv, c->algo, temp, c->workspace, &zero, c->y, Y);
    case AE_CONV_BACKWARD_DATA:
      return cudnnConvolutionBackwardData(h, &one, c->w, W, c->y, Y, c->conv, c->algo, temp, c->workspace, &zero, c->x, X);
    default:
      return cudnnConvolutionBackwardFilter(h, &one, c->x, X, c->y, Y, c->conv, c->algo, temp, c->workspace, &zero, c->w, W);
  }
}

void ae_conv_free(ae_conv_plan *plan) {
  if (plan->conv) cudnnDestroyConvolutionDescriptor(plan->conv);
  if (plan->w) cudnnDestroyFilterDescriptor(plan->w);
  if (plan->y) cudnnDestroyTensorDescriptor(plan->y);
  if (plan->x) cudnnDestroyTensorDescriptor(plan->x);
  memset(plan, 0, sizeof *plan);
}
