#!/usr/bin/env bash
# Format, lints, documentation, and who may depend on whom.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets -- -D warnings
# Documentation is for those who change the code too: private items are in it, and links may go to them.
RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" \
    cargo doc --quiet --workspace --no-deps --document-private-items

# The crates of ours that a package links, itself left out.
links() {
    local package=$1
    shift
    cargo tree -p "$package" -e normal,build --prefix none --format '{p}' "$@" |
        awk '{print $1}' | grep -E '^(prof(format|core|shim|cli)|benches)$' |
        grep -vx "$package" | sort -u | tr '\n' ' ' || true
}

expect() {
    local what=$1 found=$2 wanted=$3
    if [[ $found != "$wanted" ]]; then
        echo "dependency graph: $what links '$found', not '$wanted'" >&2
        exit 1
    fi
}

expect "profformat" "$(links profformat --all-features)" ""
expect "profcore" "$(links profcore --all-features)" "profformat "
expect "profcore without record" "$(links profcore --no-default-features)" ""
expect "profshim" "$(links profshim)" "profcore "
expect "profcli" "$(links profcli)" "profcore profformat "
echo "dependency graph: as designed"

# The README's `cargo run --release -- run ...` finds the shim since both are built by it.
members=$(cargo metadata --format-version 1 --no-deps |
    python3 -c 'import json, sys; print(*sorted(m.split("/")[-1].split("#")[0] for m in json.load(sys.stdin)["workspace_default_members"]))')
if [[ $members != "profcli profshim" ]]; then
    echo "what cargo builds by default is '$members', not the command and the shim" >&2
    exit 1
fi
