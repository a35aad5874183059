// Puts the page together: reads the blocks, builds the panes in their order, and follows the address.

// The totals with their bars, in place of the words that stand there without script.
function buildTotals() {
  const cpu = metricOf("cpu");
  const entry = (term, text, ...more) => el("div", {}, el("dt", {}, term), el("dd", {}, text, ...more));
  const parts = [];
  if (cpu && cpu.measured) {
    const split = [0, 1, 2, 3].map((cls) => base.columns[cls].weights.reduce((a, b) => a + b, 0));
    const shares = percents(split);
    const key = split.map((value, cls) => value && el("span", { className: "key" }, el("i", { className: `dot ${CLASSES[cls]}` }), `${CLASS_WORDS[cls]} ${time(value)} (${shares[cls] || "<1"}${NBSP}%)`));
    parts.push(Object.assign(entry("CPU", time(cpu.total), cpu.total ? classBar(split, cpu.total) : null, el("span", { className: "keys" }, ...key.filter(Boolean))), { className: "wide" }));
    const waits = [4, 5].map((cls) => base.columns[cls].weights.reduce((a, b) => a + b, 0));
    if (waits[0] + waits[1]) parts.push(entry("Waiting", time(waits[0] + waits[1]), waits[0] ? el("small", {}, ` ${time(waits[0])} for the GIL`) : null));
  }
  for (const [id, term] of [["peak", head.footprint.asked ? "Memory held then" : "Memory at the peak"], ["alloc", "Allocated"], ["copies", "Copied"]]) {
    const metric = metricOf(id);
    if (!metric) continue;
    const value = id === "peak" && head.footprint.peak ? head.footprint.peak : metric.total;
    parts.push(entry(term, metric.measured ? bytes(value) : UNMEASURED, metric.measured ? null : el("small", {}, ` ${metric.reason}`)));
  }
  const { ticks, samples, lost } = head.books;
  const gone = Object.entries(lost || {}).filter(([, value]) => value).map(([reason, value]) => `${reason.replaceAll("_", " ")} ${count(value)}`);
  if (ticks) parts.push(entry("Ticks kept", `${count(samples)} of ${count(ticks)}`, gone.length ? el("small", { className: "loss" }, ` lost: ${gone.join(", ")}`) : null));
  clear(byId("totals"), el("dl", {}, ...parts));
}

function buildPage() {
  const app = byId("app");
  byId("static").remove();
  const live = el("div", { id: "live", className: "unseen", role: "status", aria: { live: "polite" } });
  const legend = el("p", { className: "legend" }, ...CLASSES.map((kind, at) => el("span", { className: "key" }, el("i", { className: `dot ${kind}` }), CLASS_WORDS[at])), el("span", { className: "key" }, el("i", { className: "dot memory" }), "memory"));
  app.append(legend, buildTimeline(), el("div", { id: "chips", role: "group", aria: { label: "Filters in force" } }),
    el("div", { className: "middle" }, buildFlame(), buildDetail()), buildSource(), buildTables(), live, buildHelp());
  byId("missing").append(el("p", { id: "foot" }, `${head.tool} · trace ${head.trace_id}`));
}

// A link in the words selects its line.
function followLinks() {
  for (const link of document.querySelectorAll("a[data-site]")) {
    const row = lines.links[Number(link.dataset.site)];
    if (!row) continue;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      select("line", row.site, true);
    });
  }
}

