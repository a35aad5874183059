// Elements, bars and small drawings. Foreign text only ever becomes a text node or is painted on a canvas.

const byId = (id) => document.getElementById(id);

// An element. Of `props`, functions become listeners, `data` and `aria` objects attributes, the rest properties.
function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "aria") for (const name in value) element.setAttribute(`aria-${name}`, value[name]);
    else if (key in element && key !== "role") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const clear = (element, ...children) => element.replaceChildren(...children.filter((child) => child));

// A name that may hold letters of either direction.
const name = (text, className) => el("bdi", { className: className || "", textContent: text });

const CLASSES = ["python", "native", "gc", "kernel", "gil", "wait"];
const CLASS_WORDS = ["Python", "native", "GC", "kernel", "GIL wait", "waiting"];

// A bar of `full`: one segment for each class, or one color for bytes. What is measured is never drawn as nothing.
function bar(parts, full, word) {
  const box = el("span", { className: "split", title: word || "" });
  const sum = parts.reduce((a, b) => a + b[1], 0);
  for (const [kind, value] of parts) {
    if (!value || !full) continue;
    const segment = el("i", { className: kind });
    segment.style.width = `${(value / full) * 100}%`;
    box.append(segment);
  }
  if (sum && box.lastChild) box.lastChild.style.minWidth = "2px";
  return box;
}

const splitWords = (split) =>
  split.map((value, at) => (value ? `${CLASS_WORDS[at]} ${told(value, "ns")}` : "")).filter(Boolean).join(" · ");
const classBar = (split, full) => bar(split.map((value, at) => [CLASSES[at], value]), full, splitWords(split));

const SVG = "http://www.w3.org/2000/svg";

// Bytes over the run, from zero; the highest cell is as high as the drawing.
function sparkline(curve, width = 72, height = 16) {
  const most = Math.max(...curve);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", `0 0 ${curve.length} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `held over the run, ${bytes(most)} at most`);
  const points = curve.map((value, at) => {
    const y = (height - (value / (most || 1)) * (height - 1)).toFixed(2);
    return `L${at} ${y}L${at + 1} ${y}`;
  });
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", `M0 ${height}${points.join("")}L${curve.length} ${height}Z`);
  svg.append(path);
  return svg;
}

// Device pixels of a CSS pixel on a canvas.
const fineness = () => (printing ? 2 : Math.min(devicePixelRatio || 1, 2));

// Fits a canvas to its box on the screen; what is drawn afterwards is in CSS pixels.
function fitCanvas(canvas, width, height) {
  const ratio = fineness();
  const fine = [width, height].map((size) => Math.max(1, Math.round(size * ratio)));
  // A canvas that is given a size loses its memory and asks for new, even when the size is the same.
  if (canvas.width !== fine[0] || canvas.height !== fine[1]) [canvas.width, canvas.height] = fine;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const ink = canvas.getContext("2d");
  ink.setTransform(ratio, 0, 0, ratio, 0, 0);
  ink.clearRect(0, 0, width, height);
  return ink;
}

// Colors come from the style sheet, so that one place decides about light, dark and paper.
// Paper has a width of its own, in CSS pixels between the margins.
const PAPER = 690;
let printing = false;
let palette = null;

function colors() {
  if (palette) return palette;
  const style = getComputedStyle(document.documentElement);
  const read = (variable) => style.getPropertyValue(`--${variable}`).trim();
  palette = { text: read("text"), muted: read("muted"), page: read("page"), line: read("line"), focus: read("focus") };
  palette.memory = read("memory");
  palette.classes = CLASSES.map((kind) => read(kind));
  palette.fills = palette.classes.map((color) => shades(color, palette.page));
  palette.other = shades(palette.muted, palette.page);
  palette.hatch = palette.classes.map((color, cls) => (cls < 2 ? null : hatching(color, [6, 10, 14, 14][cls - 2], cls === 3)));
  return palette;
}

// Lines across, `gap` apart, so that classes are told apart without color and on paper. A tile is painted once: lines of
// each box by themselves take most of the time of a redraw.
function hatching(color, gap, leansBack) {
  const ratio = fineness();
  const tile = el("canvas", { width: gap * ratio, height: gap * ratio });
  const ink = tile.getContext("2d");
  ink.scale(ratio, ratio);
  ink.strokeStyle = color;
  ink.globalAlpha = 0.45;
  // The lines beside the one in the middle fill the corners.
  for (const at of [-gap, 0, gap]) {
    ink.moveTo(at - gap, leansBack ? -gap : 2 * gap);
    ink.lineTo(at + 2 * gap, leansBack ? 2 * gap : -gap);
  }
  ink.stroke();
  const pattern = ink.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern;
}

// Five fills of a color over the page, a little apart in hue, so that neighbors of different modules differ.
function shades(color, page) {
  const part = rgb(page)[0] < 128 ? 0.42 : 0.3;
  return [-8, -4, 0, 4, 8].map((turn) => mix(turned(rgb(color), turn), rgb(page), part));
}

const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) || 0);
const mix = (over, under, part) => `rgb(${over.map((value, at) => Math.round(value * part + under[at] * (1 - part))).join(" ")})`;

// Hue turned by degrees, as the matrix of SVG's hueRotate does it.
function turned([r, g, b], degrees) {
  const angle = (degrees * Math.PI) / 180;
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const row = (x, y, z) => Math.min(255, Math.max(0, x * r + y * g + z * b));
  return [
    row(0.213 + c * 0.787 - s * 0.213, 0.715 - c * 0.715 - s * 0.715, 0.072 - c * 0.072 + s * 0.928),
    row(0.213 - c * 0.213 + s * 0.143, 0.715 + c * 0.285 + s * 0.14, 0.072 - c * 0.072 - s * 0.283),
    row(0.213 - c * 0.213 - s * 0.787, 0.715 - c * 0.715 + s * 0.715, 0.072 + c * 0.928 + s * 0.072),
  ];
}
