// Pointwise ops: one function each, by the definition of its file in package op. The chain interpreter (chain.cu) and the
// kernels that are generated for one chain (gpu/chain_source.go) call the same functions.
//
// Numbers: NaN stays NaN, infinities and the sign of zero come out as in the float64 definition; exponentials never overflow
// where the result does not. There is no fast-math form. Booleans are 1 and 0; a condition holds where it is not 0, so at NaN too.
// Attributes of an op follow its operands, in the order of gpu/chain_ops.go. Integers are int; uint8 is an int of 0 to 255.
#pragma once
#include "prelude.h"

#define POINT __device__ __forceinline__ float

POINT point_truth(bool is) { return is ? 1.0f : 0.0f; }

// Arithmetic.
POINT point_add(float a, float b) { return a + b; }
POINT point_sub(float a, float b) { return a - b; }
POINT point_mul(float a, float b) { return a * b; }
POINT point_div(float a, float b) { return a / b; }
POINT point_pow(float a, float b) { return powf(a, b); }
POINT point_neg(float x) { return -x; }
POINT point_abs(float x) { return fabsf(x); }
POINT point_square(float x) { return x * x; }
POINT point_sqrt(float x) { return sqrtf(x); }
POINT point_rsqrt(float x) { return rsqrtf(x); }
POINT point_reciprocal(float x) { return 1.0f / x; }
POINT point_scale(float x, float c) { return c * x; }
POINT point_add_const(float x, float c) { return x + c; }
POINT point_move(float x) { return x; }
POINT point_squared_error(float a, float b) {
  float d = a - b;
  return d * d;
}

// Order. Of two zeros the maximum is the positive one, the minimum the negative one.
POINT point_maximum(float a, float b) {
  if (a > b) return a;
  if (a < b) return b;
  return a == b ? __int_as_float(__float_as_int(a) & __float_as_int(b)) : a + b;
}
POINT point_minimum(float a, float b) {
  if (a < b) return a;
  if (a > b) return b;
  return a == b ? __int_as_float(__float_as_int(a) | __float_as_int(b)) : a + b;
}
POINT point_clamp(float x, float lo, float hi) { return x < lo ? lo : x > hi ? hi : x; }
POINT point_greater(float a, float b) { return point_truth(a > b); }
POINT point_greater_equal(float a, float b) { return point_truth(a >= b); }
POINT point_less(float a, float b) { return point_truth(a < b); }
POINT point_less_equal(float a, float b) { return point_truth(a <= b); }
POINT point_equal(float a, float b) { return point_truth(a == b); }
POINT point_not_equal(float a, float b) { return point_truth(a != b); }
POINT point_select(float cond, float a, float b) { return cond != 0.0f ? a : b; }
POINT point_is_finite(float x) { return point_truth(x - x == 0.0f); }
POINT point_sign(float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x; }
POINT point_floor(float x) { return floorf(x); }
POINT point_round(float x) { return rintf(x); }

// Elementary functions.
POINT point_exp(float x) { return expf(x); }
POINT point_expm1(float x) { return expm1f(x); }
POINT point_log(float x) { return logf(x); }
POINT point_log1p(float x) { return log1pf(x); }
POINT point_sin(float x) { return sinf(x); }
POINT point_cos(float x) { return cosf(x); }
POINT point_tanh(float x) { return tanhf(x); }
POINT point_erf(float x) { return erff(x); }

// Activations.
POINT point_sigmoid(float x) {
  float e = expf(-fabsf(x)), r = 1.0f / (1.0f + e);
  return x < 0.0f ? e * r : r;
}
POINT point_relu(float x) { return x <= 0.0f ? 0.0f : x; }
POINT point_leaky_relu(float x, float slope) { return x > 0.0f ? x : slope * x; }
POINT point_elu(float x, float alpha) { return x > 0.0f ? x : alpha * expm1f(x); }
POINT point_softplus(float x) { return point_relu(x) + log1pf(expf(-fabsf(x))); }
// The distribution function of the normal distribution, exact in its lower tail too: erfc, not 1 + erf.
POINT point_normal_cdf(float x) { return 0.5f * erfcf(-0.70710678118654752f * x); }
POINT point_gelu(float x) { return x * point_normal_cdf(x); }
POINT point_silu(float x) { return x * point_sigmoid(x); }

// Gradients of activations: of the result y where that is enough, else of the input x.
POINT point_relu_grad(float y, float dy) { return y > 0.0f ? dy : 0.0f; }
POINT point_leaky_relu_grad(float y, float dy, float slope) { return y > 0.0f ? dy : slope * dy; }
POINT point_elu_grad(float y, float dy, float alpha) { return y > 0.0f ? dy : dy * (y + alpha); }
POINT point_sigmoid_grad(float y, float dy) { return dy * y * (1.0f - y); }
POINT point_tanh_grad(float y, float dy) { return dy * fmaf(-y, y, 1.0f); }
POINT point_gelu_grad(float x, float dy) {
  return dy * (point_normal_cdf(x) + x * (expf(-0.5f * x * x) * 0.39894228040143268f));
}
POINT point_silu_grad(float x, float dy) {
  float s = point_sigmoid(x);
  return dy * s * (1.0f + x * (1.0f - s));
}

