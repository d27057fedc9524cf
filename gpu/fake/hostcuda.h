// Enough CUDA C++ for the project's kernels to be compiled by g++ and run by the fake driver.
// A block's threads are fibers of one OS thread; blocks run one after another.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __noinline__ __attribute__((noinline))
#define __align__(n) alignas(n)
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define __constant__ static
// Static shared arrays of a file live in one section, so that the driver can find and poison them. HOSTCUDA_UNIT is the file's name.
#define HOSTCUDA_TEXT2(x) #x
#define HOSTCUDA_TEXT(x) HOSTCUDA_TEXT2(x)
#define HOSTCUDA_JOIN2(a, b) a##b
#define HOSTCUDA_JOIN(a, b) HOSTCUDA_JOIN2(a, b)
#define HOSTCUDA_SHARED HOSTCUDA_JOIN(hostshared_, HOSTCUDA_UNIT)
#define __shared__ static __attribute__((section(HOSTCUDA_TEXT(HOSTCUDA_SHARED)), used))
#ifdef HOSTCUDA_UNIT
extern "C" char HOSTCUDA_JOIN(__start_, HOSTCUDA_SHARED)[] __attribute__((weak, visibility("hidden")));
extern "C" char HOSTCUDA_JOIN(__stop_, HOSTCUDA_SHARED)[] __attribute__((weak, visibility("hidden")));
#endif
#define EXTERN_SHARED(T, name) T* name = (T*)hostcuda::dyn_shared()

struct dim3 { unsigned x, y, z; };
#define HOSTCUDA_VECTOR(T, name, n2, n4)                                                   \
  struct alignas(n2) name##2 { T x, y; };                                                  \
  struct name##3 { T x, y, z; };                                                           \
  struct alignas(n4) name##4 { T x, y, z, w; };                                            \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }                               \
  inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }                       \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
HOSTCUDA_VECTOR(float, float, 8, 16)
HOSTCUDA_VECTOR(int, int, 8, 16)
HOSTCUDA_VECTOR(unsigned, uint, 8, 16)
HOSTCUDA_VECTOR(double, double, 16, 16)
HOSTCUDA_VECTOR(unsigned char, uchar, 2, 4)
HOSTCUDA_VECTOR(unsigned short, ushort, 4, 8)
#undef HOSTCUDA_VECTOR

namespace hostcuda {
struct Thread { dim3 tid; unsigned lin; };
extern Thread* cur;         // the running fiber
extern dim3 g_blockIdx, g_blockDim, g_gridDim;
void* dyn_shared();
void sync_block();
// publishes 8 bytes, waits for every live lane of mask, returns lane src's bytes (own when src is out of range)
uint64_t warp_xchg(unsigned mask, uint64_t v, int src);
// the lanes of mask, still running, whose p is true
unsigned warp_ballot(unsigned mask, bool p);

typedef void (*Invoke)(void** args);
struct Kernel {
  const char* name;
  Invoke run;
  int nparam;
  const unsigned* size;  // bytes of each parameter
  const bool* isptr;
  char *shared, *shared_end;  // the static shared arrays of the kernel's file
  Kernel* next;
};
extern Kernel* hostcuda_kernels;

template <class... A, size_t... I>
inline void call(void (*f)(A...), void** p, std::index_sequence<I...>) { f(*(std::remove_reference_t<A>*)p[I]...); }
template <auto F> struct Reg;
template <class... A, void (*F)(A...)> struct Reg<F> {
  static constexpr unsigned size[] = {sizeof(A)..., 0};
  static constexpr bool isptr[] = {std::is_pointer_v<A>..., false};
  static void run(void** p) { call(F, p, std::index_sequence_for<A...>()); }
  Kernel k;
  Reg(const char* n, char* shared, char* end) : k{n, run, (int)sizeof...(A), size, isptr, shared, end, hostcuda_kernels} { hostcuda_kernels = &k; }
};
#define HOSTCUDA_KERNEL(f) \
  static hostcuda::Reg<f> reg_##f(#f, HOSTCUDA_JOIN(__start_, HOSTCUDA_SHARED), HOSTCUDA_JOIN(__stop_, HOSTCUDA_SHARED));
template <class T> inline T shfl(unsigned m, T v, int src) {
  static_assert(sizeof(T) <= 8, "shuffle of a wide type");
  uint64_t b = 0; std::memcpy(&b, &v, sizeof v);
  b = warp_xchg(m, b, src); std::memcpy(&v, &b, sizeof v); return v;
}
inline int lane() { return cur->lin & 31; }
}  // namespace hostcuda

