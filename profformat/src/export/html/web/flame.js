// The flame graph: root on top, children by size, painted on a canvas as large as what is seen. No layout is stored;
// what is too narrow to be seen is added up and drawn as one grey box.

const ROW = 20;
const DEEPEST = 400;
const flame = { boxes: [], levels: [], lit: null, hover: -1, layout: "", tall: 0 };

function buildFlame() {
  const canvas = el("canvas", { id: "flame", tabIndex: 0, role: "application" });
  canvas.setAttribute("aria-label", "Flame graph. Arrow keys walk callers, callees and neighbors, z zooms, Enter opens the source, t shows it as a table.");
  const tall = el("div", { id: "flame-tall", className: "tall" });
  const scroller = el("div", { id: "flame-scroll", className: "scroll", scroll: drawFlame }, canvas, tall);
  canvas.addEventListener("mousemove", (event) => hoverBox(boxAt(event)));
  canvas.addEventListener("mouseleave", () => hoverBox(null));
  canvas.addEventListener("click", (event) => event.detail < 2 && clickBox(boxAt(event)));
  canvas.addEventListener("dblclick", (event) => openNode(boxAt(event)));
  canvas.addEventListener("keydown", walkFlame);
  const toggle = (mode, text, title) =>
    el("button", { type: "button", data: { mode }, title, click: () => change({ modes: { ...state.modes, [mode]: !state.modes[mode] } }, true) }, text);
  const tools = el("div", { className: "tools" },
    toggle("python", "Python only", "Leave native frames out; their time is [native] below the Python line"),
    toggle("libraries", "Fold libraries", "A library is one box, with the name of the one that was entered"),
    toggle("recursion", "Fold recursion", "A function that is on the stack already goes back to its first call"),
    toggle("inverted", "Invert", "What did the work on top, its callers below"),
    el("button", { type: "button", id: "labels", title: "Source in the boxes (s)", click: () => change({ labels: !state.labels }) }, "Source"),
    el("button", { type: "button", id: "as-table", title: "The same as a table (t)", click: () => change({ grid: !state.grid }) }, "As table"),
    el("button", { type: "button", id: "zoom-in", title: "Zoom to the selected box (z)", click: zoomIn }, "Zoom in"),
    el("button", { type: "button", id: "zoom-out", title: "Zoom out (Backspace); whole run: 0", click: zoomOut }, "Zoom out"));
  const pane = el("section", { id: "graph", data: { pane: "graph" }, aria: { label: "Flame graph" } },
    el("h2", {}, "Where it goes ", el("small", { id: "graph-note" })), tools, scroller, el("div", { id: "grid", hidden: true }), el("p", { id: "hover", className: "hover" }));
  new ResizeObserver(() => requestAnimationFrame(drawFlame)).observe(scroller);
  return pane;
}

