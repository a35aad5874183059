#!/usr/bin/env bash
# Installs what the checks need beyond Rust and Python: go (for pprof), a browser and node (for speedscope), compilers for C
# and C++, valgrind, strace and util-linux for the fault catalogue, other allocators, zstd for the reader of traces in Python.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v go >/dev/null || missing+=(golang-go)
command -v chromium >/dev/null || missing+=(chromium)
command -v npm >/dev/null || missing+=(npm)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
command -v valgrind >/dev/null || missing+=(valgrind)
command -v g++ >/dev/null || missing+=(g++)
command -v strace >/dev/null || missing+=(strace)
command -v ps >/dev/null || missing+=(procps)
{ command -v chrt && command -v setpriv && command -v prlimit && command -v unshare; } >/dev/null || missing+=(util-linux)
[[ -e /usr/lib/x86_64-linux-gnu/libjemalloc.so.2 ]] || missing+=(libjemalloc2)
[[ -e /usr/lib/x86_64-linux-gnu/libmimalloc.so.2 ]] || missing+=(libmimalloc2.0)
python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
if ((${#missing[@]} > 0)); then
    sudo=
    [[ $(id -u) == 0 ]] || sudo=sudo
    $sudo apt-get -qq update
    DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
    echo "installed: ${missing[*]}"
fi

# Beside the applications of apps.sh, where profformat's test looks: nothing of the system's Python changes.
folder=${CARGO_TARGET_DIR:-target}/apps/zstd
if ! PYTHONPATH=$folder python3 -c 'import zstandard' 2>/dev/null && ! python3 -c 'import compression.zstd' 2>/dev/null; then
    rm -rf "$folder"
    python3 -m pip install --quiet --root-user-action=ignore --disable-pip-version-check --no-deps \
        --only-binary=:all: --target "$folder" zstandard==0.25.0
    echo "installed: $folder"
fi
