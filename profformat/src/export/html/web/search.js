// Search: text, or /a regular expression/, in names, files and source. It counts boxes and says their share, where a
// box below another hit adds nothing.

const SEARCH_MS = 500;
const found = { query: "", test: null, frames: null, boxes: 0, total: 0, hits: [], at: -1, error: "" };
let searching = 0;

function matcher(query) {
  const pattern = query.match(/^\/(.+)\/(i?)$/);
  if (pattern) {
    const expression = new RegExp(pattern[1], pattern[2]);
    return (text) => expression.test(text.slice(0, 4096));
  }
  const lower = query.toLowerCase();
  return (text) => text.toLowerCase().includes(lower);
}

// What is searched of a place: name, file with line, source.
function searchText(label, file, line) {
  const text = file && line ? sourceLine(file.id, line) : "";
  return `${label}\n${file ? `${file.short || file.path}:${line}` : ""}\n${text}`;
}

// A source line without its indent, empty when it is not here (yet).
function sourceLine(file, line, then) {
  const text = sourceOf(file, then);
  return text && line > 0 && line <= text.length ? text[line - 1].trim() : "";
}

const loadSources = () => Promise.all(head.sources.map((file) => new Promise((done) => sourceOf(file, done) && done())));

function* testFrames(test) {
  const frames = new Uint8Array(frameCount + made.length);
  const until = performance.now() + SEARCH_MS;
  for (let frame = 0; frame < frames.length; frame++) {
    const { name: label, file, line } = frameOf(frame);
    if (test(searchText(label, file, line))) frames[frame] = 1;
    if (frame % 64 === 0) {
      if (performance.now() > until) return { frames, error: "stopped after half a second" };
      yield;
    }
  }
  return { frames, error: "" };
}

// Follows the query of the state; the graph shows nothing of a query that cannot be understood.
async function search() {
  const mine = ++searching;
  Object.assign(found, { query: state.query, test: null, frames: null, boxes: 0, total: 0, hits: [], at: -1, error: "" });
  if (!state.query) return true;
  try {
    found.test = matcher(state.query);
  } catch (error) {
    found.error = "not a regular expression";
    return true;
  }
  await loadSources();
  const tested = await sliced(testFrames(found.test), () => mine === searching);
  if (!tested || mine !== searching) return false;
  found.frames = tested.frames;
  found.error = tested.error;
  countHits();
  return true;
}

function countHits() {
  const { frame, end, length } = now.view;
  const { total } = now;
  found.boxes = 0;
  found.total = 0;
  const hits = [];
  let covered = 1;
  for (let node = 1; node < length; node++) {
    if (!total[node] || !found.frames[frame[node]]) continue;
    found.boxes++;
    if (node < covered) continue;
    covered = end[node];
    found.total += total[node];
    hits.push(node);
  }
  hits.sort((a, b) => total[b] - total[a] || a - b);
  found.hits = hits.slice(0, 5000);
}

const foundWords = () =>
  found.error && !found.frames
    ? found.error
    : `${share(found.total, now.all)} of ${wordsOf(metricOf(state.metric))}, ${plural(found.boxes, "box").replace("boxs", "boxes")}${found.error ? ` (${found.error})` : ""}`;

// The next hit by size, in either direction.
function nextHit(step) {
  if (!found.hits.length) return say("No hit.");
  found.at = (found.at + step + found.hits.length) % found.hits.length;
  select("node", found.hits[found.at]);
}
