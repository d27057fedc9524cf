#!/usr/bin/env bash
# Compares gpu/driver's declarations of cuBLASLt, cuDNN, NVRTC and NVML with NVIDIA's own headers:
#   gpu/tools/check_api.sh INCLUDE_FOLDER...
# Every name of gpu/driver/libs.h has to be declared there, and every constant and layout has to be the same. A library
# whose header is in none of the folders is skipped, and it says so. Wants a C compiler (CC); "make check-gpu-api" runs it.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# found HEADER FOLDER...: the first of the folders that has it
found() {
	local header=$1 folder
	shift
	for folder in "$@"; do
		if [ -f "$folder/$header" ]; then echo "$folder"; return; fi
	done
}

# A library is compared on its own, in a folder order where its own header comes first and cuda_runtime.h last.
compare() {
	local name=$1 header=$2 macro=$3 folder
	shift 3
	folder=$(found "$header" "$@")
	if [ -z "$folder" ]; then
		echo "SKIPPED: $name is not compared, no $header is found (make gpu-api-headers fetches it)"
		return
	fi
	if [ "$macro" != NVRTC ] && [ "$macro" != NVML ] && [ -z "$(found crt/host_defines.h "$@")" ]; then
		echo "SKIPPED: $name is not compared, $header wants crt/host_defines.h, which is not found (NVIDIA's package nvidia-cuda-crt has it)"
		return
	fi
	# The list of names: first a use of NVIDIA's declaration, then another name for ours.
	sed -n "s/^$macro(\(.*\))\$/static const void *use_\1 = (const void *)\1;/p" gpu/driver/libs.h >"$scratch/uses.h"
	sed -n "s/^$macro(\(.*\))\$/#define \1 ours_\1/p" gpu/driver/libs.h >"$scratch/renames.h"
	local flags=(-I"$folder")
	for f in "$@"; do flags+=(-idirafter "$f"); done
	${CC:-cc} -std=c11 -fsyntax-only -Wall -Wno-unused-variable -Wno-unused-const-variable -Wno-deprecated-declarations \
		-DCHECK_"$macro" -I"$scratch" "${flags[@]}" gpu/tools/check_api.c
	echo "$name: as in $folder/$header"
}

compare cuBLASLt cublasLt.h LT "$@"
compare cuDNN cudnn.h DNN "$@"
compare NVRTC nvrtc.h NVRTC "$@"
compare NVML nvml.h NVML "$@"