function renderFlame(keys) {
  byId("flame-scroll").hidden = state.grid || !now.all;
  flame.lit = found.frames ? (frame) => found.frames[frame] === 1 : litFrames();
  if (keys.includes("pick") && state.pick && state.pick.kind === "node") showNode(state.pick.id);
  // Before the words change: drawing asks for sizes, which are known as long as nothing was changed.
  drawFlame();
  for (const button of document.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", state.modes[button.dataset.mode]);
  byId("labels").setAttribute("aria-pressed", state.labels);
  byId("as-table").setAttribute("aria-pressed", state.grid);
  byId("zoom-out").disabled = !state.zoom;
  byId("zoom-in").disabled = !state.pick || state.pick.kind !== "node" || state.pick.id === state.zoom;
  byId("hover").hidden = !now.all;
  const metric = metricOf(state.metric);
  byId("graph-note").textContent = now.all
    ? `full width = ${amount(now.total[state.zoom] || now.all, metric.unit)} of ${wordsOf(metric)}${state.zoom ? `, ${share(now.total[state.zoom], now.all)} of all` : ""}`
    : nothing();
  hoverBox(null);
}

// Boxes of what is zoomed to: its callers as full rows, then everything below that is as wide as a pixel of the screen.
// Of a large tree nearly all are narrower: with them goes what is below them.
function layout(width) {
  const pixel = 1 / fineness();
  const key = `${now.version}:${state.zoom}:${Math.round(width)}:${pixel}`;
  if (flame.layout === key) return;
  flame.layout = key;
  const { parent, depth } = now.view;
  const { total } = now;
  const boxes = [];
  const whole = total[state.zoom];
  if (whole) {
    const first = depth[state.zoom];
    for (let node = state.zoom; node > 0; ) boxes.push({ node: (node = parent[node]), x: 0, w: width, level: depth[node], above: true });
    const scale = width / whole;
    const stack = [{ node: state.zoom, x: 0, w: width, level: first }];
    while (stack.length) {
      const box = stack.pop();
      boxes.push(box);
      if (box.level - first >= DEEPEST) {
        box.deeper = now.view.end[box.node] > box.node + 1;
        continue;
      }
      let x = box.x;
      let small = 0;
      for (const child of childrenOf(box.node, pixel / scale)) {
        if (child < 0) small = -child;
        else stack.push({ node: child, x, w: total[child] * scale, level: box.level + 1 });
        if (child > 0) x += total[child] * scale;
      }
      if (small * scale >= 1) boxes.push({ node: box.node, x, w: small * scale, level: box.level + 1, small: true });
    }
  }
  flame.boxes = boxes;
  flame.levels = [];
  for (const box of boxes) {
    const { cls, file } = box.small || !box.node ? { cls: GREY } : frameOf(now.view.frame[box.node]);
    Object.assign(box, { cls, hue: file ? (file.id * 7) % 5 : 2 });
    (flame.levels[box.level] ||= []).push(box);
  }
  for (const level of flame.levels) level && level.sort((a, b) => a.x - b.x);
  flame.tall = flame.levels.length * ROW;
}

// Children with a weight, largest first; what is below `least` comes last, added up, as a negative number.
function childrenOf(node, least = 0) {
  const { end } = now.view;
  const { total } = now;
  const list = [];
  let small = 0;
  for (let child = node + 1; child < end[node]; child = end[child]) {
    if (total[child] >= least && total[child] > 0) list.push(child);
    else small += total[child];
  }
  list.sort((a, b) => total[b] - total[a] || a - b);
  if (small) list.push(-small);
  return list;
}

function drawFlame() {
  const scroller = byId("flame-scroll");
  if (!scroller || scroller.hidden || !now.view) return;
  const width = printing ? PAPER : scroller.clientWidth;
  if (!width) return;
  const scrolled = printing ? 0 : scroller.scrollTop;
  layout(width);
  byId("flame-tall").style.height = `${flame.tall}px`;
  const most = printing ? PAPER : Math.max(240, innerHeight * 0.45);
  const height = Math.max(ROW * 4, Math.min(flame.tall + 2, most));
  scroller.style.height = `${height}px`;
  const ink = fitCanvas(byId("flame"), width, height);
  // Of a graph that became shorter, the browser scrolls to the end.
  paint(ink, height, Math.max(0, Math.min(scrolled, flame.tall - height + 2)));
}

function paint(ink, height, top) {
  const { text, muted, focus } = colors();
  ink.font = "12px ui-monospace, 'DejaVu Sans Mono', monospace";
  ink.textBaseline = "middle";
  const letter = ink.measureText("m").width;
  const lit = flame.lit;
  const picked = state.pick && state.pick.kind === "node" ? state.pick.id : -1;
  for (let level = Math.floor(top / ROW); level <= (top + height) / ROW; level++) {
    for (const box of flame.levels[level] || []) {
      const y = level * ROW - top;
      const frame = now.view.frame[box.node];
      const root = box.node === 0;
      const on = !box.small && !root && (!lit || lit(frame));
      ink.globalAlpha = box.above ? 0.45 : lit && !on ? 0.4 : 1;
      fillBox(ink, box, y, Math.max(box.w - (box.w > 3 ? 1 : 0), 0.5));
      ink.globalAlpha = 1;
      if (lit && on) outline(ink, box, y, focus, 1);
      if (box.node === picked && !box.small) outline(ink, box, y, focus, 3);
      if (box.node === flame.hover && !box.small) outline(ink, box, y, text, 1);
      if (box.w > letter * 3 + 8) label(ink, box, root, y, letter, text, muted);
    }
  }
}

function fillBox(ink, { x, cls, hue }, y, w) {
  const { fills, other, hatch } = colors();
  ink.fillStyle = cls === GREY ? other[2] : fills[cls][hue];
  ink.fillRect(x, y, w, ROW - 1);
  if (!hatch[cls]) return;
  ink.fillStyle = hatch[cls];
  ink.fillRect(x, y, w, ROW - 1);
}

function outline(ink, box, y, color, thick) {
  if (box.w < 5) {
    ink.fillStyle = color;
    ink.globalAlpha = 0.6;
    ink.fillRect(box.x, y, Math.max(box.w - 0.5, 0.5), ROW - 1);
    ink.globalAlpha = 1;
    return;
  }
  ink.strokeStyle = color;
  ink.lineWidth = thick;
  ink.strokeRect(box.x + thick / 2, y + thick / 2, Math.max(box.w - 1 - thick, 1), ROW - 1 - thick);
  ink.lineWidth = 1;
}

// Name and line, then the source while there is room. The name is cut in its middle, so that its end and the line stay.
function label(ink, box, root, y, letter, text, muted) {
  const room = Math.floor((box.w - 8) / letter);
  const left = Math.max(box.x, 0) + 4;
  const middle = y + ROW / 2;
  const put = (words, x, color) => {
    ink.fillStyle = color;
    ink.fillText(words, x, middle, box.w - 8 - (x - left));
  };
  if (box.small) return put(cutEnd("smaller ones", room), left, muted);
  if (root) return put(cutEnd(`all: ${amount(now.all, unitNow())} of ${wordsOf(metricOf(state.metric))}`, room), left, text);
  const { name: title, file, line } = frameOf(now.view.frame[box.node]);
  const short = title.slice(0, 200);
  const place = line ? `:${line}` : "";
  const long = file && line ? ` ${baseName(file)}${place}` : place;
  const suffix = short.length + long.length <= room ? long : room > place.length + 3 ? place : "";
  const words = cutMiddle(short, Math.max(room - suffix.length, 1));
  put(words + suffix, left, text);
  if (box.deeper) return put("▾", left + (room - 1) * letter, text);
  const rest = room - words.length - suffix.length - 2;
  const source = state.labels && rest >= 8 && file && line ? sourceLine(file.id, line, drawSoon) : "";
  if (source) put(cutEnd(source.slice(0, 200), rest), left + (room - rest) * letter, text);
}

const baseName = (file) => (file.short || file.path).split("/").pop();
let drawing = 0;
function drawSoon() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(drawFlame);
}