#define threadIdx (hostcuda::cur->tid)
#define blockIdx hostcuda::g_blockIdx
#define blockDim hostcuda::g_blockDim
#define gridDim hostcuda::g_gridDim
#define warpSize 32
inline void __syncthreads() { hostcuda::sync_block(); }
inline void __syncwarp(unsigned m = ~0u) { hostcuda::warp_xchg(m, 0, -1); }
template <class T> inline T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32) {
  int l = hostcuda::lane(), s = l + (int)d; return hostcuda::shfl(m, v, (s / w == l / w) ? s : l); }
template <class T> inline T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32) {
  int l = hostcuda::lane(), s = l - (int)d; return hostcuda::shfl(m, v, s >= l / w * w ? s : l); }
template <class T> inline T __shfl_xor_sync(unsigned m, T v, int x, int w = 32) {
  int l = hostcuda::lane(), s = l ^ x; return hostcuda::shfl(m, v, (s / w <= l / w) ? s : l); }
template <class T> inline T __shfl_sync(unsigned m, T v, int s, int w = 32) {
  int l = hostcuda::lane(); return hostcuda::shfl(m, v, l / w * w + (s & (w - 1))); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((uint64_t)a * b) >> 32); }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }

// Operations rounded on their own: the barrier keeps g++ from making one fused operation of two.
#if defined(__x86_64__)
#define HOSTCUDA_ROUNDED(v) asm("" : "+x"(v))
#else
#define HOSTCUDA_ROUNDED(v) asm("" : "+w"(v))
#endif
inline float __fmul_rn(float x, float y) { float r = x * y; HOSTCUDA_ROUNDED(r); return r; }
inline float __fadd_rn(float x, float y) { float r = x + y; HOSTCUDA_ROUNDED(r); return r; }
inline float __fsub_rn(float x, float y) { float r = x - y; HOSTCUDA_ROUNDED(r); return r; }
inline float __fdiv_rn(float x, float y) { float r = x / y; HOSTCUDA_ROUNDED(r); return r; }
inline float __fsqrt_rn(float x) { float r = sqrtf(x); HOSTCUDA_ROUNDED(r); return r; }
inline float __frcp_rn(float x) { return __fdiv_rn(1.0f, x); }
inline float __fmaf_rn(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline double __dmul_rn(double x, double y) { double r = x * y; HOSTCUDA_ROUNDED(r); return r; }
inline double __dadd_rn(double x, double y) { double r = x + y; HOSTCUDA_ROUNDED(r); return r; }
inline double __dsub_rn(double x, double y) { double r = x - y; HOSTCUDA_ROUNDED(r); return r; }
inline double __ddiv_rn(double x, double y) { double r = x / y; HOSTCUDA_ROUNDED(r); return r; }
inline double __dsqrt_rn(double x) { double r = sqrt(x); HOSTCUDA_ROUNDED(r); return r; }
inline double __fma_rn(double x, double y, double z) { return __builtin_fma(x, y, z); }

// Bit patterns and conversions; out of range saturates and NaN gives 0, as PTX's cvt does.
template <class To, class From> inline To hostcuda_bits(From v) { static_assert(sizeof(To) == sizeof(From)); To r; std::memcpy(&r, &v, sizeof r); return r; }
inline unsigned __float_as_uint(float x) { return hostcuda_bits<unsigned>(x); }
inline int __float_as_int(float x) { return hostcuda_bits<int>(x); }
inline float __uint_as_float(unsigned x) { return hostcuda_bits<float>(x); }
inline float __int_as_float(int x) { return hostcuda_bits<float>(x); }
inline long long __double_as_longlong(double x) { return hostcuda_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return hostcuda_bits<double>(x); }
template <class I> inline I hostcuda_saturate(double x) {
  if (x != x) return 0;
  if (x <= (double)std::numeric_limits<I>::min()) return std::numeric_limits<I>::min();
  if (x >= (double)std::numeric_limits<I>::max()) return std::numeric_limits<I>::max();
  return (I)x;
}
inline int __float2int_rn(float x) { return hostcuda_saturate<int>(nearbyintf(x)); }
inline int __float2int_rz(float x) { return hostcuda_saturate<int>(truncf(x)); }
inline int __float2int_rd(float x) { return hostcuda_saturate<int>(floorf(x)); }
inline int __float2int_ru(float x) { return hostcuda_saturate<int>(ceilf(x)); }
inline unsigned __float2uint_rn(float x) { return hostcuda_saturate<unsigned>(nearbyintf(x)); }
inline unsigned __float2uint_rz(float x) { return hostcuda_saturate<unsigned>(truncf(x)); }
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }
inline float __ll2float_rn(long long x) { return (float)x; }
inline float __ull2float_rn(unsigned long long x) { return (float)x; }
inline double __int2double_rn(int x) { return x; }
inline float __double2float_rn(double x) { return (float)x; }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll(x) : 64; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __brev(unsigned x) {
  unsigned r = 0;
  for (int i = 0; i < 32; i++) r |= (x >> i & 1) << (31 - i);
  return r;
}
inline int __mulhi(int a, int b) { return (int)(((int64_t)a * b) >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned long long)(((unsigned __int128)a * b) >> 64); }
inline unsigned __funnelshift_l(unsigned lo, unsigned hi, unsigned n) { n &= 31; return n ? hi << n | lo >> (32 - n) : hi; }
inline unsigned __funnelshift_r(unsigned lo, unsigned hi, unsigned n) { n &= 31; return n ? lo >> n | hi << (32 - n) : lo; }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __trap() { __builtin_trap(); }

