#!/usr/bin/env bash
# Compares profformat's public interface with the one that is committed: .ci/api.sh [--accept]
#
# `cargo public-api` would do as well, but takes five minutes to install; rustdoc's JSON and a script take one.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -n ${CARGO_TARGET_DIR-} ]]; then
    target_dir=$(realpath -m "$CARGO_TARGET_DIR")
else
    target_dir=$PWD/target
fi
# Nothing of it runs: zstd's C code, half of the time, need not be quick.
CFLAGS="-O0 ${CFLAGS-}" CARGO_TARGET_DIR=$target_dir/api cargo +nightly rustdoc --quiet -p profformat --all-features -- \
    -Z unstable-options --output-format json -A rustdoc::private-intra-doc-links
python3 .ci/api.py "$target_dir/api/doc/profformat.json" >"$target_dir/api/api.txt"
if [[ ${1-} == --accept ]]; then
    cp "$target_dir/api/api.txt" profformat/api.txt
elif ! diff -u profformat/api.txt "$target_dir/api/api.txt"; then
    echo "The public interface of profformat is not the one in profformat/api.txt. If that is meant, run" >&2
    echo ".ci/api.sh --accept, and say in CHANGELOG.md what users must change: a line that is gone or changed" >&2
    echo "breaks them and needs the next 0.x; a line that is new does not." >&2
    exit 1
fi
