// Makes pages of the HTML report from made data, for ../page.mjs: the usual run, 100,000 stacks, hostile names, and runs with
// next to nothing in them. It writes what the exporter writes, from plain lists, so that a test knows every sum.
//   node page/fixture.mjs WEB OUT      WEB: profformat/src/export/html/web, OUT: a folder for the pages
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { RUNS } from "./runs.mjs";

export const SCRIPTS = ["format", "dom", "data", "tree", "shape", "derive", "state", "search", "flame", "walk", "grid",
  "timeline", "detail", "tables", "columns", "source", "keys", "main"];
const CLASSES = 6;

class Block {
  bytes = [];
  number(value) {
    let rest = value;
    while (rest > 127) {
      this.bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.bytes.push(rest);
  }
  numbers(...values) {
    for (const value of values) this.number(value);
  }
  text(text) {
    const bytes = new TextEncoder().encode(text);
    this.number(bytes.length);
    for (const byte of bytes) this.bytes.push(byte);
  }
  done() {
    return Uint8Array.from(this.bytes);
  }
}

// Names by number.
class Pool {
  list = [];
  index = new Map();
  of(key, value = key) {
    if (!this.index.has(key)) this.index.set(key, this.list.push(value) - 1);
    return this.index.get(key);
  }
}

// A run: `samples` are { stack: [[function, line], …] outermost first, cls, ns, part, thread }, `memory` are
// { stack, alloc, count, peak, live, blocks, copies }. Functions are { name, path, short, own, line, lang }.
function blocks({ samples, memory, functions, sources, changed, parts, partNs, footprint }) {
  const strings = new Pool();
  strings.of("");
  const files = new Pool();
  const fileOf = (fn) => files.of(fn.path, { path: fn.path, short: fn.short, own: fn.own });
  const frames = new Pool();
  const frame = ([fn, line]) => frames.of(`${fn}:${line}`, [fn, line]);
  const root = { children: new Map(), self: new Map(), total: 0 };
  const nodeOf = (stack) => {
    let node = root;
    const path = stack.length ? stack.map((step) => frame(step) + 1) : [0];
    for (const key of path) {
      if (!node.children.has(key)) node.children.set(key, { children: new Map(), self: new Map(), total: 0, key });
      node = node.children.get(key);
    }
    return node;
  };
  const put = (node, column, value) => value && node.self.set(column, (node.self.get(column) || 0) + value);
  for (const sample of samples) put((sample.node = nodeOf(sample.stack)), sample.cls, sample.ns);
  for (const entry of memory) {
    const node = nodeOf(entry.stack);
    ["alloc", "peak", "live", "copies"].forEach((key, at) => put(node, 6 + at, entry[key] || 0));
  }

  // Preorder without recursion: 100,000 stacks are deep and wide.
  const order = [];
  const weigh = [root];
  for (let at = 0; at < weigh.length; at++) weigh.push(...weigh[at].children.values());
  for (const node of weigh.reverse()) {
    for (const [column, value] of node.self) node.total += column < 4 ? value : value * 1e-12;
    for (const child of node.children.values()) node.total += child.total;
  }
  const stack = [{ node: root, depth: 0 }];
  while (stack.length) {
    const { node, depth } = stack.pop();
    node.id = order.push({ node, depth }) - 1;
    const children = [...node.children.values()].sort((a, b) => a.total - b.total);
    for (const child of children) stack.push({ node: child, depth: depth + 1 });
  }
  const tree = new Block();
  tree.number(order.length);
  for (let at = 1; at < order.length; at++) tree.number(order[at - 1].depth + 1 - order[at].depth);
  for (let at = 1; at < order.length; at++) tree.number(order[at].node.key);
  for (let column = 0; column < 10; column++) {
    const own = order.filter(({ node }) => node.self.has(column));
    tree.number(own.length);
    let last = 0;
    for (const { node } of own) {
      tree.numbers(node.id - last, node.self.get(column));
      last = node.id;
    }
  }

  const clock = new Block();
  const cells = new Map();
  for (const { part, thread, node, cls, ns } of samples) {
    const key = [part, thread, node.id, cls].join(":");
    cells.set(key, (cells.get(key) || 0) + ns);
  }
  const sorted = [...cells].map(([key, ns]) => [...key.split(":").map(Number), ns]).sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3]);
  clock.numbers(partNs, parts, sorted.length);
  let last = 0;
  for (const [part] of sorted) {
    clock.number(part - last);
    last = part;
  }
  for (const column of [1, 2, 3, 4]) for (const entry of sorted) clock.number(entry[column]);
  clock.number(footprint.length);
  let then = 0;
  for (const [at, bytes] of footprint) {
    clock.numbers(at - then, bytes, Math.floor(bytes / 2));
    then = at;
  }

  const { rows, sums } = figures({ samples, memory, functions });
  const lines = new Block();
  lines.number(rows.length);
  for (const row of rows) {
    const fn = functions[row.fn];
    lines.numbers(fileOf(fn), row.line, strings.of(fn.name), ...row.split, row.samples, half(row.squares), row.total, row.totalSamples, half(row.totalSquares));
    const why = [...row.why].sort((a, b) => b[1] - a[1]).slice(0, 5);
    lines.number(why.length);
    for (const [key, ns] of why) lines.numbers(Number(key[0]), strings.of(key.slice(1)), ns);
    const callers = [...row.callers].sort((a, b) => b[1] - a[1]).slice(0, 3);
    lines.number(callers.length);
    for (const [key, ns] of callers) lines.numbers(fileOf(functions[Number(key.split(":")[0])]), Number(key.split(":")[1]), ns);
    lines.numbers(row.alloc, Math.floor(row.alloc / 2), row.count, row.peak, row.live, row.blocks, 0, row.leak ? row.leak + 1 : 0, row.copies, row.copyCount);
    const curve = row.peak ? Array.from({ length: 24 }, (_, at) => Math.floor((row.peak * Math.min(at + 1, 20)) / 20)) : [];
    lines.number(curve.length);
    lines.numbers(...curve);
  }
  lines.number(sums.length);
  for (const sum of sums) {
    const fn = functions[sum.fn];
    lines.numbers(strings.of(fn.name), fileOf(fn), fn.line, ...sum.split, sum.samples, half(sum.squares), sum.total);
  }

  const names = new Block();
  const heads = functions.map((fn) => [strings.of(fn.name), fileOf(fn), fn.line, fn.lang]);
  const paths = files.list.map((file) => [strings.of(file.path), strings.of(file.short), file.own ? 1 : 0]);
  names.number(strings.list.length);
  for (const text of strings.list) names.text(text);
  for (const list of [paths, heads, frames.list]) {
    names.number(list.length);
    for (const entry of list) names.numbers(...entry);
  }
  const made = { names: names.done(), tree: tree.done(), time: clock.done(), lines: lines.done() };
  const numbers = [];
  for (const [path, text] of Object.entries(sources)) {
    if (!files.index.has(path)) continue;
    numbers.push(files.index.get(path));
    made[`source-${files.index.get(path)}`] = new TextEncoder().encode(text);
  }
  return { made, numbers, changed: (changed || []).map((path) => files.index.get(path)), rows, nodes: order.length };
}

