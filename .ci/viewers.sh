#!/usr/bin/env bash
# Proves with the real viewers that the exports of a real trace are what they should be:
#   .ci/viewers.sh [--install] [--parquet] PROF TRACE
# - `go tool pprof` reads the pprof files (-raw, -top, -traces, -tags);
# - stacks, threads, classes and totals of pprof, speedscope, collapsed, JSON, flame graph, Firefox's and Scalene's files
#   agree to the nanosecond and byte (.ci/totals.py);
# - JSON and speedscope files fit their schemas;
# - speedscope itself, in a headless Chromium, shows the files;
# - the flame graph is painted there, every box in its color (.ci/painted.py), and a click widens a box;
# - `scalene view` makes a page of its file, which shows our lines there;
# - where `prof` was built with the feature `parquet`, DuckDB reads that, with the same total (--parquet: it must be);
# - of a run of profcli/tests/programs/libraries.py, both show numpy, zlib and a Rust library below the Python lines that
#   called them, with their lines where the library has any (.ci/libraries.py), and speedscope lists the threads.
# Exit: 0 all proven, 1 a check failed, 2 wrong usage, 3 a tool was missing (its checks say SKIPPED).
# SHOTS=FOLDER keeps the pictures of the flame graph and of speedscope with the libraries. Their Python is one that .ci/apps.sh has packages for.
# --install gets what is missing: apt for go and chromium, npm and pip into a scratch folder.
# SPEEDSCOPE (its dist/release), CHECK_JSONSCHEMA, SCALENE and DUCKDB (a Python that can import it) name tools that stand
# elsewhere.
set -u
here=$(cd "$(dirname "$0")" && pwd)
install=no must_have_parquet=no
if [ "${1-}" = --install ]; then install=yes; shift; fi
if [ "${1-}" = --parquet ]; then must_have_parquet=yes; shift; fi
if [ $# -ne 2 ]; then echo "usage: $0 [--install] [--parquet] PROF TRACE" >&2; exit 2; fi
prof=$(realpath "$1") trace=$(realpath "$2")

work=$(mktemp -d)
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
export PPROF_TMPDIR=$work/pprof
failed=0 skipped=0
ok() { echo "ok       $*"; }
bad() { echo "FAILED   $*" >&2; failed=$((failed + 1)); }
skip() { echo "SKIPPED  $*" >&2; skipped=$((skipped + 1)); }
have() { command -v "$1" >/dev/null 2>&1; }
# NAME COMMAND...: runs a check; its output is shown when it fails.
check() {
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then ok "$name"; else bad "$name"; sed 's/^/         /' "$work/log" | tail -20 >&2; fi
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}
parquet() { "$prof" convert --help | grep -q parquet; }
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ $install = yes ]; then
    if ! have go || [ -z "$chromium" ]; then
        apt-get update -qq >/dev/null 2>&1
        have go || apt_install golang-go
        [ -n "$chromium" ] || apt_install chromium fonts-dejavu-core
        chromium=$(command -v chromium || true)
    fi
    if [ -z "${SPEEDSCOPE-}" ]; then
        npm install --silent --prefix "$work" speedscope@1.25.0 >/dev/null 2>&1
        SPEEDSCOPE=$work/node_modules/speedscope/dist/release
    fi
    packages=
    if [ -z "${CHECK_JSONSCHEMA-}" ] && ! have check-jsonschema; then
        packages="$packages check-jsonschema==0.39.0" CHECK_JSONSCHEMA=$work/venv/bin/check-jsonschema
    fi
    [ -n "${SCALENE-}" ] || packages="$packages scalene==2.4.0" SCALENE=$work/venv/bin/scalene
    [ -n "${DUCKDB-}" ] || ! parquet || packages="$packages duckdb==2.0.1" DUCKDB=$work/venv/bin/python
    if [ -n "$packages" ]; then
        python3 -m venv "$work/venv" && "$work/venv/bin/pip" -q install --only-binary :all: $packages >/dev/null 2>&1
    fi
