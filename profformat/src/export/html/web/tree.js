// The tree of stacks in preorder, sums over it by any key, and what its frames are.
//
// Work that is not of its frame's language (collection of garbage, kernel, waits) becomes a child of its own: it is
// seen, found and zoomed like a frame, and an area in a frame's color is that frame's work alone.

const NONE = 0xffffffff;
const GREY = 6;
let base, frameCount, sites, siteOf, functionSums, functionOf, fileOf;
// Frames that no trace has: made here, numbered behind the trace's.
const made = [];

const noStack = () => frameCount;
const pruned = () => frameCount + 1;
const classFrame = (cls) => frameCount + 2 + cls;
const isClass = (frame) => frame > frameCount + 1 && frame < frameCount + 8;

function makeFrames() {
  frameCount = names.frames.length;
  made.push({ name: "[no stack]", cls: GREY }, { name: "[other]", cls: GREY });
  CLASS_WORDS.forEach((word, cls) => made.push({ name: `[${word}]`, cls }));
}

// Name, file (or null), line and class of a frame; frames that were made here have a name and a class.
function frameOf(frame) {
  if (frame >= frameCount) return { file: null, line: 0, ...made[frame - frameCount] };
  const fn = names.functions[names.frames.fn[frame]];
  const cls = fn.lang === 2 ? GREY : fn.lang;
  return { name: fn.name || "[no name]", file: names.files[fn.file], line: names.frames.line[frame], cls };
}

function langOf(frame) {
  return frame >= frameCount ? made[frame - frameCount].cls : names.functions[names.frames.fn[frame]].lang;
}

// Subtrees' ends and depths of nodes in preorder.
function finish(tree) {
  const { length, parent } = tree;
  tree.end = new Uint32Array(length);
  tree.depth = new Uint32Array(length);
  tree.levels = 0;
  for (let at = 1; at < length; at++) {
    tree.depth[at] = tree.depth[parent[at]] + 1;
    tree.levels = Math.max(tree.levels, tree.depth[at]);
  }
  for (let at = length - 1; at >= 0; at--) {
    tree.end[at] = Math.max(tree.end[at], at + 1);
    if (at > 0) tree.end[parent[at]] = Math.max(tree.end[parent[at]], tree.end[at]);
  }
  return tree;
}

// From the tree of the file to the one that is shown: `put(node, cls)` says where a weight of the file stands.
function makeBase(raw, time) {
  const wants = new Uint8Array(raw.length);
  const frames = raw.frame.map((value) => (value === 0 ? frameCount : value <= frameCount ? value - 1 : frameCount + 1));
  frames[0] = frameCount;
  const apart = (node, cls) => cls > 1 || (cls === 1 && langOf(frames[node]) === 0);
  const want = (node, cls) => apart(node, cls) && (wants[node] |= 1 << cls);
  for (let cls = 1; cls < 6; cls++) raw.columns[cls].nodes.forEach((node) => want(node, cls));
  for (let at = 0; at < time.length; at++) want(time.node[at], time.cls[at]);

  const moved = new Uint32Array(raw.length);
  let length = 0;
  for (let node = 0; node < raw.length; node++) {
    moved[node] = length++;
    for (let bits = wants[node]; bits; bits &= bits - 1) length++;
  }
  const tree = { length, parent: new Uint32Array(length), frame: new Uint32Array(length) };
  for (let node = 0; node < raw.length; node++) {
    let at = moved[node];
    tree.parent[at] = moved[raw.parent[node]];
    tree.frame[at] = frames[node];
    for (let cls = 1; cls < 6; cls++) {
      if (!(wants[node] & (1 << cls))) continue;
      tree.parent[++at] = moved[node];
      tree.frame[at] = classFrame(cls);
    }
  }
  const put = (node, cls) => {
    if (!(wants[node] & (1 << cls))) return moved[node];
    let before = 1;
    for (let lower = 1; lower < cls; lower++) before += (wants[node] >> lower) & 1;
    return moved[node] + before;
  };
  finish(tree);
  tree.columns = raw.columns.map(({ nodes, weights }, cls) => ({
    cls: cls < 6 ? cls : 0,
    nodes: nodes.map((node) => (cls < 6 ? put(node, cls) : moved[node])),
    weights,
  }));
  for (let at = 0; at < time.length; at++) time.node[at] = put(time.node[at], time.cls[at]);
  homes(tree);
  return tree;
}