// max(l, 0) - l·t + log(1 + exp(-|l|)).
POINT point_bce_with_logits(float l, float t) { return point_relu(l) - l * t + log1pf(expf(-fabsf(l))); }

// Integers wrap around. A number that an int does not hold becomes -2^31, as NaN does; bytes are limited to 0 and 255.
__device__ __forceinline__ int point_int_of_float(float x) {
  return x > -2147483904.0f && x < 2147483648.0f ? (int)x : (int)0x80000000;
}
__device__ __forceinline__ int point_byte_of_float(float x) { return x > 0.0f ? (x < 255.0f ? (int)x : 255) : 0; }
__device__ __forceinline__ int point_byte_of_int(int x) { return x > 0 ? (x < 255 ? x : 255) : 0; }
POINT point_float_of_int(int x) { return (float)x; }
__device__ __forceinline__ int point_int_of_int(int x) { return x; }
__device__ __forceinline__ int point_increment(int x) { return (int)((unsigned)x + 1u); }
__device__ __forceinline__ int point_add_int(int a, int b) { return (int)((unsigned)a + (unsigned)b); }

// Optimisers' steps: new values of the parameter p and of its moments, from the gradient g; the old ones where ok is 0.
// What depends on scalars alone (step sizes, corrections) the compiler takes out of loops.
POINT point_keep(float ok, float was, float is) { return ok != 0.0f ? is : was; }

__device__ __forceinline__ void point_sgd(float& p2, float p, float g, float lr, float ok, float decay) {
  p2 = point_keep(ok, p, p - lr * (g + decay * p));
}

__device__ __forceinline__ void point_momentum(float& p2, float& v2, float p, float v, float g, float lr, float ok, float momentum, float decay) {
  float w = momentum * v + (g + decay * p);
  p2 = point_keep(ok, p, p - lr * w);
  v2 = point_keep(ok, v, w);
}

__device__ __forceinline__ void point_nesterov(float& p2, float& v2, float p, float v, float g, float lr, float ok, float momentum, float decay) {
  float d = g + decay * p, w = momentum * v + d;
  p2 = point_keep(ok, p, p - lr * (d + momentum * w));
  v2 = point_keep(ok, v, w);
}

// rest is 1 - alpha, rounded once.
__device__ __forceinline__ void point_rmsprop(float& p2, float& v2, float p, float v, float g, float lr, float ok, float alpha, float rest, float eps, float decay) {
  float d = g + decay * p, w = alpha * v + rest * d * d;
  p2 = point_keep(ok, p, p - lr * d / (sqrtf(w) + eps));
  v2 = point_keep(ok, v, w);
}

__device__ __forceinline__ void point_rmsprop_momentum(float& p2, float& v2, float& b2, float p, float v, float b, float g, float lr, float ok, float alpha, float rest, float eps, float decay, float momentum) {
  float d = g + decay * p, w = alpha * v + rest * d * d, c = momentum * b + d / (sqrtf(w) + eps);
  p2 = point_keep(ok, p, p - lr * c);
  v2 = point_keep(ok, v, w);
  b2 = point_keep(ok, b, c);
}

// c1 and c2 are the corrections 1 - beta^t; rest1 and rest2 are 1 - beta, rounded once.
__device__ __forceinline__ void point_adam(float& p2, float& m2, float& v2, float p, float m, float v, float g, float lr, float c1, float c2, float ok, float beta1, float rest1, float beta2, float rest2, float eps, float decay) {
  float step = lr / c1, root = 1.0f / sqrtf(c2), d = g + decay * p;
  float n = beta1 * m + rest1 * d, w = beta2 * v + rest2 * d * d;
  p2 = point_keep(ok, p, p - step * n / (sqrtf(w) * root + eps));
  m2 = point_keep(ok, m, n);
  v2 = point_keep(ok, v, w);
}

__device__ __forceinline__ void point_adamw(float& p2, float& m2, float& v2, float p, float m, float v, float g, float lr, float c1, float c2, float ok, float beta1, float rest1, float beta2, float rest2, float eps, float decay) {
  float step = lr / c1, root = 1.0f / sqrtf(c2);
  float n = beta1 * m + rest1 * g, w = beta2 * v + rest2 * g * g;
  p2 = point_keep(ok, p, p - lr * decay * p - step * n / (sqrtf(w) * root + eps));
  m2 = point_keep(ok, m, n);
  v2 = point_keep(ok, v, w);
}
