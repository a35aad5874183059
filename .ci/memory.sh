#!/usr/bin/env bash
# Memory errors: the small files of the hostile corpus under valgrind, and with --sanitizer profformat's tests under
# AddressSanitizer too: .ci/memory.sh [--sanitizer]
#
# `.ci/run` does without the sanitizer here: the fuzz targets of .ci/fuzz.sh are built with it and begin with the same files.
set -euo pipefail
cd "$(dirname "$0")/.."

host=x86_64-unknown-linux-gnu
target_dir=$(realpath -m "${CARGO_TARGET_DIR-target}")

# valgrind makes a program twenty to fifty times slower: only files of kilobytes, and no property tests.
# Of the whole workspace, as all tests are built: of profformat alone it would be built once more, with other features.
small_files() {
    local test_binary
    test_binary=$(cargo test --workspace --test hostile --no-run --message-format=json 2>/dev/null |
        grep -oE '"executable":"[^"]*"' | tail -1 | cut -d'"' -f4)
    cd profformat
    exec valgrind --quiet --error-exitcode=9 --leak-check=no "$test_binary" --exact small_files_do_no_harm --test-threads=1
}
if [[ ${1-} != --sanitizer ]]; then
    small_files
fi

# Beside the others, for it takes longer than any of them.
small_files &
watched=$!
trap 'kill "$watched" 2>/dev/null || true' EXIT
# The sanitizer reserves terabytes of addresses, so the test with little address space cannot run. A library
# without std is built by a test of its own, without the sanitizer.
# Names of functions are enough for a finding: no line tables, which cost time to build. zstd's C code is not watched.
CFLAGS="-O1 ${CFLAGS-}" CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$target_dir/asan RUSTFLAGS="-Zsanitizer=address ${RUSTFLAGS-}" \
    cargo +nightly test --quiet -p profformat --tests --target "$host" -- --skip half_a_gigabyte --skip a_c_program_reads
wait "$watched"
