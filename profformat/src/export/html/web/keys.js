// The bar on top: metric, search, look and help; the chips of what is in force; and the keys.

const KEYS = [
  ["1 … 6", "metric"], ["/", "search; /text/ is a regular expression"], ["n  N", "next, previous hit by size; in a source: next hot line, p the previous"],
  ["← → ↑ ↓", "in the graph: neighbors, caller, callee; in a table: rows; in the timeline: the range"], ["+  −", "in the timeline: a longer, shorter range"],
  ["z", "zoom to the selected box"], ["Backspace", "zoom out"], ["0", "the whole run"], ["Enter", "source of the selection"], ["t", "graph as a table"],
  ["s", "source in the boxes"], ["c  C", "copy file:line; copy the row"], ["u", "undo the last filter"], ["d", "light or dark"],
  ["Esc", "close; then clear search, selection, range"], ["?", "this list"],
];

function buildBar() {
  const metrics = head.metrics.map((metric, at) => {
    const words = metric.measured ? `${metric.name}: ${amount(metric.total, metric.unit)} (key ${at + 1})` : `not measured: ${metric.reason}`;
    return el("button", { type: "button", data: { metric: metric.id }, title: words, disabled: !metric.measured, click: () => change({ metric: metric.id }, true) }, metric.name);
  });
  const off = head.metrics.filter((metric) => !metric.measured);
  const input = el("input", { type: "search", id: "query", placeholder: "search  /", maxLength: 200, autocomplete: "off", spellcheck: false, aria: { label: "Search functions, files and source" }, input: typed, keydown: typedKey });
  clear(byId("controls"),
    el("div", { role: "group", className: "metrics", aria: { label: "Metric" } }, ...metrics), input,
    el("output", { id: "found" }),
    el("button", { type: "button", id: "look", title: "Light or dark (d)", click: turnLook }, "Dark"),
    el("button", { type: "button", title: "Keys (?)", aria: { label: "Keys" }, click: showHelp }, "?"));
  if (off.length) byId("controls").append(el("small", { className: "note" }, off.map((metric) => `${metric.name}: n/a, ${metric.reason}`).join(" · ")));
  byId("controls").hidden = false;
}

let typing = 0;
function typed(event) {
  const query = event.target.value;
  clearTimeout(typing);
  typing = setTimeout(() => change({ query }), 120);
}

