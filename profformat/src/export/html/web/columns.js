// What the tables hold: their rows, columns and words.

const TABS = {
  yours: { title: "Your lines", order: [["total", -1]], items: () => lineItems(true), columns: (items) => lineColumns(items, "total"), sum: sumOwn,
    caption: (items, shown) => lineCaption(items, shown, "of your own code, by total; a library's work stands at the line that called it", "total") },
  hot: { title: "Hot lines", order: [["own", -1], ["total", -1]], items: () => lineItems(false), columns: (items) => lineColumns(items, "own"), sum: sumOwn,
    caption: (items, shown) => lineCaption(items, shown, "of your code and libraries, by what they took themselves", "own") },
  functions: { title: "Functions", order: [["own", -1], ["total", -1]], items: () => groupItems("functions"), columns: (items) => groupColumns(items), sum: sumOwn,
    caption: (items, shown) => lineCaption(items, shown, "a recursive call counts once in a total", "own", "function") },
  files: { title: "Files", order: [["own", -1], ["total", -1]], items: () => groupItems("files"), columns: (items) => groupColumns(items), sum: sumOwn,
    caption: (items, shown) => lineCaption(items, shown, "of your code and libraries", "own", "file") },
  threads: { title: "Threads", order: [["cpu", -1]], items: () => workerItems(head.threads, false), columns: (items) => workerColumns(items, false),
    caption: (items) => `${plural(items.length, "thread")}, of the whole run · Enter: only this thread` },
  processes: { title: "Processes", when: () => head.processes.length > 1, order: [["cpu", -1]], items: () => workerItems(head.processes, true),
    columns: (items) => workerColumns(items, true), caption: (items) => `${plural(items.length, "process").replace("processs", "processes")}, of the whole run` },
  kept: { title: "Memory kept", order: [["leak", -1], ["live", -1]], items: keptItems, columns: keptColumns, sum: (items) => bytes(add(items, (item) => item.row.live)), caption: keptCaption },
};

const add = (items, value) => items.reduce((sum, item) => sum + value(item), 0);
function sumOwn(items) {
  return `${amount(add(items, (item) => item.own), unitNow())} themselves`;
}
const most = (items, value) => items.reduce((top, item) => Math.max(top, value(item)), 0);

// Figures of a row of the block by metric: what the line took itself.
function ownOf(row, metric) {
  if (isTime(metric)) return row.split.slice(0, metric === "cpu" ? 4 : 6).reduce((a, b) => a + b, 0);
  return row[metric];
}

function unmeasured() {
  const metric = metricOf(state.metric);
  return metric.measured ? null : `${metric.name} was not measured: ${metric.reason}`;
}

function lineItems(onlyOwn) {
  const reason = unmeasured();
  if (reason) return { items: [], reason };
  const sum = sumsNow("sites");
  const whole = !isNarrowed();
  const item = (site, row) => {
    const place = sites[site];
    const exact = whole && row;
    const own = exact ? ownOf(row, state.metric) : sum.own[site];
    const total = exact && state.metric === "cpu" ? row.total : Math.max(sum.total[site], own);
    const split = Array.from(sum.split.subarray(site * 6, site * 6 + 6));
    return lineItem(site, place, row, { own, total, split, exact: exact && state.metric === "cpu" ? row : null });
  };
  const rows = whole ? lines.rows.map((row) => item(row.site, row)) : sites.map((_, site) => item(site, rowOf(site)));
  const items = rows.filter((line) => line.own || (line.total && !isLauncher(line.file)));
  if (!onlyOwn) return { items };
  const own = items.filter((line) => line.file && line.file.own);
  return { items: own, reason: own.length ? null : items.length ? "No line of your own code is in these figures: see Hot lines." : null };
}

