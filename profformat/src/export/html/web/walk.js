// Zoom, and the walk through the flame graph by keys; each step is said to those who do not see it.

function zoomTo(node) {
  change({ zoom: node }, true);
  say(node ? `Zoomed to ${frameOf(now.view.frame[node]).name}.` : "The whole run.");
}

function zoomIn() {
  if (state.pick && state.pick.kind === "node") zoomTo(state.pick.id);
}

// One level out: to the next caller that is wider, for callers of the same width would look the same.
function zoomOut() {
  if (!state.zoom) return;
  let node = now.view.parent[state.zoom];
  while (node > 0 && now.total[node] === now.total[state.zoom]) node = now.view.parent[node];
  zoomTo(node);
}

const STEPS = {
  ArrowUp: (node) => now.view.parent[node],
  ArrowDown: (node) => childrenOf(node).find((child) => child > 0) ?? node,
  ArrowLeft: (node) => neighbor(node, -1),
  ArrowRight: (node) => neighbor(node, 1),
  Home: () => state.zoom,
};

function neighbor(node, step) {
  if (!node) return node;
  const row = childrenOf(now.view.parent[node]).filter((child) => child > 0);
  return row[row.indexOf(node) + step] ?? node;
}

function walkFlame(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const at = state.pick && state.pick.kind === "node" ? state.pick.id : -1;
  if (event.key === "Enter" && at > 0) openNode({ node: at });
  else if (event.key in STEPS) walkTo(at < 0 ? firstNode() : STEPS[event.key](at));
  else return;
  event.preventDefault();
}

// Where a walk begins: at the selected line's largest box, else at the top.
function firstNode() {
  const { frame, length } = now.view;
  let best = state.zoom;
  if (!flame.lit) return best;
  for (let node = 1; node < length; node++) {
    if (flame.lit(frame[node]) && (best === state.zoom || now.total[node] > now.total[best])) best = node;
  }
  return best;
}

function walkTo(node) {
  select("node", node);
  say(spoken(node));
}

function spoken(node) {
  const { name: title, file, line } = frameOf(now.view.frame[node]);
  const place = node && line ? `, line ${line} of ${baseName(file)}` : "";
  const level = `level ${now.view.depth[node]} of ${now.view.levels}`;
  return `${node ? title : "all"}${place}, ${told(now.total[node])}, ${percent(now.total[node], now.all)} per cent, ${level}`;
}

// Brings a box into view: zooms out to something that holds it when it is not below what is zoomed to.
function showNode(node) {
  const { parent, end, depth } = now.view;
  const isAbove = (above) => node >= above && node < end[above];
  if (!isAbove(state.zoom) && !(state.zoom >= node && state.zoom < end[node])) {
    let above = state.zoom;
    while (!isAbove(above)) above = parent[above];
    change({ zoom: above });
  }
  const scroller = byId("flame-scroll");
  const y = depth[node] * ROW;
  if (y < scroller.scrollTop) scroller.scrollTop = Math.max(0, y - ROW * 2);
  else if (y > scroller.scrollTop + scroller.clientHeight - ROW * 2) scroller.scrollTop = y - scroller.clientHeight + ROW * 3;
}
