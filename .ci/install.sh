#!/usr/bin/env bash
# Installs what the checks need beyond Rust and Python: go (for pprof), a browser and node (for speedscope), a C compiler.
set -euo pipefail

missing=()
command -v go >/dev/null || missing+=(golang-go)
command -v chromium >/dev/null || missing+=(chromium)
command -v npm >/dev/null || missing+=(npm)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
if ((${#missing[@]} == 0)); then
    exit 0
fi

sudo=
[[ $(id -u) == 0 ]] || sudo=sudo
$sudo apt-get -qq update
DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
echo "installed: ${missing[*]}"
