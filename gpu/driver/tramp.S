//go:build gpu && cgo

/* Forwarders to NVIDIA's libraries. Each function below is hidden (the program does not export it) and jumps through
 * a slot, which ae_fill points at the library's function. Before that, and on a machine without the library, the slot
 * holds a function that returns an error code. Arguments pass through untouched, so no prototypes are needed.
 * The names are listed in symbols.h (made by gpu/tools/gensyms.sh) and libs.h. */
#if defined(__x86_64__)
#define JUMP(name) jmp *.Lslot_##name(%rip)
#elif defined(__aarch64__)
#define JUMP(name) adrp x16, .Lslot_##name ; ldr x16, [x16, :lo12:.Lslot_##name] ; br x16
#else
#error "no forwarder for this processor: x86-64 and arm64 have one"
#endif

#define FORWARD(lib, name, fallback)                   \
  .text ; .balign 16 ;                                 \
  .globl name ; .hidden name ; .type name, %function ; \
name: JUMP(name) ;                                     \
  .size name, . - name ;                               \
  .data ; .balign 8 ;                                  \
.Lslot_##name: .quad fallback ;                        \
  .section .rodata ;                                   \
.Lname_##name: .asciz #name ;                          \
  .section .data.rel.ro.forwards, "aw" ;               \
  .quad .Lname_##name, .Lslot_##name, fallback, lib

#define CUDA(name) FORWARD(0, name, ae_no_device)
#define LT(name) FORWARD(1, name, ae_no_lt)
#define DNN(name) FORWARD(2, name, ae_no_dnn)
#define NVRTC(name) FORWARD(3, name, ae_no_nvrtc)
#define NVML(name) FORWARD(4, name, ae_no_nvml)

  .hidden ae_no_device
  .hidden ae_no_count
  .hidden ae_no_lt
  .hidden ae_no_dnn
  .hidden ae_no_nvrtc
  .hidden ae_no_nvml
  .section .data.rel.ro.forwards, "aw"
  .balign 8
  .globl ae_forwards
  .hidden ae_forwards
ae_forwards:
FORWARD(0, cuDeviceGetCount, ae_no_count)
#include "symbols.h"
#include "libs.h"
  .section .data.rel.ro.forwards, "aw"
  .quad 0, 0, 0, 0
  .section .note.GNU-stack, "", %progbits
