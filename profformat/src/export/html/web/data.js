// Decodes the blocks of the page. A block is base64 of raw deflate of LEB128 numbers and strings; see the writer.

async function inflate(id) {
  const script = byId(`d-${id}`);
  if (!script) return null;
  const stream = new Blob([unpacked(script.textContent.trim())]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function unpacked(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

const UTF8 = new TextDecoder();
// Bytes of a name that are read; the writer cuts them shorter.
const LONGEST = 4096;

// Reads numbers one after the other. Numbers are below 2^53, so sums by multiplication lose nothing.
function reader(block) {
  let at = 0;
  const number = () => {
    let byte = block[at++];
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    do {
      byte = block[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  };
  const text = () => {
    const length = number();
    at += length;
    return UTF8.decode(block.subarray(at - length, at - Math.max(0, length - LONGEST)));
  };
  const list = (read) => Array.from({ length: number() }, read);
  const six = () => [number(), number(), number(), number(), number(), number()];
  return { number, text, list, six };
}

function readNames(block) {
  const { number, text, list } = reader(block);
  const strings = list(text);
  const files = list(() => ({ path: strings[number()], short: strings[number()], own: (number() & 1) === 1 }));
  files.forEach((file, at) => (file.id = at));
  const functions = list(() => ({ name: strings[number()], file: number(), line: number(), lang: number() }));
  const total = number();
  const frames = { length: total, fn: new Uint32Array(total), line: new Uint32Array(total) };
  for (let at = 0; at < total; at++) {
    frames.fn[at] = number();
    frames.line[at] = number();
  }
  return { strings, files, functions, frames };
}

const COLUMNS = ["python", "native", "gc", "kernel", "gil", "wait", "alloc", "peak", "live", "copies"];

// The tree as it is in the file: parents, frames, and for each column the nodes with something of their own.
function readTree(block) {
  const { number } = reader(block);
  const length = number();
  const parent = new Uint32Array(length);
  const frame = new Uint32Array(length);
  for (let at = 1; at < length; at++) {
    let up = number();
    let above = at - 1;
    while (up-- > 0) above = parent[above];
    parent[at] = above;
  }
  for (let at = 1; at < length; at++) frame[at] = number();
  const columns = COLUMNS.map(() => {
    const count = number();
    const nodes = new Uint32Array(count);
    const weights = new Float64Array(count);
    let node = 0;
    for (let at = 0; at < count; at++) {
      node += number();
      nodes[at] = node;
      weights[at] = number();
    }
    return { nodes, weights };
  });
  return { length, parent, frame, columns };
}

// CPU and waiting time by part of the run, thread and node, in columns; and the memory held over the run.
function readTime(block) {
  const { number, list } = reader(block);
  const partNs = number();
  const parts = number();
  const length = number();
  const column = (List) => List.from({ length }, number);
  const time = { partNs, parts, length };
  time.part = column(Uint32Array);
  for (let at = 1; at < length; at++) time.part[at] += time.part[at - 1];
  time.thread = column(Uint32Array);
  time.node = column(Uint32Array);
  time.cls = column(Uint8Array);
  time.weight = column(Float64Array);
  let now = 0;
  time.footprint = list(() => ({ at: (now += number()), bytes: number(), python: number() }));
  return time;
}

const WHY = ["itself", "gc", "native", "kernel", "calls"];

function readLines(block) {
  const { number, list, six } = reader(block);
  const { strings } = names;
  const row = () => ({
    file: number(), line: number(), name: strings[number()], split: six(), samples: number(), half: number(),
    total: number(), totalSamples: number(), totalHalf: number(),
    why: list(() => ({ what: number(), name: strings[number()], ns: number() })),
    callers: list(() => ({ file: number(), line: number(), ns: number() })),
    alloc: number(), allocPython: number(), allocCount: number(), peak: number(), live: number(), blocks: number(),
    churn: number(), leak: number(), copies: number(), copyCount: number(), curve: list(number),
  });
  const places = list(row);
  const functions = list(() => ({
    name: strings[number()], file: number(), line: number(), split: six(), samples: number(), half: number(), total: number(),
  }));
  const { rows, links } = merged(places);
  return { rows, links, functions };
}

const placeKey = (file, line, name) => (line ? `${file}:${line}` : `${file}:${line}:${name}`);
const SUMS = ["samples", "alloc", "allocPython", "allocCount", "peak", "live", "blocks", "churn", "copies", "copyCount"];

// The functions of a line (a lambda, a comprehension) as one row, as the text report has them; `links` are the merged
// rows by their number in the block.
function merged(places) {
  const groups = new Map();
  for (const row of places) {
    const key = placeKey(row.file, row.line, row.name);
    groups.has(key) ? groups.get(key).push(row) : groups.set(key, [row]);
  }
  const rowOfGroup = new Map([...groups].map(([key, group]) => [key, group.length > 1 ? mergedRow(group) : group[0]]));
  return { rows: [...rowOfGroup.values()], links: places.map((row) => rowOfGroup.get(placeKey(row.file, row.line, row.name))) };
}

// Functions of a line run inside each other: the outermost has the name and the total.
function mergedRow(group) {
  const [outer, ...inner] = [...group].sort((a, b) => b.total - a.total);
  const row = { ...outer, isMerged: true, split: [...outer.split] };
  for (const other of inner) {
    for (const key of SUMS) row[key] += other[key];
    other.split.forEach((ns, cls) => (row.split[cls] += ns));
    row.half = Math.hypot(row.half, other.half);
    row.leak = Math.max(row.leak, other.leak);
    if (!row.curve.length) row.curve = other.curve;
  }
  const own = ownOf(row, "cpu");
  if (own > row.total) Object.assign(row, { total: own, totalSamples: row.samples, totalHalf: row.half });
  row.callers = row.callers.filter(({ file, line }) => file !== row.file || line !== row.line);
  const names = new Set(group.map(({ name }) => name));
  const parts = new Map();
  for (const part of group.flatMap(({ why }) => why)) {
    if (WHY[part.what] === "calls" && names.has(part.name)) continue;
    const key = `${part.what}${part.name}`;
    parts.set(key, { ...part, ns: part.ns + (parts.has(key) ? parts.get(key).ns : 0) });
  }
  row.why = [...parts.values()].sort((a, b) => b.ns - a.ns);
  return row;
}

let head, names, lines, clock;
const sources = new Map();

const hasSource = (file) => head.sources.includes(file);
// What stands in the file now is not what ran.
const isChanged = (file) => head.changed.includes(file);

// Lines of a file, or null until they have come; `then` is called when they are there. A file is read when it is wanted.
function sourceOf(file, then) {
  if (!hasSource(file)) return null;
  if (!sources.has(file)) {
    const source = { text: null, waiting: [] };
    sources.set(file, source);
    inflate(`source-${file}`).then((block) => {
      source.text = UTF8.decode(block).split("\n");
      for (const call of source.waiting.splice(0)) call();
    });
  }
  const source = sources.get(file);
  if (!source.text && then) source.waiting.push(then);
  return source.text;
}
