#!/usr/bin/env bash
# Tries and measures the CUDA backend on a machine with a GPU. Builds nothing: it wants bin/gpu-bundle.tar.gz (make gpu-bundle), or
# bin/aetrain-gpu (make gpu) alone, and takes PyTorch, nvidia-smi and compute-sanitizer where they are.
#
#   bench/gpu.sh [-out DIR] [-data DIR_OF_MNIST] [-budget SECONDS] [-only PART,...] [-skip PART,...] [-python PATH] [-device cuda:N]
#                [-set KEY=VALUE]...   of the trainings in recipe and precision, as in train.epochs=1
#
# Parts, in this order, as long as the budget (an hour) lasts, which is for those who pay for the machine; one that fails does not stop
# the others:
#   info       the machine, the libraries, PyTorch
#   tests      every op, program and training of backendtest on the device, but for chains that NVRTC compiles
#   bench      the standard rows beside PyTorch eager, torch.compile and CUDA graphs
#   recipe     MNIST's published recipe (the built-in digits without -data) on the GPU and on the processor, loss curves side by side
#   cpu        the standard rows on the processor and the GPU
#   profile    the parts of a step beside what the device's peaks allow
#   precision  loss curves and speed in tf32 and bf16
#   two        two trainings at once on one GPU
#   memory     a training that does not fit: what it says
#   sanitizer  compute-sanitizer over some steps
#   nvrtc      backendtest once more, each chain of its some thousand compiled by NVRTC: minutes the first time
# DIR (default: runs/gpu) gets summary.txt, log.txt with all that was said, bench.json, bench.txt, bench.png, profile.txt and all.tar.gz
# with everything, and cache, the compiled chains, which a second run on the machine finds there.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
root=$PWD

out=runs/gpu data='' budget=3600 only='' skip='' python=python3 device=cuda sets=()
while [ $# -gt 0 ]; do
	case $1 in
	-out | -data | -budget | -only | -skip | -python | -device)
		[ $# -gt 1 ] || { echo "gpu.sh: $1 wants a value" >&2; exit 2; }
		declare "${1#-}=$2"
		shift 2
		;;
	-set)
		sets+=(-set "${2?}")
		shift 2
		;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	esac
done
mkdir -p "$out" || exit 1
out=$(cd "$out" && pwd)
[ -z "$data" ] || data=$(cd "$data" && pwd) || exit 2
work=$(mktemp -d) all=''
trap 'rm -rf "$work"' EXIT
all=$work/all
mkdir -p "$all"
export AETRAIN_CACHE=${AETRAIN_CACHE:-$out/cache}

bin=$root/bin tests=$root/bin
if [ -f bin/gpu-bundle.tar.gz ]; then
	tar -xzf bin/gpu-bundle.tar.gz -C "$work" && bin=$work/gpu-bundle tests=$work/gpu-bundle
fi
aetrain=$bin/aetrain-gpu
[ -x "$aetrain" ] || { echo "gpu.sh: neither bin/gpu-bundle.tar.gz nor bin/aetrain-gpu is here: make gpu-bundle" >&2; exit 2; }

log=$out/log.txt summary=$out/summary.txt
: >"$log" && : >"$summary"
SECONDS=0

say() { printf '%s\n' "$*" | tee -a "$log"; }

# wanted PART: it is asked for and there is time left.
wanted() {
	case ",$skip," in *",$1,"*) return 1 ;; esac
	[ -z "$only" ] || case ",$only," in *",$1,"*) ;; *) return 1 ;; esac
	if [ $((budget - SECONDS)) -lt 5 ]; then
		say "-- $1: no time left"
		echo "$1: not run, no time left" >>"$summary"
		return 1
	fi
}

