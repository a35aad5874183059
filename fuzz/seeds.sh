#!/usr/bin/env bash
# Fills corpus/TARGET with traces to begin from: those of released versions, recorded ones, the example, and the
# small files of the hostile corpus. Files that a fuzzer has found stay.
set -euo pipefail
cd "$(dirname "$0")"

seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
tests=../profformat/tests
for file in "$tests"/golden/*.proftrace "$tests"/recorded/*.proftrace; do
    # Long inputs make a fuzzer slow.
    if [[ -f $file && $(stat -c %s "$file") -le 65536 ]]; then
        cp "$file" "$seeds/"
    fi
done
# As all tests are built: of profformat alone both would be built once more, with other features.
whole=(--quiet --manifest-path ../Cargo.toml --workspace)
HOSTILE_OUT=$seeds cargo test "${whole[@]}" --test hostile -- --exact write_seeds --ignored >/dev/null
cargo build "${whole[@]}" --example write_trace
"${CARGO_TARGET_DIR:-../target}/debug/examples/write_trace" "$seeds/example"

for target in reader recover text exports; do
    mkdir -p "corpus/$target"
    cp -n "$seeds"/* "corpus/$target/"
done

# Two traces behind the length of the first one, and one behind the length of the pieces that it comes in.
mkdir -p corpus/merge corpus/diff corpus/follow
python3 - "$seeds" corpus <<'PY'
import pathlib, sys
seeds, corpus = map(pathlib.Path, sys.argv[1:])
files = sorted(path for path in seeds.iterdir() if path.stat().st_size < 1 << 15)
whole = max((path for path in files if path.suffix == ".proftrace"), key=lambda path: path.name).read_bytes()
for path in files:
    two = len(whole).to_bytes(2, "little") + whole + path.read_bytes()
    for target, seed in [("merge", two), ("diff", two), ("follow", b"\x05" + path.read_bytes())]:
        (corpus / target / path.name).write_bytes(seed)
PY

# Line tables that CPython made: a first line, an offset, the table. `arbitrary` takes numbers off the front.
mkdir -p corpus/lines corpus/round_trip
python3 - ../profcore/src/cpython/vectors corpus/lines <<'PY'
import pathlib, sys
vectors, corpus = map(pathlib.Path, sys.argv[1:])
for path in sorted(vectors.glob("lines-*.txt")):
    rows = [row for row in path.read_text().splitlines() if not row.startswith("#")]
    for number, row in enumerate(rows[:40]):
        first_line, table = row.split(" ")[:2]
        seed = int(first_line).to_bytes(4, "little") + (40).to_bytes(4, "little")
        (corpus / f"{path.stem}-{number}").write_bytes(seed + bytes.fromhex(table))
PY
