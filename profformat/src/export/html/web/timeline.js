// The run from left to right: CPU by class, memory held, and a row for each thread. A range of it filters everything
// below: drag, or the keys.

const AXIS = 16;
const TIME_MOST_THREADS = 8;
// Least width of a column, in pixels.
const COLUMN = 4;
const strip = { drag: null, per: null, shown: [], width: 0 };

function buildTimeline() {
  const canvas = el("canvas", { id: "time", tabIndex: 0, role: "application" });
  canvas.setAttribute("aria-label", "Timeline. Arrow keys move a range, plus and minus make it longer or shorter, Escape is the whole run.");
  canvas.addEventListener("pointerdown", startDrag);
  canvas.addEventListener("pointermove", moveDrag);
  canvas.addEventListener("pointerup", endDrag);
  canvas.addEventListener("keydown", walkTime);
  const labels = el("div", { id: "time-labels" });
  const pane = el("section", { id: "timeline", data: { pane: "timeline" }, aria: { label: "Timeline" } },
    el("h2", {}, "When ", el("small", { id: "time-note" })),
    el("div", { className: "time-box" }, labels, canvas), el("p", { id: "time-hover", className: "hover" }));
  new ResizeObserver(() => requestAnimationFrame(drawTime)).observe(pane);
  return pane;
}

// Time by part of the run and class, for all threads or one.
function byPart(thread) {
  const sums = new Float64Array(clock.parts * 6);
  for (let at = 0; at < clock.length; at++) {
    if (thread !== null && clock.thread[at] !== thread) continue;
    sums[clock.part[at] * 6 + clock.cls[at]] += clock.weight[at];
  }
  return sums;
}

// Time of the selected place by part: every entry whose stack has it.
function pickedByPart() {
  const frameIs = found.frames ? (frame) => found.frames[frame] === 1 : litFrames();
  if (!frameIs || !clock.parts) return null;
  const exact = !found.frames && state.pick.kind === "node" && now.view === base ? state.pick.id : -1;
  const inside = new Uint8Array(base.length);
  for (let at = 1; at < base.length; at++) {
    const hit = exact >= 0 ? at === exact : frameIs(base.frame[at]);
    inside[at] = hit || inside[base.parent[at]] ? 1 : 0;
  }
  const sums = new Float64Array(clock.parts);
  for (let at = 0; at < clock.length; at++) if (inside[clock.node[at]]) sums[clock.part[at]] += clock.weight[at];
  return sums;
}

const timeHeights = () => ({ cpu: clock.length ? 46 : 0, memory: clock.footprint.length > 1 ? 34 : 0 });

function renderTime(keys) {
  if (!strip.per) {
    strip.per = byPart(null);
    const busy = head.threads.map((thread, at) => ({ at, ns: thread.ns.reduce((a, b) => a + b, 0) })).filter(({ ns }) => ns > 0);
    busy.sort((a, b) => b.ns - a.ns || a.at - b.at);
    strip.shown = busy.slice(0, TIME_MOST_THREADS).map(({ at }) => ({ thread: at, per: byPart(at) }));
    strip.more = busy.length - strip.shown.length;
  }
  if (keys.some((key) => ["pick", "query", "modes"].includes(key))) strip.picked = pickedByPart();
  const labels = strip.shown.map(({ thread }) =>
    el("button", { type: "button", className: "thread", aria: { pressed: state.thread === thread }, title: `Only thread ${threadName(thread)}`,
      click: () => change({ thread: state.thread === thread ? null : thread }, true) }, name(cutMiddle(threadName(thread), 18))));
  const { cpu, memory } = timeHeights();
  const track = (text, height) => (height ? sized(el("span", { className: "track" }, text), height) : null);
  clear(byId("time-labels"), track("CPU", cpu), track("memory", memory), ...labels, strip.more > 0 ? el("span", { className: "track" }, `+ ${strip.more} more`) : null);
  byId("time-hover").textContent = clock.length ? "Drag for a range, or use the arrow keys here; everything below follows." : "";
  drawTime();
  byId("time-note").textContent = clock.length || memory ? timeNote() : "no time and no memory was measured over the run";
}

function sized(element, height) {
  element.style.height = `${height}px`;
  return element;
}

const threadName = (at) => head.threads[at].name || `thread ${head.threads[at].tid}`;

function timeNote() {
  const words = [`${time(head.elapsed_ns)} in all`];
  if (clock.length) words.push(`full height = ${(fullHeight() / clock.partNs).toFixed(1)} CPUs`);
  if (head.footprint.peak) words.push(`memory: full height = ${bytes(head.footprint.peak)}`);
  return words.join(" · ");
}