# part NAME SECONDS: runs the function of that name for so long at most.
part() {
	local name=$1 limit=$2 began=$SECONDS rc=0
	wanted "$name" || return 0
	[ "$limit" -le $((budget - SECONDS)) ] || limit=$((budget - SECONDS))
	say "== $name (at $SECONDS s, $limit s at most)"
	deadline=$((SECONDS + limit))
	"do_$name" 2>&1 | tee -a "$log"
	rc=${PIPESTATUS[0]}
	case $rc in
	0) rc=done ;;
	124 | 137) rc="out of time" ;;
	3) rc="left out" ;;
	*) rc="FAILED ($rc)" ;;
	esac
	say "-- $name: $rc, $((SECONDS - began)) s"
	echo "$name: $rc, $((SECONDS - began)) s" >>"$summary"
	cat "$all"/*.note 2>/dev/null >>"$summary"
	rm -f "$all"/*.note
	keep
}

# keep copies what there is so far to the folder for results.
keep() {
	for file in bench/bench.json bench/bench.txt bench/bench.png profile/profile.txt; do
		[ ! -f "$all/$file" ] || cp "$all/$file" "$out/"
	done
	cp "$log" "$summary" "$all/"
	tar -czf "$out/all.tar.gz.tmp" -C "$work" --exclude='*.safetensors' all && mv "$out/all.tar.gz.tmp" "$out/all.tar.gz"
}

# within COMMAND...: until the part's deadline.
within() {
	local left=$((deadline - SECONDS))
	[ "$left" -ge 1 ] || return 124
	timeout -k 5 "$left" "$@"
}

# note TEXT: a line for the summary.
note() { printf '    %s\n' "$*" | tee -a "$all/part.note"; }

torch() { "$python" -c 'import torch; assert torch.cuda.is_available()' >/dev/null 2>&1; }

do_info() {
	uname -srm && nproc
	if command -v nvidia-smi >/dev/null; then nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap,clocks.max.sm,clocks.max.mem,power.limit --format=csv; fi
	within "$aetrain" doctor -format json >"$all/doctor.json"
	within "$aetrain" doctor || return
	"$python" -c 'import sys, torch; print("python", sys.version.split()[0], "torch", torch.__version__, "cuda", torch.version.cuda, "cudnn", torch.backends.cudnn.version(), torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU")' 2>&1 | tail -1
	local began rc
	for d in "$device" cpu; do # from the start of the process to its end after one step
		began=$(date +%s%N)
		within "$aetrain" -config experiments/vae.toml -set data.source=random -set train.max_steps=1 -device "$d" -out "$work/first-$d" -quiet
		rc=$?
		note "one step on $d, with start and checkpoint: $((($(date +%s%N) - began) / 1000000)) ms, exit code $rc"
	done
}

do_tests() {
	local rc=0
	verdict driver gpu/driver driver || rc=$?
	verdict gpu gpu gpu -test.skip '^TestBackend$' || rc=$?
	verdict own gpu gpu -test.run '^TestBackend$/^own$' || rc=$?
	verdict libraries gpu gpu -test.run '^TestBackend$/^libraries$' || rc=$?
	return $rc
}

do_nvrtc() { verdict nvrtc gpu gpu -test.run '^TestBackend$/^nvrtc$'; }

# verdict NAME FOLDER BINARY [FLAG...]: runs tests and counts how they ended, whether or not the time was enough.
verdict() {
	local name=$1 folder=$2 binary=$tests/$3.test to=$all/$1-tests.txt rc=0
	shift 3
	[ -x "$binary" ] || { echo "no $binary is here: make gpu-bundle"; return 3; }
	(cd "$root/$folder" && within "$binary" -test.v -test.timeout 0 "$@") >"$to" 2>&1 || rc=$?
	note "$name: $(grep -c '^ *--- PASS' "$to") passed, $(grep -c '^ *--- FAIL' "$to") failed, $(grep -c '^ *--- SKIP' "$to") skipped$([ $rc != 124 ] || echo ', then out of time')"
	grep -E '^ *--- FAIL|^ +[a-z_]+_test\.go:[0-9]+:|^panic' "$to" | grep -B3 -A3 -E -- '--- FAIL|^panic' | head -80
	return $rc
}

do_bench() {
	local peers=()
	if torch; then peers=(-peers pytorch -python "$python"); else echo "$python has no PyTorch that sees the GPU: ours alone"; fi
	within "$aetrain" bench -device "$device" "${peers[@]}" -rounds 3 -seconds 0.5 -out "$all/bench"
}

do_cpu() { within "$aetrain" bench -device "cpu,$device" -rounds 3 -seconds 0.5 -out "$all/bench-cpu"; }

# recipe DEVICE NAME [FLAG...]: trains it.
recipe() {
	local d=$1 name=$2 config=experiments/vae.toml from=()
	shift 2
	if [ -n "$data" ]; then config=experiments/mnist/vae.toml from=(-set "data.dir=$data"); fi
	within "$aetrain" -config "$config" "${from[@]}" "${sets[@]}" -set train.sample_every=0 -device "$d" -out "$all/$name" "$@"
}

# curves RUN...: their losses side by side, an epoch a line.
curves() {
	local run
	for run in "$@"; do [ -s "$all/$run/metrics.jsonl" ] || continue; sed "s/^/$run /" "$all/$run/metrics.jsonl"; done | awk -v runs="$*" '
		function value(key) { return match($0, "\"" key "\":[-+.0-9eE]+") ? substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) : "-" }
		BEGIN { n = split(runs, name, " ") }
		{ epoch = value("epoch"); if (epoch != int(epoch)) next
		  kind = index($0, "\"split\":\"train\"") ? "train" : "validation"
		  loss[$1, kind, epoch + 0] = value("loss"); if (epoch > last) last = epoch + 0 }
		END {
			printf "%6s", "epoch"; for (i = 1; i <= n; i++) printf "  %24s", name[i] " train"; for (i = 1; i <= n; i++) printf "  %24s", name[i] " validation"; print ""
			for (e = 1; e <= last; e++) { printf "%6d", e
				for (k = 1; k <= 2; k++) for (i = 1; i <= n; i++) { v = loss[name[i], k == 1 ? "train" : "validation", e]; printf "  %24s", v == "" ? "-" : v }
				print "" } }'
}

do_recipe() {
	recipe "$device" recipe-gpu || return
	recipe cpu recipe-cpu -quiet || echo "(the processor's has not ended)"
	curves recipe-gpu recipe-cpu | tee "$all/recipe.txt"
	note "recipe ($([ -n "$data" ] && echo MNIST, 105.6 +- 0.8 nats expected || echo digits)), last epoch: $(tail -1 "$all/recipe.txt")"
	for r in gpu cpu; do
		[ ! -d "$all/recipe-$r/checkpoints/last" ] || within "$aetrain" eval -run "$all/recipe-$r" -checkpoint last -device "$([ $r = gpu ] && echo "$device" || echo cpu)"
	done
	for d in "$device" cpu; do # a convolutional one, for some steps
		within "$aetrain" -config experiments/conv-vae.toml -set train.epochs=1 -set data.limit=12800 -set train.sample_every=0 -device "$d" -out "$all/conv-${d%%:*}" -quiet
	done
	curves "conv-${device%%:*}" conv-cpu | tee "$all/conv.txt"
}

do_profile() { within "$aetrain" bench -profile -device "$device" -seconds 0.3 -out "$all/profile"; }

do_precision() {
	local p rc=0
	for p in tf32 bf16; do recipe "$device" "recipe-$p" -set train.precision=$p -quiet || rc=$?; done
	curves recipe-gpu recipe-tf32 recipe-bf16 | tee "$all/precision.txt"
	local peers=()
	if torch; then peers=(-peers pytorch -python "$python"); fi
	for p in tf32 bf16; do within "$aetrain" bench 'vae-8192' 'conv-vae-*' -precision $p -device "$device" "${peers[@]}" -rounds 3 -seconds 0.4 -out "$all/bench-$p" || rc=$?; done
	return $rc
}

do_two() {
	local pids=() rc=0 pid
	for i in 1 2; do
		within "$aetrain" -config experiments/conv-vae.toml -set data.source=random -set train.max_steps=400 -set train.sample_every=0 -device "$device" -out "$all/two-$i" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || rc=$?; done
	return $rc
}

# Activations of 20,000 units for 100,000 examples are 8 GB each; the narrow layers between them keep the weights small.
do_memory() {
	local wide='[20000, 64, 20000, 64, 20000, 64, 20000, 64, 20000, 64, 20000, 64, 20000, 64, 20000, 64, 20000, 64, 20000]' rc=0
	within "$aetrain" -config experiments/ae.toml -set data.source=random -set data.examples=100000 -set data.validation=0 -set data.batch=100000 \
		-set "model.encoder=[{ layer = \"dense\", units = $wide }]" -set train.max_steps=1 -device "$device" -out "$all/memory" 2>&1 | tee "$all/memory.txt"
	rc=${PIPESTATUS[0]}
	note "a training that does not fit: exit code $rc (1 expected): $(tail -1 "$all/memory.txt")"
	[ "$rc" = 1 ]
}

do_sanitizer() {
	command -v compute-sanitizer >/dev/null || { echo "compute-sanitizer is not here"; return 3; }
	local tool rc=0
	for tool in memcheck racecheck synccheck; do
		within compute-sanitizer --tool $tool --error-exitcode 9 --print-limit 5 "$aetrain" -config experiments/conv-vae.toml -set data.source=random \
			-set data.examples=512 -set train.max_steps=3 -set train.sample_every=0 -device "$device" -out "$all/$tool" -quiet >"$all/$tool.txt" 2>&1 || rc=$?
		note "$tool: $(grep -E 'ERROR SUMMARY|RACECHECK SUMMARY|not supported|Error:' "$all/$tool.txt" | head -1)"
	done
	return $rc
}

deadline=$budget
part info 60
part tests 240
part bench 260
part recipe 90
part cpu 80
part profile 40
part precision 120
part two 40
part memory 40
part sanitizer 120
part nvrtc 1800
keep
say "== summary ($SECONDS s)"
cat "$summary"
exit 0