function listen() {
  addEventListener("keydown", pressed);
  // An entry is written after what it leads to was drawn, and perhaps scrolled to: the page says itself where one was.
  history.scrollRestoration = "manual";
  addEventListener("pagehide", () => writeAddress(encode(), { scroll: scrollY }));
  // A jump within the page has an address without figures: it changes nothing.
  addEventListener("popstate", (event) => (!location.hash || location.hash.includes("=")) && fromAddress(event.state ? event.state.scroll : undefined));
  addEventListener("resize", drawSoon);
  addEventListener("beforeprint", () => paper(true));
  addEventListener("afterprint", () => paper(false));
  matchMedia("print").addEventListener("change", ({ matches }) => paper(matches));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

// On paper colors are light, canvases twice as fine, and the graph whole.
function paper(on) {
  if (printing === on) return;
  printing = on;
  redraw();
}

async function start() {
  head = JSON.parse(byId("d-head").textContent);
  const [namesBlock, treeBlock, timeBlock, linesBlock] = await Promise.all(["names", "tree", "time", "lines"].map(inflate));
  names = readNames(namesBlock);
  lines = readLines(linesBlock);
  clock = readTime(timeBlock);
  makeFrames();
  base = makeBase(readTree(treeBlock), clock);
  if (!isLaunched()) shapes.set("", base);
  makePlaces();
  buildBar();
  buildTotals();
  buildPage();
  followLinks();
  // A pane is drawn for what it shows alone: a zoom is the graph's, and no reason to draw the rest.
  onChange(["range", "thread", "modes", "pick", "query"], renderTime);
  onChange([...HEAVY, "pick", "query", "zoom", "labels", "grid"], renderFlame);
  onChange([...HEAVY, "pick", "zoom", "grid"], renderGrid);
  onChange([...HEAVY, "query", "zoom"], renderBar);
  onChange([...HEAVY, "pick"], renderDetail);
  onChange([...HEAVY, "pick", "open"], renderSource);
  onChange([...TABLE_KEYS, "pick"], renderTables);
  onChange(["query"], () => search().then((done) => done && afterSearch()));
  listen();
  byId("app").hidden = false;
  await fromAddress(history.state ? history.state.scroll : undefined);
  redraw();
  performance.mark("ready");
  ready = true;
}

// What a finished search changes: marks in graph, timeline and bar, rows of the table.
function afterSearch() {
  flame.lit = found.frames ? (frame) => found.frames[frame] === 1 : litFrames();
  strip.picked = pickedByPart();
  drawFlame();
  drawTime();
  renderBar();
  drawTable();
  if (state.query) say(foundWords());
}

// What the browser test reads; nothing of the page is changed through it.
window.__page = Object.freeze({
  ready: () => ready,
  // The boxes as they are drawn: function, left, width (CSS pixels), level, total.
  boxes: () => flame.boxes.map(({ node, x, w, level, small }) => ({ node, x, w, level, small: Boolean(small), name: small ? "" : frameOf(now.view.frame[node]).name, total: now.total[node] })),
  // Total of the root in the metric and filters in force, of the metric over the run, and of the rows of the table.
  totals: () => ({ metric: state.metric, root: now.all, whole: metricOf(state.metric).total, rows: add(tables.items, (item) => item.own || 0) }),
  found: () => ({ boxes: found.boxes, total: found.total, error: found.error }),
  nodes: () => now.view.length,
  // Time by class in the tree, and over the run.
  classes: () => CLASSES.map((_, cls) => [base.columns[cls].weights.reduce((a, b) => a + b, 0), clock.weight.reduce((sum, ns, at) => sum + (clock.cls[at] === cls ? ns : 0), 0)]),
  // Lines whose figures differ from the sums over the tree, without filters: none, unless the tree was cut. Functions of
  // a line need not run inside each other: their total can be less than what the tree has of them.
  apart: () => {
    const { own, total } = sumsBy(siteOf, sites.length, METRIC_COLUMNS.cpu.map((column) => base.columns[column]));
    return lines.rows.filter((row) => ownOf(row, "cpu") !== own[row.site] || (row.isMerged ? row.total > total[row.site] : row.total !== total[row.site])).map((row) => `${row.name}:${row.line} ${ownOf(row, "cpu")} ${own[row.site]} ${row.total} ${total[row.site]}`);
  },
});

start().catch((error) => {
  const note = el("p", { className: "note loss" }, `This page could not be read: ${error.message}. The words and the table below are whole.`);
  byId("app").before(note);
});
