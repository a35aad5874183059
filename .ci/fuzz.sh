#!/usr/bin/env bash
# Runs every fuzz target for a while and fails on a finding: .ci/fuzz.sh [SECONDS [TARGET...]] or .ci/fuzz.sh --build
#
# Two at a time. What was executed and covered stands in one table at the end; logs lie in the target folder.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-30}
shift || true
# A folder of its own: the compiler and its flags are others.
if [[ -n ${CARGO_TARGET_DIR-} ]]; then
    fuzz_target_dir=$(realpath -m "$CARGO_TARGET_DIR")/fuzz
else
    fuzz_target_dir=$PWD/fuzz/target
fi
logs=$fuzz_target_dir/logs
mkdir -p "$logs"

if ! cargo fuzz --version >/dev/null 2>&1; then
    # It only calls cargo: how quick it is itself does not matter.
    cargo install --quiet --debug --locked cargo-fuzz
fi
fuzz/seeds.sh
cd fuzz
# Optimized little: a short run does not win back what more takes to build.
CFLAGS="-O1 ${CFLAGS-}" CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_TARGET_DIR=$fuzz_target_dir \
    cargo +nightly fuzz build --codegen-units 16 2>"$logs/build.log" || {
    cat "$logs/build.log" >&2
    exit 1
}
[[ $seconds != --build ]] || exit 0

# The binary itself: cargo-fuzz would take a lock that keeps the second one waiting.
bin=$fuzz_target_dir/x86_64-unknown-linux-gnu/release
fuzz_one() {
    local target=$1
    mkdir -p "artifacts/$target" "corpus/$target"
    "$bin/$target" "corpus/$target" -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" \
        -max_len=16384 -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 >"$logs/$target.log" 2>&1
}

# The value that libFuzzer's log gives a name last.
last() {
    grep -oE "$2" "$logs/$1.log" | tail -1 | grep -oE '[0-9]+$' || echo 0
}

targets=("$@")
if ((${#targets[@]} == 0)); then
    targets=(fuzz_targets/*.rs)
    targets=("${targets[@]##*/}")
    targets=("${targets[@]%.rs}")
fi
findings=()
for ((at = 0; at < ${#targets[@]}; at += 2)); do
    pair=("${targets[@]:at:2}")
    pids=()
    for target in "${pair[@]}"; do
        fuzz_one "$target" &
        pids+=($!)
    done
    for i in "${!pair[@]}"; do
        wait "${pids[$i]}" || findings+=("${pair[$i]}")
    done
done

printf '%-12s %12s %10s %8s %8s\n' target executions per-second covered corpus
total=0
for target in "${targets[@]}"; do
    executions=$(last "$target" 'number_of_executed_units: [0-9]+')
    total=$((total + executions))
    printf '%-12s %12d %10d %8d %8d\n' "$target" "$executions" "$((executions / seconds))" \
        "$(last "$target" 'cov: [0-9]+')" "$(find "corpus/$target" -type f | wc -l)"
done
printf '%-12s %12d\n' all "$total"
if ((${#findings[@]} > 0)); then
    for target in "${findings[@]}"; do
        echo "finding: $target, input in fuzz/artifacts/$target" >&2
        grep -aE 'panicked|ERROR|Test unit' -A2 "$logs/$target.log" | head -20 >&2
    done
    exit 1
fi