fi
[ -n "${CHECK_JSONSCHEMA-}" ] || CHECK_JSONSCHEMA=$(command -v check-jsonschema || true)
[ -x "${SCALENE-}" ] || SCALENE=$(command -v scalene || true)
[ -x "${DUCKDB-}" ] || DUCKDB=
[ -d "${SPEEDSCOPE-}" ] || SPEEDSCOPE=

out=$work/out
mkdir "$out" "$PPROF_TMPDIR"
target=${CARGO_TARGET_DIR:-$here/../target}

# --- a run of our own: libraries, in threads ---------------------------------------------------------
seconds=1.5
libraries=
for folder in "$target"/apps/3.{12,11,13,10,9}; do
    python=$(ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"${folder##*/}".*/bin/python3 2>/dev/null | tail -1)
    [ -n "$python" ] || python=$(command -v "python${folder##*/}")
    if [ -f "$folder/complete" ] && [ -n "$python" ] && have rustc; then
        programs=$(realpath "$here/../profcli/tests/programs")
        rustc --edition=2021 -O -g --crate-type=cdylib -o "$work/libnative_work.so" "$programs/native_work.rs" &&
            PYTHONPATH=$folder OPENBLAS_NUM_THREADS=1 "$prof" run --quiet --rate 250 -o "$work/libraries.proftrace" -- \
                "$python" "$programs/libraries.py" "$work/libnative_work.so" $seconds &&
            libraries=$work/libraries.proftrace
        if [ -n "$libraries" ]; then ok "run of libraries.py with $python"; else bad "run of libraries.py with $python"; fi
        break
    fi
done
[ -n "$libraries" ] || skip "numpy, zlib and Rust below their lines: needs rustc and .ci/apps.sh"

# --- conversions -------------------------------------------------------------------------------------
metrics=
check "convert to json" "$prof" convert "$trace" --to json -o "$out/profile.json"
for metric in cpu wall alloc live peak copies; do
    if "$prof" convert "$trace" --to collapsed --metric $metric >"$out/$metric.collapsed" 2>"$work/log"; then
        metrics="$metrics $metric"
        check "convert $metric to pprof" "$prof" convert "$trace" --to pprof --metric $metric -o "$out/$metric.pb.gz"
        for format in speedscope firefox scalene; do
            check "convert $metric to $format" "$prof" convert "$trace" --to $format --metric $metric -o "$out/$metric.$format.json"
        done
        check "convert $metric to flamegraph" "$prof" convert "$trace" --to flamegraph --metric $metric -o "$out/$metric.svg"
    elif grep -q "has no $metric figures" "$work/log"; then
        echo "none     $metric: $(cat "$work/log")"
    else
        bad "convert $metric: $(cat "$work/log")"
    fi
done
if [ -n "$libraries" ]; then
    check "convert libraries to json" "$prof" convert "$libraries" --to json -o "$out/libraries.json"
    for metric in cpu wall; do
        for format in pprof speedscope collapsed flamegraph firefox scalene; do
            check "convert $metric of libraries to $format" "$prof" convert "$libraries" --to $format --metric $metric -o "$out/libraries.$metric.$format"
        done
    done
fi
"$prof" convert "$trace" --to pprof | cmp -s - "$out/cpu.pb.gz" && ok "pprof bytes are the same twice, and on a pipe" || bad "pprof bytes differ between two conversions"

