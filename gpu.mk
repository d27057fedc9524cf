# The CUDA backend: how to build it, and what checks it. Included by the Makefile.
#
# A build wants a C compiler and one header, cuda.h of CUDA 12 or 13: no toolkit, no driver, no GPU. No library is linked
# (gpu/driver opens them when the program asks), so the result starts on machines that have nothing of NVIDIA's.

# Folders with NVIDIA's Python packages: of PYTHON, of "make peers", of "make gpu-headers".
NVIDIA_PACKAGES = $(shell $(PYTHON) -c 'import nvidia; print(*nvidia.__path__)' 2>/dev/null) \
	$(wildcard $(VENV)/lib/python3*/site-packages/nvidia) $(CURDIR)/.cuda/nvidia

# The folder of the first cuda.h: of CUDA_HOME and CUDA_PATH, of the usual places, of a conda environment, of Python
# packages. Looked for once, when a target needs it.
CUDA_INCLUDE = $(eval CUDA_INCLUDE := $$(shell $$(FIND_CUDA_H)))$(CUDA_INCLUDE)
FIND_CUDA_H = for folder in \
	$(foreach home,$(CUDA_HOME) $(CUDA_PATH) /usr/local/cuda /opt/cuda $(CONDA_PREFIX) /usr,$(home)/include $(home)/targets/x86_64-linux/include $(home)/targets/sbsa-linux/include) \
	$(foreach package,$(NVIDIA_PACKAGES),$(package)/cu13/include $(package)/cuda_runtime/include); \
	do if [ -f $$folder/cuda.h ]; then echo $$folder; break; fi; done

# Go's build cache does not look into headers outside of a package. The define, a checksum, makes another cuda.h, or a
# change of ours, compile gorgonia.org/cu and gpu/driver anew.
CUDA_SUM = $(shell cat gpu/include/cuda.h $(CUDA_INCLUDE)/cuda.h 2>/dev/null | cksum | cut -d' ' -f1)
GPU_CFLAGS = -O2 -I$(CURDIR)/gpu/include -I$(CUDA_INCLUDE) -DAE_CUDA_H=$(CUDA_SUM)
GPU_LDFLAGS = -O2 -Wl,--as-needed # cu asks for -lcuda: nothing of it is needed, so a program must not want it
GPU_ENV = CGO_ENABLED=1 CGO_CFLAGS="$(GPU_CFLAGS)" CGO_LDFLAGS="$(strip $(GPU_LDFLAGS))"

# Versions of the packages that bring headers. The first is all that a build wants.
CUDA_HEADERS  = nvidia-cuda-runtime-cu12==12.9.79
SMALL_HEADERS = nvidia-nvml-dev==13.0.87 nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.96
LARGE_HEADERS = nvidia-cuda-nvrtc==13.0.88 nvidia-cublas==13.1.0.3 nvidia-cudnn-cu13==9.13.0.50

## GPU

.PHONY: gpu
gpu: gpu-check ## the command with the CUDA backend, as bin/aetrain-gpu (wants a C compiler and cuda.h)
	$(GPU_ENV) $(GO) build -tags gpu -o bin/aetrain-gpu ./cmd/aetrain
	@if command -v readelf >/dev/null && readelf -d bin/aetrain-gpu | grep NEEDED | grep -vE '\[(lib(c|m|dl|rt|pthread|resolv)\.so|ld-linux)'; then \
		echo "bin/aetrain-gpu should not need these libraries to start"; exit 1; fi

.PHONY: gpu-check
gpu-check: ## say which cuda.h a build would take, or how to get one
	@[ -n "$(CUDA_INCLUDE)" ] || { echo "no cuda.h is found: set CUDA_HOME to a CUDA toolkit, or run 'make gpu-headers'"; exit 1; }
	@version=$$(sed -n 's/^#define CUDA_VERSION \([0-9]*\).*/\1/p' $(CUDA_INCLUDE)/cuda.h); \
	if [ "$${version:-0}" -lt 12000 ]; then echo "$(CUDA_INCLUDE)/cuda.h is of CUDA $$((version / 1000)); 12 or later is wanted (CUDA_HOME, or 'make gpu-headers')"; exit 1; fi; \
	echo "cuda.h of CUDA $$((version / 1000)).$$((version % 1000 / 10)): $(CUDA_INCLUDE)"

.PHONY: gpu-env
gpu-env: ## print the variables for go build, vet and test with -tags gpu: eval "$(make -s gpu-env)"
	@[ -n "$(CUDA_INCLUDE)" ] || { echo "no cuda.h is found: run 'make gpu-headers'" >&2; exit 1; }
	@echo 'export CGO_ENABLED=1 CGO_CFLAGS="$(GPU_CFLAGS)" CGO_LDFLAGS="$(strip $(GPU_LDFLAGS))"'

.PHONY: gpu-headers
gpu-headers: ## fetch cuda.h (3 MB, a Python package) into .cuda
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .cuda $(CUDA_HEADERS)

.PHONY: gpu-api-headers
gpu-api-headers: ## fetch the headers of cuBLASLt, cuDNN and NVRTC into .cuda (1.3 GB on the way, 20 MB to keep)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .cuda/api $(SMALL_HEADERS) $(LARGE_HEADERS)
	find .cuda/api -name '*.so*' -delete

.PHONY: check-gpu-api
check-gpu-api: ## compare our declarations of NVIDIA's libraries with their headers; says SKIPPED of those that are not found
	@[ -d .cuda/api ] || $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --target .cuda/api $(SMALL_HEADERS) || echo "the small headers could not be fetched: going on with what there is"
	@[ -f $(NVRTC) ] || $(MAKE) -s $(NVRTC) || echo "NVRTC, which brings its header, could not be fetched: going on with what there is"
	@gpu/tools/check_api.sh $(foreach package,$(NVIDIA_PACKAGES),$(package)/*/include) .cuda/api/nvidia/*/include .cuda/nvrtc/nvidia/*/include $(CUDA_INCLUDE)
