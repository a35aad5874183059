// The flame graph as a table of a tree: the same nodes, in rows that open and close. The heaviest path is open.

const GRID_MOST = 400;
const grid = { open: new Set(), all: new Set(), version: -1, zoom: 0, at: 0 };

function renderGrid(keys) {
  const box = byId("grid");
  box.hidden = !state.grid;
  if (!state.grid || !now.view) return;
  if (grid.version !== now.version || grid.zoom !== state.zoom) {
    Object.assign(grid, { version: now.version, zoom: state.zoom, open: heaviestPath(), all: new Set() });
  }
  if (keys.includes("pick") && state.pick && state.pick.kind === "node") {
    for (let node = state.pick.id; node > 0; ) {
      node = now.view.parent[node];
      grid.open.add(node);
    }
  }
  drawGrid(box.contains(document.activeElement));
}

// Nodes from the top down as long as one child holds most of its parent.
function heaviestPath() {
  const open = new Set([state.zoom]);
  for (let node = state.zoom; ; ) {
    const [child] = childrenOf(node);
    if (!child || child < 0 || now.total[child] * 2 < now.total[node]) return open;
    open.add((node = child));
  }
}

// Rows in their order: nodes, and what stands for the children that are too small.
function gridRows() {
  const rows = [];
  const visit = (node, level) => {
    rows.push({ node, level });
    if (!grid.open.has(node)) return;
    const least = grid.all.has(node) ? 0 : now.total[node] / 100;
    for (const child of childrenOf(node, least)) {
      if (rows.length >= GRID_MOST) return;
      if (child > 0) visit(child, level + 1);
      else rows.push({ node, level: level + 1, small: -child });
    }
  };
  visit(state.zoom, 1);
  return rows;
}

function drawGrid(focus) {
  const rows = gridRows();
  const unit = unitNow();
  const scale = scaleOf(unit, now.total[state.zoom]);
  const picked = state.pick && state.pick.kind === "node" ? rows.findIndex((row) => row.node === state.pick.id && !row.small) : -1;
  grid.at = picked >= 0 ? picked : Math.min(grid.at, rows.length - 1);
  const head = ["function", `total ${scale.unit}`, "%", "place"].map((text, at) =>
    el("th", { scope: "col", className: at === 1 || at === 2 ? "num" : "" }, text));
  const body = rows.map((row, at) => gridRow(row, at, scale, unit));
  const table = el("table", { role: "treegrid", className: "tree", aria: { label: "Flame graph as a table" } },
    el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
  table.addEventListener("keydown", (event) => walkGrid(event, rows));
  clear(byId("grid"), table, rows.length >= GRID_MOST ? el("p", { className: "note" }, `The first ${GRID_MOST} rows; close some, or zoom in.`) : null);
  if (focus) body[grid.at].focus();
}

function gridRow({ node, level, small }, at, scale, unit) {
  const { name: title, file, line, cls } = frameOf(now.view.frame[node]);
  const value = small || now.total[node];
  const opens = !small && now.view.end[node] > node + 1;
  const open = grid.open.has(node);
  const mark = el("span", { className: "twist", aria: { hidden: "true" } }, small ? "…" : opens ? (open ? "▾" : "▸") : "");
  const words = small ? "smaller ones" : node ? cutMiddle(title, 100) : "all";
  const label = el("td", {}, mark, small || !node ? words : el("i", { className: `dot ${CLASSES[cls] || "grey"}` }), small || !node ? null : name(words));
  label.style.paddingLeft = `${Math.min(level - 1, 40) * 12 + 4}px`;
  const row = el("tr", { tabIndex: at === grid.at ? 0 : -1, aria: { level } }, label,
    el("td", { className: "num" }, marked(value, scale, unit)),
    el("td", { className: "num" }, percent(value, now.all)),
    el("td", { className: "place" }, node && !small && file && file.path ? name(`${cutStart(file.short, 50)}${line ? `:${line}` : ""}`) : ""));
  if (opens) row.setAttribute("aria-expanded", open);
  const picked = !small && state.pick && state.pick.kind === "node" && state.pick.id === node;
  row.setAttribute("aria-selected", Boolean(picked));
  row.addEventListener("click", () => {
    grid.at = at;
    if (small) grid.all.add(node);
    else if (picked || !opens) open ? grid.open.delete(node) : grid.open.add(node);
    else grid.open.add(node);
    if (small || picked) drawGrid(true);
    else select("node", node);
  });
  return row;
}

function walkGrid(event, rows) {
  const { node, small, level } = rows[grid.at];
  const go = (at) => {
    grid.at = Math.max(0, Math.min(at, rows.length - 1));
    if (rows[grid.at].small) drawGrid(true);
    else select("node", rows[grid.at].node);
  };
  if (event.key === "ArrowDown") go(grid.at + 1);
  else if (event.key === "ArrowUp") go(grid.at - 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(rows.length - 1);
  else if (event.key === "ArrowRight" && !small && !grid.open.has(node)) {
    grid.open.add(node);
    drawGrid(true);
  } else if (event.key === "ArrowRight" && !small) go(grid.at + 1);
  else if (event.key === "ArrowLeft" && !small && grid.open.has(node)) {
    grid.open.delete(node);
    drawGrid(true);
  } else if (event.key === "ArrowLeft") go(rows.findLastIndex((row, at) => at < grid.at && row.level < level));
  else if (event.key === "Enter") small ? (grid.all.add(node), drawGrid(true)) : openNode({ node });
  else return;
  event.preventDefault();
  event.stopPropagation();
}