// Parts of the run that one column of the drawing stands for: a column of one tick would say nothing of the load.
const partsOfColumn = () => Math.max(1, Math.ceil(COLUMN / timeX(clock.partNs)));

// The busiest column, as the mean of its parts; one CPU at least.
function fullHeight() {
  let most = clock.partNs;
  const columns = partsOfColumn();
  for (let part = 0; part < clock.parts; part += columns) {
    let sum = 0;
    for (let at = part; at < Math.min(part + columns, clock.parts); at++) for (let cls = 0; cls < 4; cls++) sum += strip.per[at * 6 + cls];
    most = Math.max(most, sum / columns);
  }
  return most;
}

// The part of the screen for a moment of the run, and back.
const runLength = () => Math.max(head.elapsed_ns, clock.parts * clock.partNs, 1);
const timeX = (ns) => (ns / runLength()) * strip.width;

function drawTime() {
  const canvas = byId("time");
  if (!canvas || !strip.per) return;
  strip.width = (printing ? PAPER : canvas.parentElement.clientWidth) - byId("time-labels").offsetWidth;
  const { cpu, memory } = timeHeights();
  canvas.hidden = !cpu && !memory;
  if (canvas.hidden) return;
  const rowsTop = cpu + memory;
  const height = rowsTop + strip.shown.length * 24 + (strip.more > 0 ? 24 : 0) + AXIS;
  const ink = fitCanvas(canvas, strip.width, height);
  if (cpu) drawStack(ink, strip.per, 0, cpu, fullHeight(), 4);
  strip.shown.forEach(({ per }, at) => drawStack(ink, per, rowsTop + at * 24 + 4, 18, clock.partNs, 6));
  if (memory) drawMemory(ink, cpu, memory);
  if (strip.picked && cpu) drawPicked(ink, cpu);
  drawAxis(ink, height);
  drawRange(ink, height);
}

// Classes upon each other in fixed order, one column of the screen at a time.
function drawStack(ink, per, top, height, full, classes) {
  const { classes: paints } = colors();
  const columns = partsOfColumn();
  const wide = timeX(clock.partNs * columns);
  for (let part = 0; part < clock.parts; part += columns) {
    let y = top + height;
    for (let cls = 0; cls < classes; cls++) {
      let sum = 0;
      for (let at = part; at < Math.min(part + columns, clock.parts); at++) sum += per[at * 6 + cls];
      const tall = Math.min((sum / columns / full) * (height - 4), y - top);
      if (!tall) continue;
      ink.fillStyle = paints[cls];
      ink.globalAlpha = cls > 3 ? 0.45 : 1;
      ink.fillRect(timeX(part * clock.partNs), y - tall, wide + 0.3, tall);
      y -= tall;
    }
  }
  ink.globalAlpha = 1;
  ink.fillStyle = colors().line;
  ink.fillRect(0, top + height - 0.5, strip.width, 1);
}

function drawMemory(ink, top, height) {
  const { memory, text, page } = colors();
  const most = clock.footprint.reduce((top, { bytes: held }) => Math.max(top, held), head.footprint.peak) || 1;
  const y = (value) => top + height - (value / most) * (height - 6);
  ink.beginPath();
  ink.moveTo(0, top + height);
  let last = 0;
  for (const { at, bytes: held } of clock.footprint) {
    ink.lineTo(timeX(at), y(last));
    ink.lineTo(timeX(at), y((last = held)));
  }
  ink.lineTo(strip.width, y(last));
  ink.lineTo(strip.width, top + height);
  ink.fillStyle = memory;
  ink.globalAlpha = 0.35;
  ink.fill();
  ink.globalAlpha = 1;
  ink.strokeStyle = memory;
  ink.stroke();
  const x = timeX(head.footprint.peak_ns);
  const words = `${head.footprint.asked ? "held" : "peak"} ${bytes(head.footprint.peak)} at ${time(head.footprint.peak_ns)}`;
  ink.font = "11px system-ui, sans-serif";
  const wide = ink.measureText(words).width;
  const left = x + wide + 10 > strip.width ? Math.max(2, x - wide - 8) : x + 6;
  ink.fillStyle = page;
  ink.globalAlpha = 0.8;
  ink.fillRect(left - 2, top + 3, wide + 4, 14);
  ink.globalAlpha = 1;
  ink.fillStyle = text;
  ink.textBaseline = "middle";
  ink.fillText(words, left, top + 10);
  ink.beginPath();
  ink.arc(x, y(head.footprint.peak), 3, 0, 7);
  ink.fill();
}

