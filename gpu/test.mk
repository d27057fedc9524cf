# What checks the CUDA backend on a machine without a GPU. Included by the Makefile, after gpu.mk.

## GPU, checked without one

# The compiler of the checked-in PTX: its version makes PTX that drivers from 525 on take. Assemblers: of CUDA 12 for the chips since
# 2018, of CUDA 13 for the newest.
NVRTC_PACKAGE   = nvidia-cuda-nvrtc-cu12==12.0.140
PTXAS12_PACKAGE = nvidia-cuda-nvcc-cu12==12.9.86
PTXAS13_PACKAGE = nvidia-cuda-nvcc==13.0.88

NVRTC   = .cuda/nvrtc/nvidia/cuda_nvrtc/lib/libnvrtc.so.12
PTXAS12 = .cuda/ptxas12/nvidia/cuda_nvcc/bin/ptxas
PTXAS13 = .cuda/ptxas13/nvidia/cu13/bin/ptxas
FETCH   = PIP_ROOT_USER_ACTION=ignore $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target

$(NVRTC):
	$(FETCH) .cuda/nvrtc $(NVRTC_PACKAGE)
$(PTXAS12):
	$(FETCH) .cuda/ptxas12 $(PTXAS12_PACKAGE)
$(PTXAS13):
	$(FETCH) .cuda/ptxas13 $(PTXAS13_PACKAGE)

.PHONY: gpu-tools
gpu-tools: $(NVRTC) $(PTXAS12) $(PTXAS13) ## fetch the compiler of PTX and the assemblers (Python packages, 120 MB) into .cuda

.PHONY: ptx
ptx: $(NVRTC) ## compile kernels/cuda/*.cu to gpu/ptx/*.ptx
	$(PYTHON) gpu/tools/genptx.py --nvrtc $(NVRTC) -I kernels/cuda --all kernels/cuda gpu/ptx

.PHONY: check-ptx
check-ptx: $(NVRTC) ## fail if a PTX file is not what its source gives
	$(PYTHON) gpu/tools/genptx.py --check --nvrtc $(NVRTC) -I kernels/cuda --all kernels/cuda gpu/ptx

.PHONY: ptxas
ptxas: $(PTXAS12) $(PTXAS13) ## assemble the PTX for real chips; fail where a kernel's largest block cannot start
	$(PYTHON) gpu/tools/ptxas.py gpu/ptx $(PTXAS12) sm_75,sm_80,sm_90 $(PTXAS13) sm_120

# Packages with files of the tag gpu.
GPU_PACKAGES = ./gpu/... ./kernels/... ./bench/... ./cmd/...

.PHONY: vet-gpu
vet-gpu: gpu-check ## go vet and staticcheck with the tag gpu
	$(GPU_ENV) $(GO) vet -tags gpu $(GPU_PACKAGES)
	$(GPU_ENV) $(GO) run $(STATICCHECK) -tags gpu $(GPU_PACKAGES)

# The libraries of the fake driver, in place of NVIDIA's.
FAKE     = $(CURDIR)/build/fake
FAKE_ENV = AE_LIBCUDA=$(FAKE)/libcuda.so.1 AE_LIBCUBLASLT=$(FAKE)/libcublasLt.so.13 AE_LIBCUDNN=$(FAKE)/libcudnn.so.9 \
	AE_LIBNVRTC=$(FAKE)/libnvrtc.so.13 AE_LIBNVML=$(FAKE)/libnvidia-ml.so.1 AETRAIN_CACHE=$(FAKE)/cache
TEST_GPU = $(FAKE_ENV) $(GPU_ENV) $(GO) test -count=1 -tags gpu

.PHONY: fake-driver
fake-driver: ## a CUDA driver in host memory and its libraries, in build/fake (wants g++)
	gpu/fake/build.sh $(FAKE)

.PHONY: fake-env
fake-env: ## print the variables that make a program take the fake driver: env $(make -s fake-env) bin/aetrain-gpu
	@echo '$(strip $(FAKE_ENV))'

.PHONY: test-gpu-fake
test-gpu-fake: gpu-check fake-driver ## the CUDA backend on the fake driver: plainly, with each call failing, with late work, with shuffled blocks
	$(TEST_GPU) ./gpu/...
	@echo "once with late work, once with shuffled blocks and tight memory on an older chip"
	@FAKECUDA_LAZY=1 $(TEST_GPU) -skip '$(FAULTS)|TestBackend/own' ./gpu/faketest ./gpu & late=$$!; \
	FAKECUDA_SHUFFLE=1 FAKECUDA_TIGHT=1 FAKECUDA_CC=7.5 $(TEST_GPU) -skip '$(FAULTS)|TestBackend/libraries|TestTraining' ./gpu/faketest ./gpu && shuffled=0 || shuffled=1; \
	wait $$late && exit $$shuffled
FAULTS = TestEachCallFails|TestLostDevice

.PHONY: check-chains
check-chains: gpu-check fake-driver $(NVRTC) $(PTXAS12) ## kernels that are generated at run time: a real NVRTC and its assembler take them
	@rm -rf $(FAKE)/chains && mkdir -p $(FAKE)/chains
	@FAKENVRTC_ALSO=$(CURDIR)/$(NVRTC) FAKENVRTC_KEEP=$(FAKE)/chains $(subst $(FAKE)/cache,$(FAKE)/chains/cache,$(TEST_GPU)) -run TestChain ./gpu
	$(PYTHON) gpu/tools/ptxas.py $(FAKE)/chains $(PTXAS12) sm_90
