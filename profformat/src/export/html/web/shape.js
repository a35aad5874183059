// Other trees made from the base tree: without what launched it, Python only, libraries folded, recursion folded, inverted. Every weight of the
// base tree has its place in each of them, so the root's total is the same.
//
// A shape is built in slices, so that the page answers meanwhile, and kept.

const SLICE_MS = 8;
const shapes = new Map();

const pause = () => new Promise((go) => setTimeout(go));

// Runs a generator in slices; `alive` is asked between them.
async function sliced(work, alive) {
  let turn = work.next();
  while (!turn.done) {
    const until = performance.now() + SLICE_MS;
    while (!turn.done && performance.now() < until) turn = work.next();
    if (turn.done) break;
    await pause();
    if (!alive()) return null;
  }
  return turn.value;
}

// Nodes by parent and frame: finds the child, or makes it. Parents have lower numbers than their children.
function trie(room) {
  let size = 1024;
  while (size < room * 2) size *= 2;
  let slots = new Uint32Array(size);
  let parent = new Uint32Array(size / 2);
  let frame = new Uint32Array(size / 2);
  let length = 1;
  frame[0] = frameCount;
  const slotOf = (above, child) => {
    let slot = (Math.imul(above, 0x9e3779b1) ^ Math.imul(child + 1, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & (slots.length - 1);
    for (let node = slots[slot]; node && (parent[node] !== above || frame[node] !== child); node = slots[slot]) {
      slot = (slot + 1) & (slots.length - 1);
    }
    return slot;
  };
  const grow = () => {
    const longer = (list) => {
      const copy = new Uint32Array(list.length * 2);
      copy.set(list);
      return copy;
    };
    [parent, frame] = [longer(parent), longer(frame)];
    slots = new Uint32Array(slots.length * 2);
    for (let node = 1; node < length; node++) slots[slotOf(parent[node], frame[node])] = node;
  };
  const child = (above, frameId) => {
    const slot = slotOf(above, frameId);
    if (slots[slot]) return slots[slot];
    if (length === parent.length) {
      grow();
      return child(above, frameId);
    }
    parent[length] = above;
    frame[length] = frameId;
    return (slots[slot] = length++);
  };
  const done = () => ({ length, parent: parent.subarray(0, length), frame: frame.subarray(0, length) });
  return { child, done, size: () => length, parentOf: (node) => parent[node], frameOf: (node) => frame[node] };
}

// A step of shaping: `place(out, above, frame)` says which node of `out` stands for a frame below `above`, and where
// its own weight goes.
function* reframe(tree, place) {
  const out = trie(tree.length);
  const at = new Uint32Array(tree.length);
  const put = new Uint32Array(tree.length);
  for (let node = 1; node < tree.length; node++) {
    const above = at[tree.parent[node]];
    at[node] = place(out, above, tree.frame[node]);
    put[node] = at[node];
    if (tree.own[node] && !isClass(tree.frame[node])) {
      const cls = langOf(tree.frame[node]);
      if (cls === 1 && langOf(out.frameOf(at[node])) !== 1) put[node] = out.child(at[node], classFrame(1));
    }
    if (node % 2048 === 0) yield;
  }
  return compose(tree, out.done(), put);
}

// Marks which nodes of the made tree have a weight of their own, and joins the maps from the base tree.
function compose(tree, out, put) {
  out.own = new Uint8Array(out.length);
  for (let node = 1; node < tree.length; node++) if (tree.own[node]) out.own[put[node]] = 1;
  out.map = tree.map ? tree.map.map((node) => (node === NONE ? NONE : put[node])) : put;
  return out;
}

function pythonOnly(out, above, frame) {
  return !isClass(frame) && langOf(frame) === 1 ? above : out.child(above, frame);
}

// Frames of a library become one box with its name, as far as nothing of the user's is between them.
function foldLibraries() {
  const folded = new Map();
  const boxes = new Set();
  const packageOf = (frame) => {
    const { file, cls } = frameOf(frame);
    if (frame >= frameCount || !file || file.own || !file.short) return NONE;
    const text = file.short.replace(/^\/+/, "").split("/")[0].replace(/\.py$/, "");
    const key = `${cls}${text}`;
    if (!folded.has(key)) {
      folded.set(key, frameCount + made.push({ name: `${text} (folded)`, cls }) - 1);
      boxes.add(folded.get(key));
    }
    return folded.get(key);
  };
  const known = new Map();
  return (out, above, frame) => {
    if (!known.has(frame)) known.set(frame, packageOf(frame));
    const box = known.get(frame);
    if (box === NONE) return out.child(above, frame);
    return boxes.has(out.frameOf(above)) ? above : out.child(above, box);
  };
}

// What starts a module (`-m`) stands above all that the module does and is nothing of the program's. What it took by
// itself is in [other] beside the module.
const isLauncher = (file) => Boolean(file) && (file.path === "<frozen runpy>" || file.path.endsWith("/runpy.py"));
const isLaunched = () => names.functions.some((fn) => isLauncher(names.files[fn.file]));

function withoutLauncher(out, above, frame) {
  const isBelow = above > 0 && out.frameOf(above) === pruned();
  const top = isBelow ? out.parentOf(above) : above;
  // Native code between it and the module is what calls the module.
  const isOf = isLauncher(frameOf(frame).file) || (isBelow && langOf(frame) === 1);
  return out.child(top, !top && isOf ? pruned() : frame);
}

// A function that is on the stack already goes back to its first call.
function foldRecursion(out, above, frame) {
  if (frame >= frameCount) return out.child(above, frame);
  for (let node = above; node > 0; node = out.parentOf(node)) {
    const other = out.frameOf(node);
    if (other < frameCount && names.frames.fn[other] === names.frames.fn[frame]) return out.child(out.parentOf(node), frame);
  }
  return out.child(above, frame);
}

// What did the work stands on top, who called it below. Upside down, deep stacks share little: callers beyond these
// limits are cut off as [other].
const INVERTED_NODES = 4_000_000;
const INVERTED_LEVELS = 2_000;

function* invert(tree) {
  const out = trie(tree.length);
  const put = new Uint32Array(tree.length);
  for (let leaf = 1; leaf < tree.length; leaf++) {
    let room = INVERTED_LEVELS;
    for (let node = tree.own[leaf] ? leaf : 0; node > 0; node = tree.parent[node]) {
      if (room-- === 0 || out.size() > INVERTED_NODES) {
        put[leaf] = out.child(put[leaf], pruned());
        break;
      }
      put[leaf] = out.child(put[leaf], tree.frame[node]);
    }
    if (leaf % 64 === 0) yield;
  }
  return compose(tree, out.done(), put);
}

// The tree in preorder again.
function* inPreorder(tree) {
  const { length, parent } = tree;
  const below = new Uint32Array(length).fill(1);
  for (let node = length - 1; node > 0; node--) below[parent[node]] += below[node];
  const moved = new Uint32Array(length);
  const next = new Uint32Array(length).fill(1);
  const out = { length, parent: new Uint32Array(length), frame: new Uint32Array(length) };
  out.frame[0] = tree.frame[0];
  for (let node = 1; node < length; node++) {
    moved[node] = next[parent[node]];
    next[parent[node]] += below[node];
    next[node] = moved[node] + 1;
    out.parent[moved[node]] = moved[parent[node]];
    out.frame[moved[node]] = tree.frame[node];
    if (node % 8192 === 0) yield;
  }
  out.map = tree.map.map((node) => (node === NONE ? NONE : moved[node]));
  return finish(out);
}

function* shaped(modes) {
  let tree = { ...base, own: ownNodes() };
  if (isLaunched()) tree = yield* reframe(tree, withoutLauncher);
  if (modes.python) tree = yield* reframe(tree, pythonOnly);
  if (modes.libraries) tree = yield* reframe(tree, foldLibraries());
  if (modes.recursion) tree = yield* reframe(tree, foldRecursion);
  if (modes.inverted) tree = yield* invert(tree);
  return yield* inPreorder(tree);
}

function ownNodes() {
  const own = new Uint8Array(base.length);
  for (const { nodes } of base.columns) for (let at = 0; at < nodes.length; at++) own[nodes[at]] = 1;
  for (let at = 0; at < clock.length; at++) own[clock.node[at]] = 1;
  return own;
}

const shapeKey = (modes) => ["python", "libraries", "recursion", "inverted"].filter((mode) => modes[mode]).join("+");

// The tree for these modes: at once when it is there, else after a while; null when nobody wants it any more.
async function shapeFor(modes, alive) {
  const key = shapeKey(modes);
  if (!shapes.has(key)) {
    const tree = await sliced(shaped(modes), alive);
    if (tree) shapes.set(key, tree);
  }
  return shapes.get(key) || null;
}