// Where the selection spent its time: a line above the CPU track, as strong as its share.
function drawPicked(ink, cpu) {
  const most = strip.picked.reduce((a, b) => Math.max(a, b), 1);
  const wide = Math.max(timeX(clock.partNs), 1);
  ink.fillStyle = colors().focus;
  for (let part = 0; part < clock.parts; part++) {
    if (!strip.picked[part]) continue;
    ink.globalAlpha = 0.25 + 0.75 * (strip.picked[part] / most);
    ink.fillRect(timeX(part * clock.partNs), cpu - 3, wide, 3);
  }
  ink.globalAlpha = 1;
}

function drawAxis(ink, height) {
  const { muted, line } = colors();
  ink.font = "11px system-ui, sans-serif";
  ink.textBaseline = "alphabetic";
  const rough = runLength() / Math.max(2, strip.width / 110);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((value) => value >= rough);
  for (let at = 0; at <= runLength(); at += step) {
    const x = timeX(at);
    ink.fillStyle = line;
    ink.fillRect(x, height - AXIS, 1, 4);
    ink.fillStyle = muted;
    const words = time(at);
    if (x + ink.measureText(words).width < strip.width) ink.fillText(words, x + 3, height - 3);
  }
}

function drawRange(ink, height) {
  const range = strip.drag || state.range;
  if (!range) return;
  const { focus, page } = colors();
  const [from, to] = range.map((part) => timeX(part * clock.partNs));
  ink.fillStyle = page;
  ink.globalAlpha = 0.65;
  ink.fillRect(0, 0, from, height - AXIS);
  ink.fillRect(to, 0, strip.width - to, height - AXIS);
  ink.globalAlpha = 1;
  ink.strokeStyle = focus;
  ink.lineWidth = 2;
  ink.strokeRect(from + 1, 1, Math.max(to - from - 2, 1), height - AXIS - 2);
  ink.lineWidth = 1;
}

function partAt(event) {
  const x = event.clientX - byId("time").getBoundingClientRect().left;
  return Math.max(0, Math.min(clock.parts, (x / strip.width) * (runLength() / clock.partNs)));
}

function startDrag(event) {
  if (!clock.length || event.button) return;
  byId("time").setPointerCapture(event.pointerId);
  strip.from = partAt(event);
}

function moveDrag(event) {
  const part = partAt(event);
  byId("time-hover").textContent = timeWords(Math.floor(part));
  if (strip.from === undefined || Math.abs(timeX((part - strip.from) * clock.partNs)) < 4) return;
  strip.drag = [Math.floor(Math.min(part, strip.from)), Math.ceil(Math.max(part, strip.from))];
  drawTime();
}

function endDrag() {
  const range = strip.drag;
  strip.drag = null;
  strip.from = undefined;
  if (range) setRange(range);
}

function timeWords(part) {
  if (part >= clock.parts) return "";
  const split = Array.from(strip.per.subarray(part * 6, part * 6 + 6));
  const moment = part * clock.partNs;
  const held = clock.footprint.findLast(({ at }) => at <= moment + clock.partNs);
  const words = [`${time(moment)} to ${time(moment + clock.partNs)}`, splitWords(split) || "no time here"];
  return words.concat(held ? `${bytes(held.bytes)} held` : []).join("  ·  ");
}

function setRange(range) {
  const whole = !range || (range[0] <= 0 && range[1] >= clock.parts);
  change({ range: whole ? null : range }, true);
  if (!whole) say(`Range ${rangeWords()}`);
}

const rangeWords = () => `${time(state.range[0] * clock.partNs)} to ${time(state.range[1] * clock.partNs)}`;

function walkTime(event) {
  if (!clock.length || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = Math.max(1, Math.round(clock.parts / 50));
  const [from, to] = state.range || [0, Math.max(1, Math.round(clock.parts / 5))];
  const long = to - from;
  const moves = {
    ArrowRight: () => [Math.min(from + step, clock.parts - long), Math.min(to + step, clock.parts)],
    ArrowLeft: () => [Math.max(from - step, 0), Math.max(to - step, long)],
    "+": () => [from, Math.min(to + step, clock.parts)],
    "-": () => [from, Math.max(to - step, from + 1)],
  };
  if (!(event.key in moves)) return;
  setRange(state.range ? moves[event.key]() : [from, to]);
  event.preventDefault();
  event.stopPropagation();
}
