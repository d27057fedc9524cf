#!/usr/bin/env bash
# Builds the fake CUDA driver and its libraries:   gpu/fake/build.sh [FOLDER, default build/fake] [KERNEL.cu ...]
# Kernel files default to all of kernels/cuda. Wants g++ (or $CXX), nothing of NVIDIA's. Only what changed is compiled anew.
#
# The fake is a CUDA driver in host memory with the libraries that stand on it, for tests on machines without a GPU. It is loaded
# in place of the real ones through AE_LIBCUDA, AE_LIBCUBLASLT, AE_LIBCUDNN, AE_LIBNVRTC and AE_LIBNVML. Kernels are the project's
# own sources, compiled by g++ (hostcuda.h is the CUDA C++ that they see).
#
#   control.cpp      errors on demand, counts of calls, what is not given back      device.cpp    devices, contexts, error texts
#   memory.cpp       device memory between guard pages; NaN until it is written     stream.cpp    streams, events, capture, graphs
#   module.cpp       PTX read for its signatures and shared memory; launches       fiber.cpp     a block's threads
#   fakelt.cpp       cuBLASLt          fakednn.cpp  cuDNN's convolutions            fakenvml.cpp  a device that draws 100 W
#   fakenvrtc.cpp    NVRTC, by g++ at run time
#
# What it finds: access outside of memory or after a free, kernels that do not fit their PTX, blocks and shared memory that are too
# large, deadlocks at barriers and shuffles, memory and shared memory that nobody wrote (NaN), calls without a context or not
# allowed while a stream is captured, asynchronous copies of memory that is not page-locked, leaks. FAKECUDA_LAZY=1 runs queued work
# only when something waits for it and so finds waits that are missing; FAKECUDA_SHUFFLE=SEED runs blocks and warps in another
# order. What it cannot find: races between threads that do run at once, what depends on rounding of the device's own functions,
# and everything about speed. Blocks run one after another; a kernel without barriers is a plain loop over its threads.
# Each file's head lists its variables.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$root/build/fake}
shift || true
kernels=("$@")
[ ${#kernels[@]} -gt 0 ] || kernels=("$root"/kernels/cuda/*.cu)
mkdir -p "$out/obj"
out=$(cd "$out" && pwd)

arch=
if [ "$(uname -m)" = x86_64 ] && grep -q '\bfma\b' /proc/cpuinfo && grep -q '\bavx2\b' /proc/cpuinfo; then arch=-march=x86-64-v3; fi
# contract=fast: device compilers make a*b+c one operation too. Functions like __fmul_rn keep theirs apart.
abi=$(cat "$here/hostcuda.h" "$here"/fiber.* | cksum | cut -d' ' -f1)
flags=(-DHOSTCUDA_ABI="${abi}ul" -std=c++20 -O2 $arch -ffp-contract=fast -Wall -fPIC -fvisibility=hidden -I"$here" -I"$root/kernels/cuda")
headers=("$here"/*.h "$here/build.sh" "$root"/kernels/cuda/*.h $(find "$root/kernels/cuda" -name '*.cuh'))

# compile SOURCE OBJECT FLAG... : only when the object is older than what it is made of; as many at once as there are processors
compile() {
	local source=$1 object=$2 file fresh=1
	shift 2
	for file in "$source" "${headers[@]}"; do [ "$object" -nt "$file" ] || fresh=0; done
	[ $fresh = 0 ] || return 0
	while [ "$(jobs -rp | wc -l)" -ge "$processors" ]; do wait -n || exit 1; done
	{
		${CXX:-g++} "${flags[@]}" "$@" -c -o "$object.tmp" "$source" || { echo "build.sh: ${kernel:-$source} does not compile" >&2; exit 1; }
		mv "$object.tmp" "$object"
	} &
}
processors=$(nproc)

# finish waits for what is being compiled.
finish() {
	while [ -n "$(jobs -p)" ]; do wait -n || exit 1; done
}

# A kernel file becomes one translation unit: its text, then a line for each kernel that enters it in the driver's list.
objects=()
for kernel in "${kernels[@]}"; do
	name=$(basename "$kernel" .cu)
	unit=$out/obj/$name.cpp
	{
		echo '#define HOSTCUDA 1'
		echo "#define HOSTCUDA_UNIT $name"
		echo '#include "hostcuda.h"'
		echo 'namespace {'
		echo "#include \"$(realpath "$kernel")\""
		echo '}'
		sed -n 's/^.*extern "C" *__global__ *void *\(__launch_bounds__([^)]*) *\)\{0,1\}\([A-Za-z0-9_]*\) *(.*/HOSTCUDA_KERNEL(\2)/p' "$kernel"
	} >"$unit.tmp"
	if cmp -s "$unit.tmp" "$unit"; then rm "$unit.tmp"; else mv "$unit.tmp" "$unit"; fi
	[ ! "$kernel" -nt "$unit" ] || touch "$unit"
	compile "$unit" "$out/obj/$name.o" -Wno-unused -Wno-unknown-pragmas -Wno-sign-compare
	objects+=("$out/obj/$name.o")
done
kernel=
for part in control device memory stream module fiber fakelt fakednn fakenvrtc fakenvml; do
	compile "$here/$part.cpp" "$out/obj/$part.part.o"
done

finish

# link SONAME OBJECT... : through a new file, as a running test may hold the old one open
link() {
	local soname=$1
	shift
	${CXX:-g++} -shared -Wl,-soname,"$soname" -o "$out/$soname.tmp" "$@" '-Wl,-rpath,$ORIGIN'
	mv "$out/$soname.tmp" "$out/$soname"
}
link libcuda.so.1 "$out"/obj/{control,device,memory,stream,module,fiber}.part.o "${objects[@]}"
link libcublasLt.so.13 "$out/obj/fakelt.part.o" "$out/libcuda.so.1"
link libcudnn.so.9 "$out/obj/fakednn.part.o" "$out/libcuda.so.1"
link libnvrtc.so.13 "$out/obj/fakenvrtc.part.o" "$out/libcuda.so.1"
link libnvidia-ml.so.1 "$out/obj/fakenvml.part.o" "$out/libcuda.so.1"

# What the fake NVRTC compiles with: a header made ready, the block executor, the command. A new stamp voids what it has kept.
nvrtc=$out/nvrtc
mkdir -p "$nvrtc"
if ! cat "$here/hostcuda.h" "$here/fiber.h" "$here/fiber.cpp" "$here/build.sh" | cmp -s - "$nvrtc/stamp"; then
	rm -f "$nvrtc"/*
	cp "$here/hostcuda.h" "$here/fiber.h" "$root/kernels/cuda/prelude.h" "$nvrtc"
	cp "$out/obj/fiber.part.o" "$nvrtc/fiber.o"
	generated=(-std=c++20 -O1 $arch -ffp-contract=fast -w -fPIC -fvisibility=hidden -DHOSTCUDA=1 -DHOSTCUDA_UNIT=generated)
	${CXX:-g++} "${generated[@]}" -I"$nvrtc" -x c++-header -o "$nvrtc/fiber.h.gch" "$nvrtc/fiber.h"
	echo "${CXX:-g++} ${generated[*]} -I'$nvrtc' -include fiber.h" >"$nvrtc/flags"
	cat "$here/hostcuda.h" "$here/fiber.h" "$here/fiber.cpp" "$here/build.sh" >"$nvrtc/stamp"
fi