# --- go tool pprof -----------------------------------------------------------------------------------
if have go && go tool -n pprof >/dev/null 2>&1; then
    for metric in $metrics; do
        file=$out/$metric.pb.gz
        for view in raw top traces tags; do
            check "go tool pprof -$view $metric" sh -c "go tool pprof -symbolize=none -$view '$file' >'$out/$metric.$view'"
        done
        if have python3; then
            check "totals of $metric" python3 "$here/totals.py" $metric "$out/$metric.raw" "$out/$metric.speedscope.json" "$out/$metric.collapsed" "$out/profile.json" \
                "$out/$metric.svg" "$out/$metric.firefox.json" "$out/$metric.scalene.json"
        else
            skip "totals of $metric: no python3"
        fi
    done
    if [ -n "$libraries" ]; then
        for metric in cpu wall; do
            file=$out/libraries.$metric
            check "go tool pprof -raw $metric of libraries" sh -c "go tool pprof -symbolize=none -raw '$file.pprof' >'$file.raw'"
            check "totals of $metric of libraries" python3 "$here/totals.py" $metric "$file.raw" "$file.speedscope" "$file.collapsed" "$out/libraries.json" \
                "$file.flamegraph" "$file.firefox" "$file.scalene"
        done
        file=$out/libraries.cpu
        check "mappings of libraries have build ids" grep -qE '^ *[0-9]+: 0x0/0x0/0x0 .*/[^ ]*\.so[^ ]* [0-9a-f]{16,128} \[FN\]' "$file.raw"
        # Left to itself, pprof looks for no names: all there are stand in the file.
        go tool pprof -raw "$file.pprof" 2>"$work/log" | cmp -s - "$file.raw" && [ ! -s "$work/log" ] &&
            ok "go tool pprof has nothing to look up" || bad "go tool pprof looks up names: $(head -3 "$work/log")"
        check "go tool pprof -tags of libraries" sh -c "go tool pprof -symbolize=none -tags '$file.pprof' >'$file.tags'"
        check "tags thread, process and class" python3 "$here/libraries.py" tags "$file.tags"
        check "go tool pprof -lines -traces of libraries" sh -c "go tool pprof -symbolize=none -lines -traces '$file.pprof' >'$file.traces'"
        check "-traces has libraries below their lines" python3 "$here/libraries.py" traces "$file.traces" $seconds
        # The check can fail: without one of the functions.
        sed 's/deflate/inflate/' "$file.traces" >"$work/other.traces"
        if python3 "$here/libraries.py" traces "$work/other.traces" $seconds >/dev/null 2>&1; then bad "-traces without deflate passes"; else ok "-traces without deflate is refused"; fi
    fi
    # The check can fail: a file cut short must be refused.
    head -c 100 "$out/cpu.pb.gz" >"$work/cut.pb.gz"
    if go tool pprof -symbolize=none -raw "$work/cut.pb.gz" >/dev/null 2>&1; then bad "go tool pprof takes a cut file"; else ok "go tool pprof refuses a cut file"; fi
else
    skip "go tool pprof and totals: no go"
fi

# --- schemas -----------------------------------------------------------------------------------------
if [ -n "$CHECK_JSONSCHEMA" ]; then
    check "json fits docs/profile.schema.json" "$CHECK_JSONSCHEMA" --schemafile "$here/../docs/profile.schema.json" "$out/profile.json"
    "$prof" diff "$trace" "$trace" --format json -o "$out/diff.json"
    check "json fits docs/diff.schema.json" "$CHECK_JSONSCHEMA" --schemafile "$here/../docs/diff.schema.json" "$out/diff.json"
    if [ -n "$SPEEDSCOPE" ]; then
        for metric in $metrics; do
            check "speedscope's schema, $metric" "$CHECK_JSONSCHEMA" --schemafile "$SPEEDSCOPE/file-format-schema.json" "$out/$metric.speedscope.json"
        done
    else
        skip "speedscope's schema: no speedscope"
    fi
else
    skip "schemas: no check-jsonschema"
fi

