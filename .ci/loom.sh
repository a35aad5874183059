#!/bin/sh
# Model-checks the ring and the registry: every interleaving and every permitted memory order.
set -eu
cd "$(dirname "$0")/.."
# A folder of its own: the flag would rebuild everything in the usual one.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
# A model runs for a second: to build it well would take a minute.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
RUSTFLAGS="--cfg loom ${RUSTFLAGS-}" exec cargo test -p profcore --lib --no-default-features --release "$@"
