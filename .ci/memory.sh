#!/usr/bin/env bash
# Memory errors: profformat's tests under AddressSanitizer, the small files of the hostile corpus under valgrind.
set -euo pipefail
cd "$(dirname "$0")/.."

host=x86_64-unknown-linux-gnu
if [[ -n ${CARGO_TARGET_DIR-} ]]; then
    target_dir=$(realpath -m "$CARGO_TARGET_DIR")
else
    target_dir=$PWD/target
fi

# The sanitizer reserves terabytes of addresses, so the test with little address space cannot run. A library
# without std is built by a test of its own, without the sanitizer.
# Names of functions are enough for a finding: no line tables, which cost time to build.
CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$target_dir/asan RUSTFLAGS="-Zsanitizer=address ${RUSTFLAGS-}" \
    cargo +nightly test --quiet -p profformat --tests --target "$host" -- \
    --skip half_a_gigabyte --skip a_c_program_reads

# valgrind makes a program twenty to fifty times slower: only files of kilobytes, and no property tests.
test_binary=$(cargo test -p profformat --test hostile --no-run --message-format=json 2>/dev/null |
    grep -oE '"executable":"[^"]*"' | tail -1 | cut -d'"' -f4)
(cd profformat && valgrind --quiet --error-exitcode=9 --leak-check=no \
    "$test_binary" --exact small_files_do_no_harm --test-threads=1)