# --- flame graph, Scalene, DuckDB --------------------------------------------------------------------
browse() {
    "$chromium" --headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic \
        --no-first-run --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$(mktemp -d -p "$work")" --window-size=1600,900 --virtual-time-budget=20000 \
        "$@" 2>"$work/chromium"
}
# FILE: a picture of the flame graph at its own size.
screenshot() {
    browse --hide-scrollbars --window-size=1200,600 --screenshot="$work/picture.png" "file://$1"
}
# FILE: the boxes of the flame graph have their colors in the browser.
painted() {
    screenshot "$1" && python3 "$here/painted.py" "$1" "$work/picture.png"
}
# FILE: the flame graph's first box below the topmost is clicked: it is told about, and as wide as the picture.
clicked() {
    sed 's|^</svg>|<script>document.querySelectorAll("g.box")[1].dispatchEvent(new Event("click"));</script></svg>|' "$1" >"$work/clicked.svg"
    browse --dump-dom "file://$work/clicked.svg" >"$work/dom"
    python3 - "$work/dom" <<'PY'
import re, sys
page = open(sys.argv[1], encoding="utf-8").read()
boxes = re.findall(r'<g class="box".*?</g>', page, re.S)
name = re.search("<title>(.*?)\n", boxes[1]).group(1)
about = re.search('class="about"[^>]*>(.*?)</text>', page).group(1)
assert about.startswith(name + ": "), about
assert abs(float(re.search(r' width="([\d.]+)"', boxes[1]).group(1)) - 1200) < 0.01, boxes[1]
PY
}
# FILE: fits Scalene's schema.
scalene_schema() {
    "$(dirname "$SCALENE")/python" - "$1" <<'PY'
import json, sys
from scalene.scalene_json import ScaleneJSONSchema
ScaleneJSONSchema(**json.load(open(sys.argv[1], encoding="utf-8")))
PY
}
# FILE: Scalene's page shows the lines of the tour that take time, with their source.
scalene_page() {
    (cd "$work" && "$SCALENE" view --standalone "$1") && browse --dump-dom "file://$work/scalene-profile.html" >"$work/dom"
    python3 - "$1" "$work/dom" <<'PY'
import html, json, re, sys
profile = json.load(open(sys.argv[1], encoding="utf-8"))
page = html.unescape(re.sub("<[^>]*>", "", open(sys.argv[2], encoding="utf-8").read().split('id="profile"', 1)[1]))
files = sorted(profile["files"].items(), key=lambda file: -file[1]["percent_cpu_time"])
name, hottest = files[0]
assert name in page, name
lines = [line for line in hottest["lines"] if line["n_cpu_percent_python"] + line["n_cpu_percent_c"] >= 2]
assert lines, "no line took any time"
for line in lines:
    text = re.sub(r"\\u00(..)", lambda code: chr(int(code[1], 16)), line["line"]).strip()
    assert text in page, text
print(len(lines), "lines of", name)
PY
}
if [ -n "$chromium" ] && have python3; then
    for metric in $metrics; do
        check "the flame graph of $metric is painted" painted "$out/$metric.svg"
    done
    sed 's|fill="hsl([^"]*"|fill="#fff"|' "$out/cpu.svg" >"$work/blank.svg"
    screenshot "$work/blank.svg"
    if python3 "$here/painted.py" "$out/cpu.svg" "$work/picture.png" >/dev/null 2>&1; then bad "a blank picture passes"; else ok "a blank picture is refused"; fi
    [ -z "${SHOTS-}" ] || { screenshot "$out/cpu.svg" && cp "$work/picture.png" "$SHOTS/flamegraph.png"; }
    check "the flame graph's boxes answer clicks" clicked "$out/cpu.svg"
    sed 's|data-weight="[0-9]*"|data-weight="0"|' "$out/cpu.svg" >"$work/other.svg"
    if clicked "$work/other.svg" >/dev/null 2>&1; then bad "a flame graph without weights passes"; else ok "a flame graph without weights is refused"; fi
    if [ -n "$SCALENE" ]; then
        check "Scalene's schema" scalene_schema "$out/cpu.scalene.json"
        check "scalene view shows our lines" scalene_page "$out/cpu.scalene.json"
    else
        skip "Scalene's page: no scalene"
    fi
else
    skip "flame graph and Scalene's page: needs chromium and python3"
fi
if parquet && [ -n "$DUCKDB" ]; then
    for metric in $metrics; do
        check "convert $metric to parquet" "$prof" convert "$trace" --to parquet --metric $metric -o "$out/$metric.parquet"
        check "DuckDB has the total of $metric" "$DUCKDB" - "$out/$metric.parquet" "$out/$metric.collapsed" <<'PY'
