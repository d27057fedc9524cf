#!/usr/bin/env bash
# Trains the first lesson on one thread and on two, and again with SIGKILL at random moments and -resume, and compares the
# weights byte by byte. Usage: bench/bits.sh [aetrain] [rounds]
set -euo pipefail
bin=${1:-bin/aetrain}
rounds=${2:-5}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
train=("$bin" -config experiments/vae.toml -set data.limit=${LIMIT:-8000} -set train.epochs=6 -set train.sample_every=0 -quiet)
weights=checkpoints/last/model.safetensors

same() { # NAME: the weights of that run are those of the first
	if ! cmp "$scratch/reference/$weights" "$scratch/$1/$weights"; then
		echo "$1: other bytes" >&2
		exit 1
	fi
	echo "$1: the same bytes"
}

"${train[@]}" -set train.threads=1 -out "$scratch/warm-up" # draws the data if it is not there yet
start=$(date +%s%N)
"${train[@]}" -set train.threads=1 -out "$scratch/reference"
took=$((($(date +%s%N) - start) / 1000000)) # milliseconds
same warm-up
"${train[@]}" -set train.threads=2 -out "$scratch/two-threads"
same two-threads

for ((i = 1; i <= rounds; i++)); do
	run=killed-$i
	"${train[@]}" -set train.threads=2 -out "$scratch/$run" &
	wait_ms=$((RANDOM % took))
	sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
	kill -KILL $! 2>/dev/null || true
	wait $! 2>/dev/null || true
	if [ -e "$scratch/$run/config.toml" ]; then
		"$bin" -resume "$scratch/$run" -quiet
	else # killed before it had begun
		"${train[@]}" -set train.threads=2 -out "$scratch/$run" -overwrite
	fi
	echo "killed after $wait_ms of $took ms"
	same "$run"
done