function boxAt(event) {
  const canvas = byId("flame").getBoundingClientRect();
  const x = event.clientX - canvas.left;
  const level = Math.floor((event.clientY - canvas.top + byId("flame-scroll").scrollTop) / ROW);
  const row = flame.levels[level] || [];
  return row.find((box) => x >= box.x && x < box.x + box.w) || null;
}

function hoverBox(box) {
  const node = box ? box.node : -1;
  if (node !== flame.hover) {
    flame.hover = node;
    drawSoon();
  }
  byId("flame").style.cursor = box ? "pointer" : "default";
  byId("hover").textContent = box
    ? box.small ? `${amount(box.w / (byId("flame").clientWidth || 1) * now.total[state.zoom], unitNow())} in boxes too narrow to show` : nodeWords(box.node)
    : state.pick && state.pick.kind === "node" ? nodeWords(state.pick.id) : "Click a box to select it, again to zoom; double click opens its source. ? lists the keys.";
}

function nodeWords(node) {
  const { name: title, file, line } = frameOf(now.view.frame[node]);
  const own = now.total[node] - childrenOf(node).reduce((sum, child) => sum + (child < 0 ? -child : now.total[child]), 0);
  const words = [node ? cutMiddle(title, 80) : "all"];
  if (node && file && file.path) words.push(`${cutStart(file.short || file.path, 60)}${line ? `:${line}` : ""}`);
  words.push(`${told(now.total[node])} (${share(now.total[node], now.all)})`, `itself ${told(own)}`);
  return words.concat(`level ${now.view.depth[node]} of ${now.view.levels}`).join("  ·  ");
}

function clickBox(box) {
  if (!box || box.small) return;
  const again = state.pick && state.pick.kind === "node" && state.pick.id === box.node;
  if (again) return zoomTo(box.node);
  select("node", box.node);
}

function openNode(box) {
  if (!box || box.small) return;
  const { file, line } = frameOf(now.view.frame[box.node]);
  if (file && line) openLine(file.id, line);
}