import collections, duckdb, sys
lines = collections.Counter()
for line in open(sys.argv[2], encoding="utf-8"):
    stack, weight = line.rstrip("\n").rsplit(" ", 1)
    lines[stack] += int(weight)
found = dict(duckdb.sql("select stack, sum(weight)::bigint from '%s' group by 1" % sys.argv[1]).fetchall())
assert found == dict(lines), "stacks differ"
PY
    done
elif parquet; then
    skip "parquet: no DuckDB"
elif [ $must_have_parquet = yes ]; then
    bad "parquet: $prof is built without it"
fi

# --- speedscope --------------------------------------------------------------------------------------
# FILE WORDS: loads the file in speedscope; the page's title must have the words in it.
page() {
    browse --dump-dom "http://127.0.0.1:$port/speedscope/index.html#profileURL=http://127.0.0.1:$port/$1" >"$work/dom"
    grep -o '<title>[^<]*</title>' "$work/dom"
    ! grep -q 'Something went wrong' "$work/dom" && grep -qE "<title>.*$2.* - speedscope</title>" "$work/dom"
}
# FROM TO: speedscope's page with .ci/watch.js in it.
watched() {
    python3 - "$1" "$here/watch.js" "$2" <<'PY'
import sys
page, script = (open(path, encoding="utf-8").read() for path in sys.argv[1:3])
open(sys.argv[3], "w", encoding="utf-8").write(
    page.replace("<head>", '<head><base href="speedscope/"><script>' + script + "</script>", 1))
PY
}
if [ -n "$SPEEDSCOPE" ] && [ -n "$chromium" ] && have python3; then
    ln -s "$SPEEDSCOPE" "$out/speedscope"
    echo '{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":[]},"profiles":[{"type":"sampled","name":"x","unit":"none","startValue":0,"endValue":1,"samples":[[7]],"weights":[1]}]}' >"$out/broken.json"
    python3 -u - "$out" >"$work/port" 2>/dev/null <<'PY' &
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(server.server_address[1])
server.serve_forever()
PY
    server=$!
    for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
    port=$(cat "$work/port")
    for metric in $metrics; do
        check "speedscope shows $metric" page "$metric.speedscope.json" "\\($metric\\)"
    done
    check "speedscope shows the pprof file" page cpu.pb.gz cpu.pb.gz
    check "speedscope shows collapsed stacks" page cpu.collapsed cpu.collapsed
    if [ -n "$libraries" ]; then
        watched "$out/speedscope/index.html" "$out/watched.html"
        address=http://127.0.0.1:$port/watched.html#profileURL=http://127.0.0.1:$port/libraries.cpu.speedscope
        address="$address&view=left-heavy&$(python3 "$here/libraries.py" address "$out/libraries.cpu.speedscope")"
        browse --dump-dom "$address" >"$work/dom"
        check "speedscope paints libraries below their lines, and lists the threads" python3 "$here/libraries.py" shown "$out/libraries.cpu.speedscope" "$work/dom"
        sed 's/deflate/inflate/g' "$work/dom" >"$work/other.dom"
        if python3 "$here/libraries.py" shown "$out/libraries.cpu.speedscope" "$work/other.dom" >/dev/null 2>&1; then bad "a picture without deflate passes"; else ok "a picture without deflate is refused"; fi
        if [ -n "${SHOTS-}" ]; then
            browse --screenshot="$SHOTS/speedscope.png" "${address%&profiles=1}" && browse --screenshot="$SHOTS/speedscope-threads.png" "$address"
        fi
    fi
    if page broken.json x >/dev/null 2>&1; then bad "speedscope takes a broken file"; else ok "speedscope refuses a broken file"; fi
else
    skip "speedscope in a browser: needs speedscope, chromium and python3"
fi

if [ $failed -gt 0 ]; then echo "$failed checks FAILED, $skipped skipped" >&2; exit 1; fi
if [ $skipped -gt 0 ]; then echo "$skipped checks SKIPPED" >&2; exit 3; fi
echo "all viewers take all exports"
