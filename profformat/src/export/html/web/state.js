// The state of the page: one object, changed by `change` alone, and kept in the address, so that a link shows the same.

const START = {
  metric: "cpu", range: null, thread: null, under: null, drop: null, query: "",
  modes: { python: false, libraries: false, recursion: false, inverted: false },
  grid: false, labels: true, zoom: 0, pick: null, tab: "hot", sort: {}, open: null,
};
const state = structuredClone(START);
// Parts of the state that change which weights count or which tree is shown.
const HEAVY = ["metric", "range", "thread", "under", "drop", "modes"];
const FILTERS = ["range", "thread", "under", "drop", "query"];
const undone = [];
const panes = [];
let ready = false;
let writing = 0;

// Registers what draws a pane: it is called after a change of one of `keys`, with the names of all that changed.
const onChange = (keys, render) => panes.push({ keys, render });

function drawPanes(changed) {
  for (const { keys, render } of panes) if (keys.some((key) => changed.includes(key))) render(changed);
}

// Changes the state, derives what follows and draws; `step` makes an entry for the back button.
async function change(patch, step = false) {
  const keys = Object.keys(patch).filter((key) => JSON.stringify(state[key]) !== JSON.stringify(patch[key]));
  if (!keys.length) return;
  if (keys.some((key) => FILTERS.includes(key) && key !== "query")) {
    undone.push(Object.fromEntries(FILTERS.map((key) => [key, state[key]])));
  }
  // Nodes are numbered by the shape of the tree: with another shape, the line stays selected.
  if (keys.includes("modes")) {
    const site = pickedSite();
    if (state.pick && state.pick.kind === "node") patch.pick = site >= 0 ? { kind: "line", id: site } : null;
    patch.zoom = 0;
    keys.push("pick", "zoom");
  }
  const left = step && { scroll: scrollY, address: encode() };
  Object.assign(state, patch);
  clearTimeout(writing);
  // Browsers refuse addresses that change with every key of a walk; and they take their time: first one sees the change.
  if (left) setTimeout(stepAddress, 0, left, encode());
  else writing = setTimeout(() => writeAddress(encode()), 300);
  await follow(keys);
}

const writeAddress = (address, extra) => history.replaceState({ ...history.state, ...extra }, "", `#${address}`);

// An entry for the back button, which leads to where one was.
function stepAddress({ scroll, address }, next) {
  writeAddress(address, { scroll });
  history.pushState({}, "", `#${next}`);
}

async function follow(keys) {
  if (keys.some((key) => HEAVY.includes(key)) && !(await derive())) return;
  drawPanes(keys);
}

// Takes the last filter back.
function undo() {
  const last = undone.pop();
  if (!last) return say("Nothing to undo.");
  change(last, true);
  undone.pop();
}

function encode() {
  const words = [];
  const add = (key, value) => words.push(`${key}=${encodeURIComponent(value)}`);
  if (state.metric !== START.metric) add("m", state.metric);
  if (state.range) add("r", state.range.join("-"));
  for (const [key, field] of [["t", "thread"], ["u", "under"], ["d", "drop"]]) if (state[field] !== null) add(key, state[field]);
  if (state.query) add("q", state.query);
  const modes = shapeKey(state.modes);
  if (modes) add("v", modes);
  if (state.zoom) add("z", state.zoom);
  if (state.pick) add("s", `${state.pick.kind}-${state.pick.id}`);
  if (state.tab !== START.tab) add("tab", state.tab);
  if (state.grid) add("g", 1);
  if (!state.labels) add("b", 0);
  for (const tab in state.sort) add(`o.${tab}`, state.sort[tab].map(([key, turn]) => `${key}.${turn}`).join("_"));
  if (state.open) add("src", `${state.open.file}-${state.open.line}`);
  return words.join("&");
}

// The state that an address stands for. Whatever does not fit this page is left out.
function decode(address) {
  const words = new URLSearchParams(address.replace(/^#/, ""));
  const next = structuredClone(START);
  const whole = (key, below) => {
    const value = Number(words.get(key) ?? NaN);
    return Number.isInteger(value) && value >= 0 && value < below ? value : null;
  };
  const pair = (key) => (/^\d+-\d+$/.test(words.get(key)) ? words.get(key).split("-").map(Number) : []);
  const metric = head.metrics.find(({ id, measured }) => id === words.get("m") && measured);
  next.metric = metric ? metric.id : firstMetric();
  const [from, to] = pair("r");
  if (from >= 0 && to > from && to <= clock.parts) next.range = [from, to];
  next.thread = whole("t", head.threads.length);
  next.under = whole("u", sites.length);
  next.drop = whole("d", sites.length);
  next.query = (words.get("q") || "").slice(0, 200);
  const modes = (words.get("v") || "").split(/[+ ]/);
  for (const mode in next.modes) next.modes[mode] = modes.includes(mode);
  next.zoom = whole("z", NONE) ?? 0;
  const [, kind, id] = /^(node|line|function|file)-(\d+)$/.exec(words.get("s")) || [];
  const limit = { node: NONE, line: sites.length, function: functionSums.length, file: names.files.length }[kind];
  if (Number(id) < limit) next.pick = { kind, id: Number(id) };
  const row = whole("site", lines.links.length);
  if (row !== null) next.pick = { kind: "line", id: lines.links[row].site };
  if (Object.hasOwn(TABS, words.get("tab") || "")) next.tab = words.get("tab");
  next.grid = words.get("g") === "1";
  next.labels = words.get("b") !== "0";
  for (const tab in TABS) {
    const order = words.get(`o.${tab}`);
    if (order) next.sort[tab] = order.split("_").slice(0, 2).map((word) => [word.split(".")[0], word.endsWith("-1") ? -1 : 1]);
  }
  const [file, line] = pair("src");
  if (file < names.files.length && line >= 0) next.open = { file, line };
  return next;
}

const firstMetric = () => (head.metrics.find(({ measured, total }) => measured && total) || head.metrics[0]).id;

// The address was changed from outside: by the back button or a link.
async function fromAddress(scroll) {
  Object.assign(state, decode(location.hash));
  if (!(await derive())) return;
  // A node that another shape of the tree would have.
  if (state.zoom >= now.view.length) state.zoom = 0;
  if (state.pick && state.pick.kind === "node" && state.pick.id >= now.view.length) state.pick = null;
  drawPanes(Object.keys(state));
  if (scroll !== undefined) scrollTo(0, scroll);
}

// Selections made from elsewhere; a second one of the same opens the source.
const select = (kind, id, step = false) => change({ pick: { kind, id } }, step);
const openLine = (file, line) => change({ open: { file, line } }, true);

// What changed, for those who do not see it; the last of quick changes is said.
let saying = 0;
function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => (byId("live").textContent = text), 150);
}
