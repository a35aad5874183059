// What follows from the state: the weights in force, the tree that is shown, its totals, and sums by place.

// `entries` are weights on the base tree; `view` the tree that is shown with `total` by node; `all` the sum in force.
const now = { entries: [], view: null, total: null, all: 0, version: 0 };
let sums = {};
let turn = 0;

const metricOf = (id) => head.metrics.find((metric) => metric.id === id);
const METRIC_WORDS = { cpu: "CPU time", wall: "CPU and waiting time", peak: "memory held at the peak", alloc: "allocations", copies: "copies", live: "memory kept" };
const wordsOf = (metric) => METRIC_WORDS[metric.id];
const unitNow = () => metricOf(state.metric).unit;
// A filter by time or thread holds for time only: memory and copies are known for the whole run.
const isFiltered = () => isTime(state.metric) && (state.range !== null || state.thread !== null);
const isNarrowed = () => isFiltered() || state.under !== null || state.drop !== null;
const meanWeight = () => {
  const cpu = metricOf("cpu");
  return cpu.total && head.books.samples ? cpu.total / head.books.samples : 0;
};

function entriesNow(metric = state.metric) {
  let entries;
  if (isTime(metric) && (state.range !== null || state.thread !== null)) entries = entriesInTime(metric);
  else entries = METRIC_COLUMNS[metric].map((column) => base.columns[column]);
  if (state.under === null && state.drop === null) return entries;
  const keep = kept();
  return entries.map(({ nodes, weights, cls, classes }) => {
    const stays = (_, at) => keep[nodes[at]] === 1;
    return { nodes: nodes.filter(stays), weights: weights.filter(stays), cls, classes: classes && classes.filter(stays) };
  });
}

// Weights of the parts of the run in range, of the thread that is asked for.
function entriesInTime(metric) {
  const [from, to] = state.range || [0, clock.parts];
  const most = metric === "cpu" ? 4 : 6;
  const chosen = [];
  for (let at = 0; at < clock.length; at++) {
    if (clock.part[at] < from || clock.part[at] >= to || clock.cls[at] >= most) continue;
    if (state.thread === null || clock.thread[at] === state.thread) chosen.push(at);
  }
  const pick = (list) => list.constructor.from(chosen, (at) => list[at]);
  return [{ nodes: pick(clock.node), weights: pick(clock.weight), classes: pick(clock.cls), cls: 0 }];
}

// By node: is its stack under the place asked for, and without the one that was dropped?
function kept() {
  const keep = new Uint8Array(base.length);
  const under = new Uint8Array(base.length);
  const dropped = new Uint8Array(base.length);
  for (let at = 0; at < base.length; at++) {
    const above = base.parent[at];
    const site = at > 0 ? siteOf[base.frame[at]] : -1;
    under[at] = (at > 0 && under[above]) || state.under === null || site === state.under ? 1 : 0;
    dropped[at] = (at > 0 && dropped[above]) || (state.drop !== null && site === state.drop) ? 1 : 0;
    keep[at] = under[at] & (1 - dropped[at]);
  }
  return keep;
}

// Brings everything up to the state; false when another change came in between.
async function derive() {
  const mine = ++turn;
  now.entries = entriesNow();
  sums = {};
  if (!shapes.has(shapeKey(state.modes))) say("Building this view of the tree …");
  const view = await shapeFor(state.modes, () => mine === turn);
  if (!view || mine !== turn) return false;
  if (now.view !== view && now.view !== null && state.zoom >= view.length) state.zoom = 0;
  now.view = view;
  now.total = totalsOf(view, now.entries, view.map);
  now.all = now.total[0];
  now.version++;
  return true;
}

const PLACES = {
  sites: () => [siteOf, sites.length],
  functions: () => [functionOf, functionSums.length],
  files: () => [fileOf, names.files.length],
};

// Sums by line, function or file of the weights in force; made when they are asked for.
function sumsNow(kind) {
  if (!sums[kind]) sums[kind] = sumsBy(...PLACES[kind](), now.entries);
  return sums[kind];
}