function lineItem(site, place, row, values) {
  const file = names.files[place.file];
  return {
    ...values, row, place, file, id: site, pick: "line",
    open: place.line ? () => openLine(place.file, place.line) : null,
    text: () => searchText(place.name, file, place.line),
    sort(key) {
      if (key === "why") return this.exact && this.exact.why[0] ? this.exact.why[0].ns : 0;
      if (key === "half") return this.exact ? this.exact.half : halfOf(this.own);
      if (key === "split") return this.split.reduce((a, b) => a + b, 0);
      if (key === "share") return this.own;
      if (key === "place") return `${file ? file.short : ""}:${String(place.line).padStart(8)}`;
      if (key === "source") return sourceLine(place.file, place.line) || place.name;
      if (key === "held") return row ? Math.max(0, ...row.curve) : 0;
      return key in this ? this[key] : row ? row[key] || 0 : 0;
    },
  };
}

// Figures of one sort column: `own` or `total` gives the bar its length.
function lineColumns(items, by) {
  const unit = unitNow();
  const scale = scaleOf(unit, most(items, (item) => Math.max(item.own, item.total)));
  const full = most(items, (item) => item[by]);
  const samples = (item, total) => item.exact ? { samples: total ? item.exact.totalSamples : item.exact.samples, half: total ? item.exact.totalHalf : item.exact.half } : {};
  const memory = (key, text, title) => byteColumn(items, key, text, title, (item) => (item.row ? item.row[key] : 0));
  const columns = [
    { key: "own", num: true, text: `self ${scale.unit}`, title: "What the line took itself, native code and garbage collection it called included", cell: (item) => marked(item.own, scale, unit, inMemory(item, samples(item))) },
    unit === "ns" && { key: "half", num: true, text: `± ${scale.unit}`, title: "Half of the 95 % interval of self", cell: (item) => (item.own ? figure(item.exact ? item.exact.half : halfOf(item.own), scale) : ZERO) },
    { key: "total", num: true, text: `total ${scale.unit}`, title: "With everything it called; a recursive call counts once", cell: (item) => marked(item.total, scale, unit, inMemory(item, samples(item, true))) },
    { key: "share", num: true, text: "self %", title: "Self as a share of all that is in force", cell: (item) => (item.own ? percent(item.own, now.all) : ZERO) },
    { key: "split", text: "split", title: unit === "ns" ? `Python, native, GC, kernel, waits; full bar = ${amount(full, unit)}` : `full bar = ${amount(full, unit)}`,
      cell: (item) => splitCell(item, by, full, unit), plain: (item) => (unit === "ns" ? splitWords(item.split) : "") },
    state.metric === "cpu" && by === "own" && { key: "why", text: "why", title: "The largest parts of its total", cell: (item) => name(whyWords(item.row)) },
    !isTime(state.metric) || !measured("peak") ? null : memory("peak", "at peak", "Held by the line when the program held most"),
    measured("peak") && { key: "held", text: "held", title: "Memory of the line over the run, from zero; each to its own height", cell: (item) => (item.row && item.row.curve.some((v) => v) ? sparkline(item.row.curve) : ""), plain: () => "" },
    !isTime(state.metric) || !measured("copies") ? null : memory("copies", "copied", "Bytes copied by the line"),
    { key: "place", text: "line", title: "File and line, function", cell: placeCell, plain: (item) => placeText(item) },
    { key: "source", text: "source", title: "Source of the line; its function where there is none", cell: sourceCell },
  ];
  return columns.filter(Boolean);
}

const measured = (id) => (metricOf(id) || {}).measured;

// What the marks of bytes need: the interval of the samples and the mean size of a block.
const inMemory = (item, samples) => (unitNow() === "ns" ? samples : sampling(item.row, state.metric));

function sampling(row, metric) {
  if (!head.intervals || !row) return {};
  const [interval, sum, number] = metric === "copies" ? [head.intervals.copy, row.copies, row.copyCount] : [head.intervals.alloc, row.alloc, row.allocCount];
  return { interval, mean: number ? sum / number : 1 };
}

function byteColumn(items, key, text, title, value) {
  const scale = byteScale(most(items, value));
  return { key, num: true, text: `${text} ${scale.unit}`, title, cell: (item) => marked(value(item), scale, "bytes", sampling(item.row, key)) };
}

// By total, the rest of the bar is what the line led to.
function splitCell(item, by, full, unit) {
  if (unit !== "ns") return bar([["memory", item[by]]], full);
  if (by === "own") return classBar(item.split, full);
  const below = belowSplit(item.pick, item.id);
  return below ? classBar(below, full) : bar([["grey", item.total]], full);
}

