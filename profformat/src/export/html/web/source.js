// A file with its figures by line: opened at its hottest line, with a picture of the whole at the right. Long runs
// of lines without figures are folded.

const COLD = 12;
const view = { file: -1, hot: [], rows: [], unfolded: new Set(), key: "" };

function buildSource() {
  return el("section", { id: "source", data: { pane: "source" }, aria: { label: "Source" }, hidden: true });
}

function renderSource(keys) {
  const pane = byId("source");
  pane.hidden = !state.open;
  if (!state.open) {
    view.key = "";
    return;
  }
  const { file, line } = state.open;
  const key = `${file}:${now.version}`;
  if (view.key !== key) drawSource(file);
  if (keys.includes("open") || keys.includes("boot")) {
    const at = line || (view.hot[0] ? view.hot[0].line : 1);
    pane.scrollIntoView({ block: "nearest" });
    showLine(at);
  }
  markSource();
}

// Figures of a file's lines: what each took itself and led to. Several places on one line are added up.
function figuresOf(file) {
  const sum = sumsNow("sites");
  const found = new Map();
  sites.forEach((place, site) => {
    if (place.file !== file || !place.line) return;
    const row = rowOf(site);
    const line = found.get(place.line) || { line: place.line, site, own: 0, total: 0, peak: 0, copies: 0 };
    const exact = row && !isNarrowed();
    line.own += exact ? ownOf(row, state.metric) : sum.own[site];
    line.total = Math.max(line.total, exact && state.metric === "cpu" ? row.total : sum.total[site], line.own);
    line.peak += row ? row.peak : 0;
    line.copies += row ? row.copies : 0;
    if (line.own || line.total || line.peak || line.copies) found.set(place.line, line);
  });
  return found;
}

function drawSource(file) {
  const pane = byId("source");
  const info = names.files[file];
  const text = sourceOf(file, () => {
    view.key = "";
    renderSource(["open"]);
  });
  view.key = `${file}:${now.version}`;
  if (view.file !== file) view.unfolded.clear();
  view.file = file;
  const figures = figuresOf(file);
  view.hot = [...figures.values()].filter(({ own }) => own).sort((a, b) => b.own - a.own || a.line - b.line).slice(0, 50);
  const unit = unitNow();
  const list = [...figures.values()];
  const scale = scaleOf(unit, most(list, (line) => Math.max(line.own, line.total)));
  const title = el("h2", {}, "Source ", name(info.short || info.path || "[no name]"), el("small", {}, ` ${amount(add(list, (line) => line.own), unit)} of ${wordsOf(metricOf(state.metric))} in ${plural(list.length, "line")} `));
  const button = (words, hint, act) => el("button", { type: "button", title: hint, click: act }, words);
  const tools = el("div", { className: "tools" }, button("Next hot line", "n", () => nextHot(1)), button("Previous", "p", () => nextHot(-1)), button("Close", "Escape", closeSource));
  if (!text) return clear(pane, title, tools, el("p", { className: "note" }, hasSource(file) ? "Reading …" : `${missingSource(file)} (${info.path})`));
  const full = most(list, (line) => line.own);
  const columns = [`self ${scale.unit}`, `total ${scale.unit}`];
  const heldScale = byteScale(most(list, (line) => line.peak));
  const copyScale = byteScale(most(list, (line) => line.copies));
  if (measured("peak")) columns.push(`at peak ${heldScale.unit}`);
  if (measured("copies")) columns.push(`copied ${copyScale.unit}`);
  const body = el("tbody");
  view.rows = [];
  let cold = [];
  const flush = () => {
    if (cold.length > COLD && !view.unfolded.has(cold[0])) body.append(foldedRow(cold, columns.length + 2));
    else for (const line of cold) body.append(codeRow(line, text[line - 1], null));
    cold = [];
  };
  const codeRow = (line, code, entry) => {
    const cells = [marked(entry ? entry.own : 0, scale, unit), marked(entry ? entry.total : 0, scale, unit)];
    if (measured("peak")) cells.push(figure(entry ? entry.peak : 0, heldScale));
    if (measured("copies")) cells.push(figure(entry ? entry.copies : 0, copyScale));
    const row = el("tr", { data: { line } }, ...cells.map((cell) => el("td", { className: "num" }, entry ? cell : "")),
      el("td", { className: "num at" }, line), el("td", { className: "code" }, el("code", {}, code.slice(0, 2000))));
    if (entry) {
      row.className = "hot";
      row.tabIndex = -1;
      row.style.setProperty("--heat", `${full ? (entry.own / full) * 100 : 0}%`);
      row.addEventListener("click", () => select("line", entry.site));
    }
    view.rows[line] = row;
    return row;
  };
  for (let line = 1; line <= text.length; line++) {
    const entry = figures.get(line);
    if (!entry) {
      cold.push(line);
      continue;
    }
    // A few lines around a hot one stay.
    const near = cold.slice(-3);
    const start = cold.length === line - 1 ? [] : cold.slice(0, 3);
    if (cold.length > COLD + 6) {
      start.forEach((at) => body.append(codeRow(at, text[at - 1], null)));
      cold = cold.slice(start.length, -near.length);
      flush();
      cold = near;
    }
    flush();
    body.append(codeRow(line, text[line - 1], entry));
  }
  flush();
  const heads = [...columns, "line", "source"].map((words, at) => el("th", { scope: "col", className: at <= columns.length ? "num" : "" }, words));
  const table = el("table", { className: "code" }, el("caption", {}, `shade = self, full = ${amount(full, unit)} · click selects a line everywhere`), el("thead", {}, el("tr", {}, ...heads)), body);
  const scroller = el("div", { className: "scroll", id: "code", tabIndex: 0, aria: { label: "Lines of the file" }, keydown: walkSource }, table);
  clear(pane, title, tools, el("div", { className: "with-map" }, scroller, minimap(text.length, list, full)));
}

