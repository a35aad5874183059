// What is known of the selection: its own and total figures, how they divide, why, who calls and is called, the lines
// of source around it, and the memory it held over the run.

const AROUND = 3;
const PARTS = 5;

function buildDetail() {
  return el("section", { id: "detail", data: { pane: "detail" }, aria: { label: "Detail of the selection" } });
}

function renderDetail() {
  const pane = byId("detail");
  // With nothing selected, the line that took most is told of.
  const pick = state.pick || hottest();
  if (!pick) return clear(pane, el("h2", {}, "Detail"), el("p", { className: "note" }, now.all ? "Choose a box, or a row of a table." : nothing()));
  const frame = pick.kind === "node" ? now.view.frame[pick.id] : -1;
  const site = siteOfPick(pick);
  const key = pick.kind === "node" ? site : pick.id;
  const kind = { node: "sites", line: "sites", function: "functions", file: "files" }[pick.kind];
  const place = key < 0 ? null : kind === "sites" ? sites[key] : kind === "functions" ? functionSums[key] : { file: key, line: 0, name: "" };
  const file = place ? names.files[place.file] : null;
  const all = pick.kind === "node" && pick.id === 0;
  const title = frame >= 0 ? (all ? "all" : frameOf(frame).name) : place.name || file.short || file.path || "[no name]";
  const hint = state.pick ? null : el("small", {}, isTime(state.metric) ? "hottest line: " : "largest line: ");
  const keys = { sites: siteOf, functions: functionOf, files: fileOf }[kind];
  const match = key >= 0 ? (other) => keys[other] === key : (other) => other === frame;
  const sum = all ? { total: now.all } : key >= 0 ? sumOf(kind, key) : { total: 0 };
  const parts = [el("h2", {}, hint || "", name(cutMiddle(title, 120))), whereLine(place, file)];
  // Native functions below Python and classes of work are no places: what their boxes hold is told.
  parts.push(figures(sum.total ? sum : boxesOf(match), key >= 0 && kind === "sites" ? rowOf(key) : null, pick, frame));
  if (!all) parts.push(...relations(match));
  if (place && place.line && file) parts.push(excerpt(place));
  if (key >= 0 && kind === "sites" && rowOf(key)) parts.push(memoryOf(rowOf(key)));
  clear(pane, ...parts, actions(site, place));
}

function hottest() {
  const { own } = sumsNow("sites");
  let best = -1;
  own.forEach((value, site) => value > (best < 0 ? 0 : own[best]) && sites[site].line && (best = site));
  return best < 0 ? null : { kind: "line", id: best };
}

const rowOf = (site) => (sites[site].row >= 0 ? lines.rows[sites[site].row] : null);

function whereLine(place, file) {
  if (!place || !file || !file.path) return null;
  const text = `${cutStart(file.short || file.path, 60)}${place.line ? `:${place.line}` : ""}`;
  const link = el("button", { type: "button", className: "link", title: `${file.path}: source (Enter)`, click: () => openLine(place.file, place.line) }, name(text));
  return el("p", { className: "place" }, link, file.own ? " your code" : " library");
}

// Figures of a place: this box, and everywhere.
function figures(sum, row, pick, frame) {
  const metric = metricOf(state.metric);
  const exact = row && !isNarrowed() && state.metric === "cpu";
  const value = (of, half, samples) => {
    const scale = scaleOf(metric.unit, of);
    const words = marked(of, scale, metric.unit, { half, samples }).trim();
    const about = metric.unit === "ns" && of && words[0] !== "<" ? ` ±${figure(half ?? halfOf(of), scale).trim()}` : "";
    return of ? `${words}${about}${NBSP}${scale.unit}` : ZERO;
  };
  const list = el("dl", { className: "figures" });
  const add = (term, text, part) => list.append(el("dt", {}, term), el("dd", {}, text, part === undefined ? null : el("small", {}, ` ${share(part, now.all)}`)));
  if (sum.own !== undefined) add("itself", value(sum.own, exact ? row.half : undefined, exact ? row.samples : undefined), sum.own);
  add("total", value(sum.total, exact ? row.totalHalf : undefined, exact ? row.totalSamples : undefined), sum.total);
  if (pick.kind === "node" && frame >= 0 && pick.id) add("this box", told(now.total[pick.id]), now.total[pick.id]);
  const box = el("div", {}, list);
  if (metric.unit === "ns" && sum.own) {
    box.append(classBar(sum.split, sum.split.reduce((a, b) => a + b, 0)), el("p", { className: "note" }, `itself: ${splitWords(sum.split)}`));
  }
  return box;
}

// The sum of the boxes of some frames, one below another counted once.
function boxesOf(match) {
  const total = totalsOf(base, now.entries);
  const sum = { total: 0 };
  let covered = 1;
  for (let at = 1; at < base.length; at++) {
    if (at < covered || !match(base.frame[at])) continue;
    sum.total += total[at];
    covered = base.end[at];
  }
  return sum;
}