function typedKey(event) {
  if (event.key === "Escape") {
    event.target.value = "";
    change({ query: "" });
    event.target.blur();
  } else if (event.key === "Enter") {
    clearTimeout(typing);
    change({ query: event.target.value }).then(() => nextHit(event.shiftKey ? -1 : 1));
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

function renderBar() {
  for (const button of document.querySelectorAll("[data-metric]")) button.setAttribute("aria-pressed", button.dataset.metric === state.metric);
  const input = byId("query");
  if (document.activeElement !== input) input.value = state.query;
  byId("found").textContent = state.query ? foundWords() : "";
  const chips = [];
  const chip = (text, clearing) => chips.push(el("button", { type: "button", className: "chip", title: "Remove this filter", click: () => change(clearing, true) }, name(text), el("span", { aria: { hidden: "true" } }, " ×")));
  const site = (at) => `${baseName(names.files[sites[at].file] || { short: "" })}:${sites[at].line}`;
  if (state.range) chip(`range ${rangeWords()}`, { range: null });
  if (state.thread !== null) chip(`thread ${cutMiddle(threadName(state.thread), 30)}`, { thread: null });
  if (state.under !== null) chip(`under ${site(state.under)}`, { under: null });
  if (state.drop !== null) chip(`without ${site(state.drop)}`, { drop: null });
  if (state.query) chip(`search “${cutEnd(state.query, 40)}”: ${foundWords()}`, { query: "" });
  for (const mode in state.modes) if (state.modes[mode]) chip({ python: "Python only", libraries: "libraries folded", recursion: "recursion folded", inverted: "inverted" }[mode], { modes: { ...state.modes, [mode]: false } });
  if (state.zoom) chip(`zoom ${cutMiddle(frameOf(now.view.frame[state.zoom]).name, 40)}`, { zoom: 0 });
  if (chips.length) {
    const metric = metricOf(state.metric);
    const whole = isFilterSet() && !isTime(state.metric) ? ": the whole run, for range and thread hold for time only" : "";
    const part = isNarrowed() ? ` (${share(now.all, metric.total)} of ${amount(metric.total, metric.unit)})` : "";
    chips.push(el("span", { className: "note" }, `${amount(now.all, metric.unit)} of ${wordsOf(metric)} in force${part}${whole}`));
  }
  clear(byId("chips"), ...chips);
}

function turnLook() {
  const dark = document.documentElement.dataset.look ? document.documentElement.dataset.look === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.look = dark ? "light" : "dark";
  redraw();
}

// Everything painted has colors of its own: again when the look changes.
function redraw() {
  palette = null;
  const dark = getComputedStyle(document.documentElement).getPropertyValue("--dark").trim() === "1";
  byId("look").textContent = dark ? "Light" : "Dark";
  drawFlame();
  drawTime();
}

function buildHelp() {
  const rows = KEYS.flatMap(([keys, words]) => [el("dt", {}, ...keys.split("  ").map((key) => el("kbd", {}, key))), el("dd", {}, words)]);
  const marks = [[ZERO, "zero"], [UNMEASURED, "not measured"], ["~", "rough: the interval is over a third of the figure"], ["<", "too few samples: no more than this, with 95 % certainty"], ["?", "unknown"]];
  const close = el("button", { type: "button", click: () => byId("help").close() }, "Close");
  return el("dialog", { id: "help", aria: { label: "Keys and marks" } }, el("h2", {}, "Keys"), el("dl", {}, ...rows), el("h2", {}, "Marks"),
    el("dl", {}, ...marks.flatMap(([mark, words]) => [el("dt", {}, mark), el("dd", {}, words)])),
    el("p", {}, "self: what a line took itself, with the native code and garbage collection it called. total: with everything below it; a recursive call counts once. 1 MiB is 2²⁰ bytes. ± is half of a 95 % interval."), close);
}

const showHelp = () => byId("help").showModal();

function copy(text) {
  if (!text) return say("Nothing is selected.");
  const done = () => say(`Copied ${cutEnd(text, 60)}`);
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => say(text));
  else say(text);
}

function copyPlace() {
  const site = pickedSite();
  copy(site >= 0 ? `${names.files[sites[site].file].path}:${sites[site].line}` : "");
}

function copyRow() {
  const row = document.querySelector("#panel tbody tr[aria-selected='true']");
  copy(row ? tables.columns.map((column) => cellText(column, tables.items[row.dataset.row])).join("\t") : "");
}

// The one thing that is most in the way is closed first.
function escape() {
  if (state.query) return change({ query: "" });
  if (state.open) return closeSource();
  if (state.pick) return change({ pick: null });
  if (state.range) return setRange(null);
}

function openPicked() {
  const site = pickedSite();
  const pick = state.pick;
  if (site >= 0) openLine(sites[site].file, sites[site].line);
  else if (pick && pick.kind === "function") openLine(functionSums[pick.id].file, functionSums[pick.id].line);
  else if (pick && pick.kind === "file") openLine(pick.id, 0);
}

const ACTS = {
  "/": () => byId("query").focus(),
  n: () => (state.query ? nextHit(1) : state.open && nextHot(1)), N: () => nextHit(-1), p: () => state.open && nextHot(-1),
  z: zoomIn, Backspace: zoomOut, 0: () => zoomTo(0), t: () => change({ grid: !state.grid }, true), s: () => change({ labels: !state.labels }),
  c: copyPlace, C: copyRow, u: undo, d: turnLook, Escape: escape, "?": showHelp, Enter: openPicked,
};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || byId("help").open) return;
  if (event.target.closest("input, textarea, select")) return;
  if (event.key === "Enter" && event.target.closest("button, a, summary")) return;
  const metric = head.metrics[Number(event.key) - 1];
  if (metric) metric.measured ? change({ metric: metric.id }, true) : say(`${metric.name} was not measured: ${metric.reason}`);
  else if (ACTS[event.key]) ACTS[event.key]();
  else return;
  event.preventDefault();
}