// Where a node's own weight counts: at the innermost Python frame above it, or at itself when no Python is there.
function homes(tree) {
  const { length, parent, frame } = tree;
  tree.home = new Uint32Array(length);
  tree.python = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    const above = parent[at];
    const own = at > 0 && !isClass(frame[at]);
    const python = own && langOf(frame[at]) === 0;
    tree.python[at] = python || (at > 0 && tree.python[above]) ? 1 : 0;
    tree.home[at] = python || (own && !tree.python[at]) ? at : at > 0 ? tree.home[above] : 0;
  }
}

// Entries of a metric over the whole run: columns of the base tree.
const METRIC_COLUMNS = { cpu: [0, 1, 2, 3], wall: [0, 1, 2, 3, 4, 5], alloc: [6], peak: [7], live: [8], copies: [9] };
const isTime = (metric) => metric === "cpu" || metric === "wall";

function totalsOf(tree, entries, map) {
  const total = new Float64Array(tree.length);
  for (const { nodes, weights } of entries) {
    for (let at = 0; at < nodes.length; at++) {
      const node = map ? map[nodes[at]] : nodes[at];
      if (node !== NONE) total[node] += weights[at];
    }
  }
  for (let at = tree.length - 1; at > 0; at--) total[tree.parent[at]] += total[at];
  return total;
}

// Places: lines, functions and files that figures are summed by, as the text report sums them.
function makePlaces() {
  const rows = new Map(lines.rows.map((row, at) => [placeKey(row.file, row.line, row.name), at]));
  const keep = (list, index, key, make) => {
    if (!index.has(key)) index.set(key, list.push(make()) - 1);
    return index.get(key);
  };
  const siteIndex = new Map();
  const functionIndex = new Map();
  const extra = made.length;
  sites = [];
  functionSums = [];
  siteOf = new Int32Array(frameCount + extra).fill(-1);
  functionOf = new Int32Array(frameCount + extra).fill(-1);
  fileOf = new Int32Array(frameCount + extra).fill(0);
  const place = (frame, file, line, name, first) => {
    const key = placeKey(file, line, name);
    const row = rows.get(key) ?? -1;
    siteOf[frame] = keep(sites, siteIndex, key, () => ({ file, line, name: row < 0 ? name : lines.rows[row].name, row }));
    functionOf[frame] = keep(functionSums, functionIndex, `${file}:${first}:${name}`, () => ({ file, line: first, name }));
    fileOf[frame] = file;
  };
  for (let frame = 0; frame < frameCount; frame++) {
    const fn = names.functions[names.frames.fn[frame]];
    place(frame, fn.file, names.frames.line[frame], fn.name, fn.line);
  }
  const nowhere = names.files.findIndex((file) => file.path === "");
  place(noStack(), nowhere, 0, "[no stack]", 0);
  place(pruned(), nowhere, 0, "[other]", 0);
  // Rows without a frame (of memory, or of what was pruned) are places as well.
  lines.rows.forEach((row, at) => {
    row.site = keep(sites, siteIndex, placeKey(row.file, row.line, row.name), () => ({ ...row, row: at }));
  });
}

// Sums by key of a frame: what is its own, by class, and what is below it. A recursive call counts once.
function sumsBy(keyOf, keys, entries) {
  const { length, parent, frame, end, home, python } = base;
  const own = new Float64Array(keys);
  const split = new Float64Array(keys * 6);
  const below = new Float64Array(length);
  for (const { nodes, weights, cls, classes } of entries) {
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at];
      below[node] += weights[at];
      const key = keyOf[frame[home[node]]];
      if (key < 0) continue;
      own[key] += weights[at];
      split[key * 6 + (classes ? classes[at] : cls)] += weights[at];
    }
  }
  // A stack with Python frames has no other places: what is below a native frame and Python is not that frame's.
  for (let at = length - 1; at > 0; at--) if (python[at] <= python[parent[at]]) below[parent[at]] += below[at];
  const total = new Float64Array(keys);
  const open = new Uint32Array(keys);
  const path = new Int32Array(base.levels + 2).fill(-1);
  let level = 0;
  const ends = new Uint32Array(path.length);
  for (let at = 1; at < length; at++) {
    while (level > 0 && ends[level - 1] <= at) if (path[--level] >= 0) open[path[level]]--;
    const isPlace = home[at] === at;
    const key = isPlace ? keyOf[frame[at]] : -1;
    if (key >= 0 && open[key]++ === 0) total[key] += below[at];
    path[level] = key;
    ends[level++] = end[at];
  }
  return { own, split, total };
}
