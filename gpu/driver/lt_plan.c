//go:build gpu && cgo

#include "lt_plan.h"
#include <string.h>

/* Runs a call that returns a status; on a failure its name is kept and the function returns. */
#define TRY(f, ...) do { int status = f(__VA_ARGS__); if (status) { *call = #f; return status; } } while (0)

/* A row-major matrix of rows and cols is a column-major one of cols and rows, its transpose. */
static int layout(LtLayout *l, int type, int64_t rows, int64_t cols, int batch, int64_t stride, const char **call) {
  TRY(cublasLtMatrixLayoutCreate, l, type, cols, rows, cols);
  if (batch > 1) {
    int32_t count = batch;
    TRY(cublasLtMatrixLayoutSetAttribute, *l, AE_CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count);
    TRY(cublasLtMatrixLayoutSetAttribute, *l, AE_CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride);
  }
  return 0;
}

/* cuBLASLt is column-major, where our C is C' = op(B)' op(A)': so B is its first operand, A its second, and a bias
 * along our rows is one along its columns, which is what its epilogue adds. */
static int describe(const ae_lt_problem *p, ae_lt_plan *plan, const char **call) {
  TRY(cublasLtMatmulDescCreate, &plan->desc, p->compute, AE_CUDA_R_32F);
  int32_t first = p->trans_b ? AE_CUBLAS_OP_T : AE_CUBLAS_OP_N, second = p->trans_a ? AE_CUBLAS_OP_T : AE_CUBLAS_OP_N;
  uint32_t epilogue = p->epilogue;
  TRY(cublasLtMatmulDescSetAttribute, plan->desc, AE_CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first);
  TRY(cublasLtMatmulDescSetAttribute, plan->desc, AE_CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second);
  TRY(cublasLtMatmulDescSetAttribute, plan->desc, AE_CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
  plan->has_bias = (epilogue & AE_CUBLASLT_EPILOGUE_BIAS) != 0;
  if (plan->has_bias) { /* the search only looks at its alignment */
    plan->bias = p->alignment;
    TRY(cublasLtMatmulDescSetAttribute, plan->desc, AE_CUBLASLT_MATMUL_DESC_BIAS_POINTER, &plan->bias, sizeof plan->bias);
  }
  int status = p->trans_a ? layout(&plan->a, p->type, p->k, p->m, p->batch, p->stride_a, call)
                          : layout(&plan->a, p->type, p->m, p->k, p->batch, p->stride_a, call);
  if (!status)
    status = p->trans_b ? layout(&plan->b, p->type, p->n, p->k, p->batch, p->stride_b, call)
                        : layout(&plan->b, p->type, p->k, p->n, p->batch, p->stride_b, call);
  if (!status) status = layout(&plan->c, AE_CUDA_R_32F, p->m, p->n, p->batch, p->stride_c, call);
  return status;
}

/* A sum that is split over k and added up in place may come in any order; the other ways of splitting have a fixed one. */
static int prefer(const ae_lt_problem *p, LtPreference pref, const char **call) {
  uint32_t schemes = AE_CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | AE_CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE, align = p->alignment;
  TRY(cublasLtMatmulPreferenceSetAttribute, pref, AE_CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &p->workspace, sizeof p->workspace);
  TRY(cublasLtMatmulPreferenceSetAttribute, pref, AE_CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes, sizeof schemes);
  for (int a = AE_CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES; a <= AE_CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES; a++)
    TRY(cublasLtMatmulPreferenceSetAttribute, pref, a, &align, sizeof align);
  return 0;
}

static int search(LtHandle h, const ae_lt_problem *p, const ae_lt_plan *plan, int want, LtHeuristic *found, int *got, const char **call) {
  LtPreference pref = 0;
  TRY(cublasLtMatmulPreferenceCreate, &pref);
  int status = prefer(p, pref, call);
  if (!status) {
    *call = "cublasLtMatmulAlgoGetHeuristic";
    status = cublasLtMatmulAlgoGetHeuristic(h, plan->desc, plan->b, plan->a, plan->c, plan->c, pref, want, found, got);
  }
  cublasLtMatmulPreferenceDestroy(pref);
  return status;
}

enum { MOST = 64 };

int ae_lt_plans(LtHandle h, const ae_lt_problem *p, int want, ae_lt_plan *plans, int *got, const char **call) {
  LtHeuristic found[MOST];
  int n = 0, status;
  *got = 0;
  memset(plans, 0, want * sizeof *plans);
  if ((status = describe(p, &plans[0], call)) || (status = search(h, p, &plans[0], want < MOST ? want : MOST, found, &n, call))) {
    ae_lt_free(&plans[0]);
    return status;
  }
  for (int i = 0; i < n; i++) {
    if (found[i].state || found[i].workspaceSize > p->workspace) continue;
    ae_lt_plan *plan = &plans[*got];
    if (*got > 0 && (status = describe(p, plan, call))) { /* each plan has descriptors of its own */
      ae_lt_free(plan);
      break;
    }
    plan->algo = found[i].algo, plan->workspace = found[i].workspaceSize, plan->waves = found[i].wavesCount;
    ++*got;
  }
  if (*got == 0) {
    ae_lt_free(&plans[0]);
    *call = "cublasLtMatmulAlgoGetHeuristic";
    return status ? status : AE_CUBLAS_STATUS_NOT_SUPPORTED;
  }
  return 0;
}

int ae_lt_run(LtHandle h, ae_lt_plan *plan, uint64_t a, uint64_t b, uint64_t c, uint64_t bias, uint64_t work, void *stream) {
  static const float one = 1, zero = 0;
  if (plan->has_bias && bias != plan->bias) {
    int status = cublasLtMatmulDescSetAttribute(plan->desc, AE_CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
    if (status) return status;
    plan->bias = bias;
  }
  void *d = (void *)c;
  return cublasLtMatmul(h, plan->desc, &one, (void *)b, plan->b, (void *)a, plan->a, &zero, d, plan->c, d, plan->c,
                        &plan->algo, (void *)work, plan->workspace, stream);
}

void ae_lt_free(ae_lt_plan *plan) {
  if (plan->c) cublasLtMatrixLayoutDestroy(plan->c);
  if (plan->b) cublasLtMatrixLayoutDestroy(plan->b);
  if (plan->a) cublasLtMatrixLayoutDestroy(plan->a);
  if (plan->desc) cublasLtMatmulDescDestroy(plan->desc);
  memset(plan, 0, sizeof *plan);
}
