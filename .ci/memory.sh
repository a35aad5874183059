#!/usr/bin/env bash
# Memory errors: profformat's tests of hostile and damaged files, of exports and of what is written under AddressSanitizer, the
# small files of the hostile corpus under valgrind: .ci/memory.sh [--build]
#
# --build builds what the sanitizer watches and runs nothing. What is left out passes through the same code.
set -euo pipefail
cd "$(dirname "$0")/.."

host=x86_64-unknown-linux-gnu
if [[ -n ${CARGO_TARGET_DIR-} ]]; then
    target_dir=$(realpath -m "$CARGO_TARGET_DIR")
else
    target_dir=$PWD/target
fi

# valgrind makes a program twenty to fifty times slower: only files of kilobytes, and no property tests.
# Of the whole workspace, as all tests are built: of profformat alone it would be built once more, with other features.
small_files() {
    local test_binary
    test_binary=$(cargo test --workspace --test hostile --no-run --message-format=json 2>/dev/null |
        grep -oE '"executable":"[^"]*"' | tail -1 | cut -d'"' -f4)
    cd profformat
    exec valgrind --quiet --error-exitcode=9 --leak-check=no "$test_binary" --exact small_files_do_no_harm --test-threads=1
}

# Of the tests or, to build them only, of nothing.
tests=(--lib --test damage --test hostile --test roundtrip --test exports)
what=(-- --skip half_a_gigabyte)
watched=
if [[ ${1-} == --build ]]; then
    what=(--no-run)
else
    # Beside the others, for it takes longer than any of them.
    small_files &
    watched=$!
    trap 'kill "$watched" 2>/dev/null || true' EXIT
fi
# The sanitizer reserves terabytes of addresses, so the test with little address space cannot run.
# Names of functions are enough for a finding: no line tables, which cost time to build. zstd's C code is not watched.
CFLAGS="-O1 ${CFLAGS-}" CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$target_dir/asan RUSTFLAGS="-Zsanitizer=address ${RUSTFLAGS-}" \
    cargo +nightly test --quiet -p profformat "${tests[@]}" --target "$host" "${what[@]}"
[[ -z $watched ]] || wait "$watched"