const SHORT_WHY = ["itself", "GC", "", "kernel", ""];
function whyWords(row) {
  if (!row || isNarrowed()) return "";
  const parts = row.why.slice(0, 2).map(({ what, name: label, ns }) => `${SHORT_WHY[what] || `${what === 4 ? "→ " : ""}${cutMiddle(label, 20)}`} ${told(ns, "ns")}`);
  return parts.join(" · ");
}

const placeText = ({ place, file }) => (file && file.path ? `${file.short}${place.line ? `:${place.line}` : ""}` : place.name);
function placeCell(item) {
  const { place, file } = item;
  const text = file && file.path ? `${cutStart(file.short, 30)}${place.line ? `:${place.line}` : ""}` : place.name || "[no name]";
  return el("span", { title: `${file ? file.path : ""}  ${place.name}` }, name(text));
}

function sourceCell({ place }) {
  const cell = el("span");
  const fill = () => {
    const text = sourceLine(place.file, place.line, fill);
    clear(cell, text ? el("code", {}, text.slice(0, 400)) : name(place.line && isChanged(place.file) ? "(source changed since)" : place.name, "muted"));
  };
  fill();
  return cell;
}

function groupItems(kind) {
  const reason = unmeasured();
  if (reason) return { items: [], reason };
  const sum = sumsNow(kind);
  const exact = kind === "functions" && !isNarrowed() && state.metric === "cpu" ? new Map(lines.functions.map((fn) => [`${fn.file}:${fn.line}:${fn.name}`, fn])) : new Map();
  const list = kind === "functions" ? functionSums : names.files.map((file) => ({ file: file.id, line: 0, name: "" }));
  const items = list.map((place, id) => {
    const row = exact.get(`${place.file}:${place.line}:${place.name}`);
    const split = row ? row.split : Array.from(sum.split.subarray(id * 6, id * 6 + 6));
    const own = row ? ownOf(row, "cpu") : sum.own[id];
    const item = lineItem(id, place, null, { own, total: row ? row.total : Math.max(sum.total[id], own), split, exact: row ? { ...row, totalSamples: samplesOf(row.total), totalHalf: halfOf(row.total), why: [] } : null });
    const open = kind === "files" ? () => openLine(id, 0) : item.open;
    return { ...item, pick: kind === "files" ? "file" : "function", open };
  });
  return { items: items.filter((item) => item.own || (item.total && !isLauncher(item.file))) };
}

function groupColumns(items) {
  const keep = ["own", "half", "total", "share", "split"];
  const columns = lineColumns(items, "own").filter(({ key }) => keep.includes(key));
  if (state.tab === "functions") columns.push({ key: "name", text: "function", title: "Its name", cell: (item) => name(cutMiddle(item.place.name || "[no name]", 80)) });
  return columns.concat({ key: "place", text: state.tab === "files" ? "file" : "place", title: "Where it is", cell: (item) => (item.file && item.file.path ? placeCell(item) : "") });
}

function lineCaption(items, shown, words, by, noun = "line") {
  const number = shown.length === items.length ? plural(items.length, noun) : `${count(shown.length)} of ${plural(items.length, noun)}`;
  const metric = metricOf(state.metric);
  const whole = isNarrowed() || !isFilterSet() ? "" : " · of the whole run: the filter holds for time only";
  return `${number} ${words} · ${amount(add(items, (item) => item.own), metric.unit)} of ${wordsOf(metric)} themselves · full bar = ${amount(most(items, (item) => item[by]), metric.unit)}${whole}`;
}

const isFilterSet = () => state.range !== null || state.thread !== null;

function workerItems(list, isProcess) {
  const items = list.map((worker, id) => ({
    worker, id, pick: null,
    cpu: worker.ns.slice(0, 4).reduce((a, b) => a + b, 0), waiting: worker.ns[4] + worker.ns[5], split: worker.ns, alloc: worker.alloc, copied: worker.copied,
    label: isProcess ? worker.command : threadName(id),
    open: isProcess ? null : () => change({ thread: id }, true),
    text: () => (isProcess ? worker.command : threadName(id)),
    sort(key) { return key === "split" ? this.cpu + this.waiting : key === "pid" ? (isProcess ? worker.pid : worker.tid) : this[key]; },
  }));
  return { items, reason: items.length ? null : "No thread was seen." };
}

