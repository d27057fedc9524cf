#!/usr/bin/env bash
# Draws the pictures of docs/variants.md, each from the run of its experiments/NAME.toml:
#   docs/pictures.sh AETRAIN RUNS [NAME...]
# AETRAIN is the command, RUNS the folder of the runs. A run that is there is taken as it is, one that lacks is trained (all of them:
# half an hour on two cores). Without names it draws every experiment but those that speak in words.
set -euo pipefail
aetrain=$1 runs=$2
shift 2
[ $# -gt 0 ] || set -- $(basename -s .toml experiments/*.toml | grep -vx -e text-vae -e cyclical -e features)

# draw makes the picture that tells what a variant is about: what its codes stand for, what it draws, how it scores, or what comes back.
draw() {
  local name=$1 run=$2 out=$3
  case $name in
    beta-vae | beta-tcvae | factor-vae | dip-vae-* | info-vae)
      "$aetrain" interpolate "$run" -traverse -steps 6 -split validation -out "$out" ;;
    anomaly | deep-svdd | ensemble)
      "$aetrain" anomaly "$run" -out "$out" ;;
    conditional)
      "$aetrain" sample "$run" -n 40 -out "$out" ;;
    vae | conv-vae | laplace | continuous-bernoulli | discretized-logistic | *iwae | flow-* | iaf | vamp | ladder | hyperspherical | joint-vae | gaussian-mixture | vq-prior)
      "$aetrain" sample "$run" -n 25 -out "$out" ;;
    face-swap)
      "$aetrain" reconstruct "$run" -split validation -label 2 -n 12 -out "$out" ;;
    denoising* | masked) # what there was, what was seen of it, what came back
      cp "$(ls "$run"/samples/reconstructions-epoch-*.png | tail -n 1)" "$out" ;;
    lstm | gru | tcn | transformer | quantum | negative-binomial) # plots, three abreast
      "$aetrain" reconstruct "$run" -split validation -n 9 -out "$out" ;;
    *)
      "$aetrain" reconstruct "$run" -split validation -n 10 -out "$out" ;;
  esac
}

for name in "$@"; do
  run=$runs/$name
  [ -e "$run/checkpoints/last" ] || "$aetrain" -config "experiments/$name.toml" -overwrite -out "$run"
  draw "$name" "$run" "docs/pictures/$name.png" > "$run/picture.log" 2>&1 || { cat "$run/picture.log"; exit 1; }
done
