/* A matrix product of cuBLASLt, described once and run many times: see lt_plan.c. */
#ifndef AE_LT_PLAN_H
#define AE_LT_PLAN_H
#include "lt_api.h"

/* C[m,n] = op(A)[m,k] op(B)[k,n], all row-major. */
typedef struct {
  int64_t m, n, k, stride_a, stride_b, stride_c;
  uint64_t workspace;
  uint32_t alignment;
  int batch, trans_a, trans_b, type, compute, epilogue;
} ae_lt_problem;

typedef struct {
  LtDesc desc;
  LtLayout a, b, c;
  LtAlgo algo;
  size_t workspace;
  float waves;
  int has_bias;
  uint64_t bias; /* the last one, as desc has it */
} ae_lt_plan;

/* Fills at most want plans, the one that cuBLASLt thinks fastest first. Returns a status; *call is what failed. */
int ae_lt_plans(LtHandle h, const ae_lt_problem *p, int want, ae_lt_plan *plans, int *got, const char **call);
/* Addresses are device memory's, as numbers. */
int ae_lt_run(LtHandle h, ae_lt_plan *plan, uint64_t a, uint64_t b, uint64_t c, uint64_t bias, uint64_t work, void *stream);
void ae_lt_free(ae_lt_plan *plan);

#endif