function foldedRow(cold, span) {
  const open = () => {
    view.unfolded.add(cold[0]);
    view.key = "";
    const top = byId("code").scrollTop;
    renderSource([]);
    byId("code").scrollTop = top;
  };
  return el("tr", { className: "fold" }, el("td", { colSpan: span }, el("button", { type: "button", className: "link", click: open }, `… ${count(cold.length)} lines without figures (${cold[0]} to ${cold[cold.length - 1]})`)));
}

// Every hot line of the file as a mark at its height; a click goes there.
function minimap(length, list, full) {
  const map = el("div", { className: "map", aria: { hidden: "true" }, click: (event) => {
    const box = map.getBoundingClientRect();
    const wanted = ((event.clientY - box.top) / box.height) * length;
    const near = [...list].sort((a, b) => Math.abs(a.line - wanted) - Math.abs(b.line - wanted))[0];
    if (near) showLine(near.line);
  } });
  for (const { line, own } of list) {
    const mark = el("i", { title: `line ${line}` });
    mark.style.top = `${((line - 1) / length) * 100}%`;
    mark.style.width = `${Math.max(15, full ? (own / full) * 100 : 0)}%`;
    map.append(mark);
  }
  return map;
}

function showLine(line) {
  const box = byId("code");
  const near = view.rows[line] || view.rows.find((row, at) => row && at >= line);
  if (!box || !near) return;
  box.scrollTop = near.offsetTop - box.clientHeight / 2;
  for (const row of box.querySelectorAll(".here")) row.classList.remove("here");
  near.classList.add("here");
  view.line = Number(near.dataset.line);
}

function nextHot(step) {
  if (!view.hot.length) return say("No line of this file has a figure.");
  const at = view.hot.findIndex(({ line }) => line === view.line);
  const next = view.hot[(at + step + view.hot.length) % view.hot.length];
  showLine(next.line);
  select("line", next.site);
  say(`Line ${next.line}, ${amount(next.own, unitNow())}`);
}

function walkSource(event) {
  const step = { n: 1, p: -1 }[event.key];
  if (!step) return;
  nextHot(step);
  event.preventDefault();
  event.stopPropagation();
}

function markSource() {
  const site = pickedSite();
  const line = site >= 0 && sites[site].file === view.file ? sites[site].line : -1;
  for (const row of byId("source").querySelectorAll("tr.hot")) row.setAttribute("aria-selected", Number(row.dataset.line) === line);
}

const closeSource = () => change({ open: null }, true);