// What one place took, for its detail: its own, by class, and everything below it.
function sumOf(kind, key) {
  const { own, split, total } = sumsNow(kind);
  return { own: own[key] || 0, total: total[key] || 0, split: Array.from(split.subarray(key * 6, key * 6 + 6)) };
}

// A figure by itself, with its mark and unit.
function told(value, unit = unitNow()) {
  const scale = scaleOf(unit, value);
  return value ? `${marked(value, scale, unit).trim()}${NBSP}${scale.unit}` : ZERO;
}

// Everything below a place, by class: made class by class, in slices when the tree is large; null until it is there.
function belowSplit(pick, key) {
  const kind = { line: "sites", function: "functions", file: "files" }[pick];
  sums.below ||= {};
  if (!sums.below[kind]) {
    sums.below[kind] = [];
    fillBelow(sums, kind);
  }
  const lists = sums.below[kind];
  return lists.length === 6 ? lists.map((list) => list[key]) : null;
}

async function fillBelow(mine, kind) {
  const large = base.length > 100_000;
  const entries = now.entries;
  for (let cls = 0; cls < 6; cls++) {
    if (large) await pause();
    if (mine !== sums) return;
    const total = sumsBy(...PLACES[kind](), entries.map((entry) => ofClass(entry, cls))).total;
    mine.below[kind].push(total);
  }
  if (large) drawTable();
}

function ofClass({ nodes, weights, cls, classes }, wanted) {
  const is = (_, at) => (classes ? classes[at] : cls) === wanted;
  return { nodes: nodes.filter(is), weights: weights.filter(is), cls: wanted };
}

// Half of the 95 % interval of a time, from the mean weight of a sample.
const halfOf = (ns) => 1.96 * Math.sqrt(ns * meanWeight());

// Samples behind a time, about.
const samplesOf = (ns) => (meanWeight() ? ns / meanWeight() : 0);

// A figure of time or bytes in a column, with the mark it needs. Bytes come from one sample each `interval` bytes, in
// blocks of `mean` bytes.
function marked(value, scale, unit, { samples, half, mean, interval } = {}) {
  if (unit === "ns") return sampled(value, scale, samples ?? Math.round(samplesOf(value)), half ?? halfOf(value));
  if (!value || !interval) return figure(value, scale);
  const seen = value / interval;
  if (mean < interval && seen < 2.5) return sampled(interval * Math.max(Math.round(seen), 1), scale, Math.min(Math.max(Math.round(seen), 1), 2), 0);
  const wide = 1.96 * interval * Math.sqrt((value / Math.max(mean, 1)) * Math.min(mean / interval, 0.25));
  return sampled(value, scale, 3, wide, 0);
}

// Which nodes of the shown tree are lit: by frame, for a selection of a line, function or file.
function litFrames() {
  const pick = state.pick;
  if (!pick) return null;
  if (pick.kind === "node") {
    if (!pick.id) return null;
    const frame = now.view.frame[pick.id];
    const site = siteOf[frame] ?? -1;
    return site >= 0 ? (other) => siteOf[other] === site : (other) => other === frame;
  }
  const keys = { line: siteOf, function: functionOf, file: fileOf }[pick.kind];
  return (frame) => frame < keys.length && keys[frame] === pick.id && frame < frameCount + 2;
}

// The line of a selection, or -1: that of a node is its frame's.
function siteOfPick(pick) {
  if (pick && pick.kind === "line") return pick.id;
  return pick && pick.kind === "node" && pick.id > 0 && pick.id < now.view.length ? (siteOf[now.view.frame[pick.id]] ?? -1) : -1;
}

const pickedSite = () => siteOfPick(state.pick);

// Why there is nothing to show.
function nothing() {
  const what = wordsOf(metricOf(state.metric));
  return isNarrowed() ? `Nothing passes the filters (${what}).` : `This run shows no ${what}.`;
}