// Votes: one exchange for each lane of the mask would be slow, so the driver gathers the bits itself.
inline unsigned __activemask() { return ~0u; }
inline unsigned __ballot_sync(unsigned m, int p) { return hostcuda::warp_ballot(m, p != 0); }
inline int __any_sync(unsigned m, int p) { return hostcuda::warp_ballot(m, p != 0) != 0; }
inline int __all_sync(unsigned m, int p) { return hostcuda::warp_ballot(m, p == 0) == 0; }
template <class T> inline T __ldg(const T* p) { return *p; }
template <class T> inline T __ldcs(const T* p) { return *p; }
template <class T> inline T __ldcg(const T* p) { return *p; }
template <class T> inline void __stcs(T* p, T v) { *p = v; }
template <class T> inline void __stcg(T* p, T v) { *p = v; }
// One OS thread runs all threads of the grid, so plain is atomic. There is none for floats: their order would not be fixed.
#define HOSTCUDA_ATOMIC(name, expression)                                                                             \
  template <class T, class V> inline T name(T* p, V v) {                                                             \
    static_assert(std::is_integral_v<T>, #name " of floats: sums would depend on the order of blocks"); \
    T o = *p, w = (T)v; *p = (expression); return o; }
HOSTCUDA_ATOMIC(atomicAdd, o + w)
HOSTCUDA_ATOMIC(atomicSub, o - w)
HOSTCUDA_ATOMIC(atomicMax, o > w ? o : w)
HOSTCUDA_ATOMIC(atomicMin, o < w ? o : w)
HOSTCUDA_ATOMIC(atomicAnd, o & w)
HOSTCUDA_ATOMIC(atomicOr, o | w)
HOSTCUDA_ATOMIC(atomicXor, o ^ w)
HOSTCUDA_ATOMIC(atomicExch, w)
#undef HOSTCUDA_ATOMIC
template <class T, class V> inline T atomicCAS(T* p, V want, V v) { T o = *p; if (o == (T)want) *p = (T)v; return o; }

// CUDA's min and max also take two types; of a NaN and a number they give the number.
template <class A, class B, class T = std::common_type_t<A, B>> inline T max(A a, B b) {
  if constexpr (std::is_floating_point_v<T>) return std::fmax((T)a, (T)b); else return (T)a > (T)b ? (T)a : (T)b; }
template <class A, class B, class T = std::common_type_t<A, B>> inline T min(A a, B b) {
  if constexpr (std::is_floating_point_v<T>) return std::fmin((T)a, (T)b); else return (T)a < (T)b ? (T)a : (T)b; }