// Who calls a place, what it calls, and what its own part is made of. One pass down the base tree: the outermost
// occurrence on a stack has the caller, the innermost the callee.
function relations(match) {
  const { length, parent, frame, home } = base;
  const inner = new Uint8Array(length);
  const callee = new Int32Array(length).fill(-1);
  const caller = new Int32Array(length).fill(-1);
  for (let at = 1; at < length; at++) {
    const above = parent[at];
    const isPlace = home[at] === at;
    const own = (isPlace || langOf(frame[at]) !== 0) && match(frame[at]);
    caller[at] = own && !inner[above] ? (above ? frame[home[above]] : -1) : caller[above];
    inner[at] = own || inner[above] ? 1 : 0;
    callee[at] = own ? -1 : inner[above] && callee[above] < 0 && isPlace ? frame[at] : callee[above];
  }
  const above = new Map();
  const below = new Map();
  const add = (map, label, weight) => map.set(label, (map.get(label) || 0) + weight);
  for (const { nodes, weights, cls, classes } of now.entries) {
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at];
      if (!inner[node]) continue;
      const kindOf = classes ? classes[at] : cls;
      if (caller[node] >= 0) add(above, `${siteOf[caller[node]]}`, weights[at]);
      if (callee[node] >= 0) add(below, `f${functionOf[callee[node]]}`, weights[at]);
      else if (!isTime(state.metric)) add(below, "itself", weights[at]);
      else if (kindOf === 0) add(below, "itself", weights[at]);
      else if (kindOf !== 1) add(below, CLASS_WORDS[kindOf], weights[at]);
      else add(below, `n${nativeOf(node)}`, weights[at]);
    }
  }
  return [callList("Why: parts of its total", below), callList("Called by", above)];
}

// The native function at the end of a stack, as a frame.
function nativeOf(node) {
  const own = isClass(base.frame[node]) ? base.parent[node] : node;
  return base.frame[own];
}

function callList(title, map) {
  if (!map.size) return null;
  const entries = [...map].sort((a, b) => b[1] - a[1]);
  const unit = unitNow();
  const most = entries[0][1];
  const scale = scaleOf(unit, most);
  const rest = entries.slice(PARTS).reduce((sum, [, weight]) => sum + weight, 0);
  const items = entries.slice(0, PARTS).map(([label, weight]) => {
    const item = el("li", {}, el("span", { className: "num" }, marked(weight, scale, unit)), bar([["mark", weight]], most));
    item.append(callName(label));
    return item;
  });
  if (rest) items.push(el("li", {}, el("span", { className: "num" }, marked(rest, scale, unit)), el("span", {}), el("span", {}, `${entries.length - PARTS} more`)));
  return el("div", {}, el("h3", {}, `${title}, ${scale.unit}`), el("ul", { className: "calls" }, ...items));
}

function callName(label) {
  if (label[0] === "n") return name(cutMiddle(`${frameOf(Number(label.slice(1))).name} (native)`, 60));
  const isFunction = label[0] === "f";
  const key = Number(isFunction ? label.slice(1) : label);
  if (Number.isNaN(key)) return el("span", {}, label);
  const place = isFunction ? functionSums[key] : sites[key];
  if (!place) return el("span", {}, "[no stack]");
  const file = names.files[place.file];
  const text = isFunction ? place.name : `${file ? baseName(file) : ""}:${place.line} ${place.name}`;
  return el("button", { type: "button", className: "link", click: () => select(isFunction ? "function" : "line", key, true) }, name(cutMiddle(text || "[no name]", 60)));
}

function memoryOf(row) {
  const words = [["allocated", row.alloc], ["at the peak", row.peak], ["kept to the end", row.live], ["freed within 10 ms", row.churn], ["copied", row.copies]]
    .filter(([, value]) => value).map(([term, value]) => `${term} ${bytes(value)}`);
  if (!words.length) return null;
  const curve = row.curve.some((value) => value) ? el("p", {}, sparkline(row.curve, 300, 32), el("br"), el("small", {}, `held over the run, ${bytes(Math.max(...row.curve))} at most`)) : null;
  return el("div", {}, el("h3", {}, "Memory of this line"), el("p", { className: "note" }, words.join(" · "),
    row.leak ? ` · possible leak: grows by ${bytes(row.leak - 1)} a second` : ""), curve);
}

function excerpt(place) {
  const box = el("div", { className: "excerpt" });
  const text = sourceOf(place.file, () => renderDetail());
  if (!text) return hasSource(place.file) ? box : el("p", { className: "note" }, missingSource(place.file));
  const shown = text.slice(Math.max(0, place.line - 1 - AROUND), place.line + AROUND).filter((line) => line.trim());
  const indent = Math.min(...shown.map((line) => line.search(/\S/)), 200);
  const first = Math.max(1, place.line - AROUND);
  for (let line = first; line <= Math.min(text.length, place.line + AROUND); line++) {
    box.append(el("div", { className: line === place.line ? "at" : "" }, el("span", { className: "num" }, line), el("code", {}, text[line - 1].slice(indent, 500))));
  }
  return box;
}

const missingSource = (file) => (isChanged(file) ? "The source has changed since the run: it is not shown." : "No source in this page.");

function actions(site, place) {
  const button = (text, title, act) => el("button", { type: "button", title, click: act }, text);
  return el("p", { className: "tools" },
    site >= 0 ? button("Only under it", "Keep stacks that have this line", () => change({ under: site }, true)) : null,
    site >= 0 ? button("Drop it", "Leave out stacks that have this line", () => change({ drop: site }, true)) : null,
    place && place.line ? button("Source", "Open the file here (Enter)", () => openLine(place.file, place.line)) : null,
    state.pick ? button("Deselect", "Escape", () => change({ pick: null })) : null);
}