const half = (squares) => Math.round(1.96 * Math.sqrt(squares));

// Figures by line and function, the plain way: every stack is walked.
function figures({ samples, memory, functions }) {
  const rows = new Map();
  const sums = new Map();
  const row = (fn, line) => {
    const key = `${fn}:${line}`;
    if (!rows.has(key)) rows.set(key, { fn, line, split: Array(CLASSES).fill(0), samples: 0, squares: 0, total: 0, totalSamples: 0, totalSquares: 0, why: new Map(), callers: new Map(), alloc: 0, count: 0, peak: 0, live: 0, blocks: 0, leak: 0, copies: 0, copyCount: 0 });
    return rows.get(key);
  };
  const sum = (fn) => {
    if (!sums.has(fn)) sums.set(fn, { fn, split: Array(CLASSES).fill(0), samples: 0, squares: 0, total: 0 });
    return sums.get(fn);
  };
  const none = functions.findIndex(({ name }) => name === "[no stack]");
  const places = (stack) => {
    const python = stack.filter(([fn]) => functions[fn].lang === 0);
    return python.length ? python : stack.length ? stack : [[none, 0]];
  };
  for (const { stack, cls, ns } of samples) {
    const path = places(stack);
    const [leafFn, leafLine] = path.at(-1);
    const leaf = row(leafFn, leafLine);
    const of = sum(leafFn);
    leaf.split[cls] += ns;
    of.split[cls] += ns;
    if (cls > 3) continue;
    for (const own of [leaf, of]) {
      own.samples++;
      own.squares += ns * ns;
    }
    path.forEach(([fn, line], at) => {
      if (path.findIndex(([f, l]) => f === fn && l === line) !== at) return;
      const place = row(fn, line);
      place.total += ns;
      place.totalSamples++;
      place.totalSquares += ns * ns;
      const inner = path.findLastIndex(([f, l]) => f === fn && l === line);
      const native = stack.at(-1) !== path.at(-1) ? functions[stack.at(-1)[0]].name : "";
      const why = inner < path.length - 1 ? `4${functions[path[inner + 1][0]].name}` : ["0", `2${native}`, "1", "3"][cls];
      place.why.set(why, (place.why.get(why) || 0) + ns);
      if (at > 0) place.callers.set(path[at - 1].join(":"), (place.callers.get(path[at - 1].join(":")) || 0) + ns);
    });
    for (const fn of new Set(path.map(([fn]) => fn))) sum(fn).total += ns;
  }
  for (const entry of memory) {
    const place = row(...places(entry.stack).at(-1));
    for (const key of ["alloc", "count", "peak", "live", "blocks", "leak", "copies", "copyCount"]) place[key] += entry[key] || 0;
  }
  const cpu = ({ split }) => split[0] + split[1] + split[2] + split[3];
  const bySelf = (a, b) => cpu(b) - cpu(a) || b.total - a.total || a.fn - b.fn || (a.line || 0) - (b.line || 0);
  return { rows: [...rows.values()].sort(bySelf), sums: [...sums.values()].sort(bySelf) };
}

