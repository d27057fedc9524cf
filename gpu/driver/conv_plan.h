/* A convolution of cuDNN, described once and run many times: see conv_plan.c. */
#ifndef AE_CONV_PLAN_H
#define AE_CONV_PLAN_H
#include "dnn_api.h"
#include <stdint.h>

enum { AE_CONV_FORWARD, AE_CONV_BACKWARD_DATA, AE_CONV_BACKWARD_FILTER };

typedef struct {
  int pass, n, c, h, w, k, r, s, p, q, pad[2], stride[2], dilation[2], groups, type, math, deterministic;
  size_t workspace;
} ae_conv_problem;

typedef struct {
  DnnTensor x, y;
  DnnFilter w;
  DnnConv conv;
  int pass, algo, deterministic;
  size_t workspace;
} ae_conv_plan;

/* Fills at most want plans, the one that cuDNN thinks fastest first. Returns a status; *call is what failed. */
int ae_conv_plans(DnnHandle h, const ae_conv_problem *p, int want, ae_conv_plan *plans, int *got, const char **call);
/* Addresses are device memory's, as numbers. */
int ae_conv_run(DnnHandle h, ae_conv_plan *plan, uint64_t x, uint64_t w, uint64_t y, uint64_t work, void *stream);
void ae_conv_free(ae_conv_plan *plan);

#endif
