#!/usr/bin/env bash
# What a trace of 1 GB costs: seconds and peak memory of every command that reads one, on one core.
#   benches/large.sh [--bytes 1G] [--trace FILE] [PROF]
# PROF is the release build; without it, `cargo build --release` makes it. --trace keeps the generated trace at that
# place, or takes the one that stands there already.
set -euo pipefail
cd "$(dirname "$0")/.."

bytes=1G trace= prof=
while [ $# -gt 0 ]; do
    case $1 in
    --bytes) bytes=$2 && shift 2 ;;
    --trace) trace=$2 && shift 2 ;;
    -*) echo "usage: $0 [--bytes 1G] [--trace FILE] [PROF]" >&2 && exit 2 ;;
    *) prof=$1 && shift ;;
    esac
done
if [ ! -x /usr/bin/time ] || ! command -v taskset >/dev/null; then
    echo "$0: /usr/bin/time or taskset is missing: apt-get install time util-linux" >&2
    exit 3
fi

target=${CARGO_TARGET_DIR:-target}
if [ -z "$prof" ]; then
    cargo build --release --quiet -p profcli
    prof=$target/release/prof
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "$trace" ] || trace=$work/large.proftrace

failed=0
# NAME COMMAND...: a row of the table. Measured is the command itself: time reports on its only child.
row() {
    local name=$1 status=0
    shift
    # Nothing takes ten minutes that is not broken.
    taskset -c 0 timeout 600 /usr/bin/time -o "$work/time" -v "$@" >"$work/out" 2>"$work/log" || status=$?
    awk -v name="$name" -v status="$status" -v out="$(stat -c %s "$work/out")" '
        /Elapsed .wall clock. time/ {
            n = split($NF, part, ":")
            seconds = n == 3 ? part[1] * 3600 + part[2] * 60 + part[3] : part[1] * 60 + part[2]
        }
        /User time/ { user = $NF }
        /Maximum resident set size/ { peak = $NF / 1024 }
        END {
            verdict = status == 0 ? "" : " (exit " status ")"
            printf "| %s%s | %.2f | %.2f | %.0f | %.1f |\n", name, verdict, seconds, user, peak, out / 1048576
        }' "$work/time"
    if [ "$status" -ne 0 ]; then
        failed=1
        tail -3 "$work/log" >&2
    fi
}

echo "| command | seconds | of them user | peak MiB | output MiB |"
echo "|---|--:|--:|--:|--:|"
if [ ! -e "$trace" ]; then
    cargo build --release --quiet -p benches --bin generate
    row "generate --bytes $bytes" "$target/release/generate" --bytes "$bytes" "$trace"
fi
# The first row has the file in memory like the others.
cat "$trace" >/dev/null
row "prof info" "$prof" info "$trace"
row "prof check" "$prof" check "$trace"
for format in text json pprof speedscope collapsed; do
    row "prof convert --to $format" "$prof" convert --to "$format" "$trace"
done
row "prof report" "$prof" report "$trace"
echo
echo "Trace: $(stat -c %s "$trace") bytes. $(nproc) cores, one used. Load: $(cut -d' ' -f1-3 /proc/loadavg)."
exit $failed
