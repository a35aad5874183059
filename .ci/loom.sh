#!/bin/sh
# Model-checks the ring and the registry: every interleaving and every permitted memory order.
set -eu
cd "$(dirname "$0")/.."
# A folder of its own: the flag would rebuild everything in the usual one.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
RUSTFLAGS="--cfg loom ${RUSTFLAGS-}" exec cargo test -p profcore --lib --no-default-features --release "$@"
