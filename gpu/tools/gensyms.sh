#!/usr/bin/env bash
# Writes gpu/driver/symbols.h: every function of libcuda that package gorgonia.org/cu needs (the undefined cu* names in
# its compiled objects), and ours (gpu/driver/extra.txt). Run it from the project's folder after an upgrade of cu or a
# change of extra.txt. Wants a C compiler, nm, and a cuda.h in CGO_CFLAGS: eval "$(make -s gpu-env)".
set -euo pipefail
export LC_ALL=C CGO_ENABLED=1
# The define is new each time, so that the build cache has no objects and cu is compiled before our eyes.
work=$(CGO_CFLAGS="${CGO_CFLAGS:-} -DAE_GENSYMS=$$" go build -work gorgonia.org/cu 2>&1 | sed -n 's/^WORK=//p')
trap 'rm -rf "$work"' EXIT
nm "$work"/b*/_x*.o |
	awk '$1 == "U" && $2 ~ /^cu[A-Z]/ {used[$2] = 1} $2 == "T" && $3 ~ /^cu[A-Z]/ {own[$3] = 1}
	     END {for (name in used) if (!(name in own)) print name}' |
	cat - gpu/driver/extra.txt | sort -u | grep -vx -e cuInit -e cuDeviceGetCount | # these two are written by hand
	{
		echo "/* Made by gpu/tools/gensyms.sh from gorgonia.org/cu and extra.txt; do not edit. */"
		sed 's/.*/CUDA(&)/'
	} >gpu/driver/symbols.h
wc -l gpu/driver/symbols.h