const escapeHtml = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const escapeJson = (value) => JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

// The whole page, filled into the skeleton in one pass.
export function page(web, run) {
  const read = (file) => readFileSync(join(web, file), "utf8");
  const lean = (file) => read(file).split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("//")).join("\n");
  const script = `(() => {\n"use strict";\n${SCRIPTS.map((file) => lean(`${file}.js`)).join("\n")}})();\n`;
  const style = lean("style.css");
  const { made, numbers, changed, rows } = blocks(run);
  const sum = (list, value) => list.reduce((total, item) => total + (value(item) || 0), 0);
  const cpu = sum(run.samples, ({ cls, ns }) => (cls < 4 ? ns : 0));
  const metric = (id, name, unit, total, reason) => ({ id, name, unit, total, measured: !reason, reason: reason || "" });
  const off = run.noMemory ? "off (--no-memory)" : "";
  const head = {
    version: 1, tool: "prof 0.1.0", title: run.title, command: run.title, facts: run.facts, elapsed_ns: run.parts * run.partNs, trace_id: "0123abcd",
    classes: ["python", "native", "gc", "kernel", "gil", "wait"],
    metrics: [metric("cpu", "CPU", "ns", cpu), metric("wall", "CPU and waiting", "ns", sum(run.samples, ({ ns }) => ns)),
      ...["peak", "alloc", "copies", "live"].map((id, at) => metric(id, ["held at peak", "allocated", "copied", "kept"][at], "bytes", sum(run.memory, (entry) => entry[id]), off))],
    books: { ticks: run.samples.length + (run.samples.length > 9 ? 4 : 0), samples: run.samples.filter(({ cls }) => cls < 4).length, lost: run.samples.length > 9 ? { torn_stack: 4 } : {} },
    footprint: { peak: Math.max(0, ...run.footprint.map(([, bytes]) => bytes)), peak_ns: (run.footprint.toSorted((a, b) => b[1] - a[1])[0] || [0])[0], end: (run.footprint.at(-1) || [0, 0])[1] },
    pruned: null, intervals: { cpu: 1e7, alloc: off ? 0 : 1 << 17, copy: off ? 0 : 1 << 18 }, changed,
    threads: run.threads.map((name, at) => ({ process: 0, tid: 100 + at, name, alloc: 0, copied: 0,
      ns: Array.from({ length: CLASSES }, (_, cls) => sum(run.samples, (s) => (s.thread === at && s.cls === cls ? s.ns : 0))) })),
    processes: [{ pid: 100, parent: null, command: run.title, python: "3.11.7", profiled: true, ns: Array.from({ length: CLASSES }, (_, cls) => sum(run.samples, (s) => (s.cls === cls ? s.ns : 0))), alloc: sum(run.memory, (m) => m.alloc), copied: sum(run.memory, (m) => m.copies) }],
    sources: numbers,
  };
  const place = (row) => `${run.functions[row.fn].short}:${row.line}`;
  const link = (at) => `<a href="#site=${at}" data-site="${at}">${escapeHtml(rows[at] ? place(rows[at]) : "")}</a>`;
  const words = run.sentences || [`<p><strong>${(cpu / 1e9).toFixed(2)} s of CPU</strong>.</p>`, rows.length && cpu ? `<p>Most time on one line: ${link(0)}, ${(rows[0].split.slice(0, 4).reduce((a, b) => a + b) / 1e9).toFixed(2)} s.</p>` : "<p>No CPU ticks arrived.</p>"].join("");
  const cells = rows.slice(0, 20).map((row) => `<tr><td class="figure">${(row.split.slice(0, 4).reduce((a, b) => a + b) / 1e9).toFixed(2)}</td><td>${escapeHtml(place(row))}</td></tr>`).join("");
  const fill = {
    csp: `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`.replaceAll("'", "&#39;"),
    title: escapeHtml(run.title), style, bar: `<h1><bdi>${escapeHtml(run.title)}</bdi></h1><p class="facts">${escapeHtml(run.facts)}</p>`, sentences: words,
    totals: `<ul><li><b>${(cpu / 1e9).toFixed(2)} s</b> of CPU</li></ul>`,
    lines: `<table id="static-lines"><caption>Hot lines</caption><thead><tr><th scope="col">self s</th><th scope="col">line</th></tr></thead><tbody>${cells}</tbody></table>`,
    missing: "<h2>Not in here</h2><p>Lost: 4 of 4 000 ticks: torn stack 4.</p>", noscript: "<p>Scripts are switched off.</p>",
    data: [`<script type="application/json" id="d-head">${escapeJson(head)}</script>`,
      ...Object.entries(made).map(([id, bytes]) => `<script type="text/plain" id="d-${id}">${deflateRawSync(bytes, { level: 9 }).toString("base64")}</script>`)].join("\n"),
    script,
  };
  return read("page.html").replace(/\{\{([a-z-]+)\}\}/g, (_, key) => fill[key]);
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [web, out] = process.argv.slice(2);
  if (!out) {
    console.error("usage: node page/fixture.mjs WEB OUT");
    process.exit(2);
  }
  mkdirSync(out, { recursive: true });
  for (const [name, run] of Object.entries(RUNS)) writeFileSync(join(out, `${name}.html`), page(web, run()));
}