function workerColumns(items, isProcess) {
  const scale = timeScale(most(items, (item) => Math.max(item.cpu, item.waiting)));
  const full = most(items, (item) => item.cpu + item.waiting);
  const cell = (id, item, text) => (measured(id) && item.worker.profiled !== false ? text : UNMEASURED);
  const sizes = (key, metric, text, title) => ({ ...byteColumn(items, key, text, title, (item) => item[key] || 0) });
  const alloc = sizes("alloc", "alloc", "allocated", "Bytes it allocated");
  const copied = sizes("copied", "copies", "copied", "Bytes it copied");
  return [
    { key: "cpu", num: true, text: `CPU ${scale.unit}`, title: "Time on CPU", cell: (item) => cell("cpu", item, marked(item.cpu, scale, "ns")) },
    { key: "waiting", num: true, text: `waiting ${scale.unit}`, title: "Waiting, for the GIL too", cell: (item) => cell("wall", item, marked(item.waiting, scale, "ns")) },
    { key: "split", text: "split", title: `full bar = ${time(full)}`, cell: (item) => classBar(item.split, full), plain: (item) => splitWords(item.split) },
    { ...alloc, cell: (item) => cell("alloc", item, alloc.cell(item)) }, { ...copied, cell: (item) => cell("copies", item, copied.cell(item)) },
    { key: "pid", num: true, text: isProcess ? "process" : "thread", title: "Number of the system", cell: (item) => String(isProcess ? item.worker.pid : item.worker.tid) },
    { key: "label", text: isProcess ? "command" : "name", title: isProcess ? "Command line" : "Name of the thread", cell: (item) => name(cutMiddle(item.label, 100)) },
    !isProcess && { key: "only", text: "only", title: "Only this thread", cell: (item) => el("button", { type: "button", click: item.open }, state.thread === item.id ? "chosen" : "only this") },
  ].filter(Boolean);
}

function keptItems() {
  if (!measured("live")) return { items: [], reason: `Memory was not measured: ${(metricOf("live") || {}).reason}` };
  const items = lines.rows.filter((row) => row.live).map((row) => lineItem(row.site, sites[row.site], row, { own: row.live, total: row.live, split: [0], exact: null }));
  return { items, reason: items.length ? null : "Leaks: none. No memory was kept to the end." };
}

function keptColumns(items) {
  const growth = (item) => Math.max(item.row.leak - 1, 0);
  const scale = byteScale(most(items, growth));
  return [
    byteColumn(items, "live", "kept", "Never freed before the end", (item) => item.row.live),
    { key: "leak", num: true, text: `grows ${scale.unit}/s`, title: "A possible leak: still growing at the end", cell: (item) => figure(growth(item), scale) },
    { key: "blocks", num: true, text: "blocks", title: "Followed blocks that were never freed", cell: (item) => (item.row.blocks ? count(item.row.blocks) : ZERO) },
    byteColumn(items, "alloc", "allocated", "Allocated over the run", (item) => item.row.alloc),
    { key: "held", text: "held", title: "Memory of the line over the run, from zero", cell: (item) => (item.row.curve.some((v) => v) ? sparkline(item.row.curve) : ""), plain: () => "" },
    { key: "judged", text: "judgement", title: "Leak or not", cell: (item) => (item.row.leak ? el("strong", { className: "loss" }, "possible leak") : "kept") },
    { key: "place", text: "line", title: "File and line", cell: placeCell, plain: placeText },
    { key: "source", text: "source", title: "Source of the line", cell: sourceCell },
  ];
}

function keptCaption(items) {
  const leaks = items.filter((item) => item.row.leak);
  const words = leaks.length ? `Possible leaks: ${plural(leaks.length, "line")}.` : "Leaks: none.";
  return `${words} ${bytes(add(items, (item) => item.row.live))} in ${plural(items.length, "line")} kept to the end, of the whole run`;
}
