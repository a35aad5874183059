#!/usr/bin/env bash
# Memory errors and races of the embedded profiler and of what has no lock: takes some minutes, and so is no stage of `.ci/run`.
#
#   AddressSanitizer    the embedded profiler's tests: unit tests, truth, faults; handlers walk instrumented stacks
#   valgrind's drd      rings, registry and live table under threads, see races.py for what it can tell
#
# The models of .ci/loom.sh are the third part: every order of a few steps, where these are many steps in a few orders.
set -euo pipefail
cd "$(dirname "$0")/.."

host=x86_64-unknown-linux-gnu
target_dir=$(realpath -m "${CARGO_TARGET_DIR-target}")

# Embedded alone: the collector's part has its own tests, and builds for long.
embedded=(-p profcore --no-default-features --features embed)
under_asan() {
    # What is leaked on purpose (a session's memory stays for ever) is no error. Its own alternate stacks would keep ours away.
    ASAN_OPTIONS=detect_leaks=0:use_sigaltstack=0${more-} CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$target_dir/asan \
        RUSTFLAGS="-Zsanitizer=address ${RUSTFLAGS-}" \
        cargo +nightly test --quiet "${embedded[@]}" --target "$host" "$@"
}
# The sanitizer has handlers of its own.
under_asan --lib -- --skip an_alternate_stack_without_room
under_asan --test embed_alloc --test embed_truth
# It ends a program that faults in its own way, and takes memory of its own: without the cases of ends and limits.
under_asan --test embed_faults -- life libraries panics signals stacks threads
# A child that is forked while a thread holds the lock of its list of freed blocks waits for that for good: without the list.
more=:quarantine_size_mb=0:thread_local_quarantine_size_kb=0 under_asan --test embed_faults -- fork

test_binary=$(cargo test "${embedded[@]}" --lib --no-run --message-format=json 2>/dev/null |
    grep -oE '"executable":"[^"]*"' | tail -1 | cut -d'"' -f4)
python3 .ci/races.py "$test_binary" --quiet --test-threads=1 live::tests::threads_hand live::tests::of_two ring::
