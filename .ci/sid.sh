#!/usr/bin/env bash
# Debian sid in target/sid, for the interpreters that pyenv does not have: Python 3.14 and 3.15 with their headers.
# Needs root. Each is started as target/sid/usr/bin/python3.XX-outside, by its own loader with its own glibc, so that
# it runs among our files: no chroot.
set -euo pipefail
cd "$(dirname "$0")/.."

versions=(3.14 3.15)
mkdir -p "${CARGO_TARGET_DIR:-target}"
root=$(realpath "${CARGO_TARGET_DIR:-target}")/sid

cannot() {
    echo "SKIPPED: sid: $1: nothing is tested on Python ${versions[*]}" >&2
    [[ ${PROF_NO_SKIP:-0} == 0 ]] || exit 1
    exit 0
}

# A root made elsewhere may have moved: the starters say where it is now.
starters() {
    local version starter
    for version in "${versions[@]}"; do
        starter=$root/usr/bin/python$version-outside
        cat >"$starter" <<EOF
#!/bin/sh
exec '$root/lib64/ld-linux-x86-64.so.2' --library-path '$root/usr/lib/x86_64-linux-gnu' --argv0 "\$0" '$root/usr/bin/python$version' "\$@"
EOF
        chmod +x "$starter"
        "$starter" -c "import sys; assert '%d.%d' % sys.version_info[:2] == '$version', sys.version"
    done
}

if [[ -f $root/complete ]]; then
    starters
    exit
fi
[[ $(id -u) == 0 ]] || cannot "only root can make it"
if ! command -v debootstrap >/dev/null; then
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends debootstrap >/dev/null ||
        cannot "debootstrap cannot be installed"
fi
rm -rf "$root"
include=$(printf ',python%s' "${versions[@]}")
debootstrap --variant=minbase --include="${include#,}" sid "$root" >"$root.log" 2>&1 || cannot "debootstrap failed, see $root.log"
# The headers alone: installed, they would bring a C library's development files.
chroot "$root" sh -ec '
    apt-get -qq -o Acquire::Check-Valid-Until=false update
    mkdir -p /headers
    cd /headers
    for version; do apt-get -qq -o APT::Sandbox::User=root download "libpython$version-dev"; done
    for package in *.deb; do dpkg-deb -x "$package" /; done
    rm -r /headers /var/lib/apt/lists/*
    apt-get clean
' sh "${versions[@]}" >>"$root.log" 2>&1 || cannot "the headers cannot be fetched, see $root.log"
starters
touch "$root/complete"
echo "sid: $root"
