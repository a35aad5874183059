// Figures in words, as the text report writes them: units, decimals, intervals, and the marks for zero, not measured,
// rough and too few.

const ZERO = "·";
const UNMEASURED = "n/a";
const NBSP = "\u00a0";
// Upper 95 % bounds of a Poisson mean when 0, 1 or 2 were seen.
const FEW = [3.69, 5.57, 7.22];
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

// Unit and decimals of a column, fixed by its largest value.
function timeScale(largest) {
  if (largest < 10e6) return { unit: "ms", size: 1e6, decimals: 1 };
  if (largest < 1e9) return { unit: "ms", size: 1e6, decimals: 0 };
  if (largest < 100e9) return { unit: "s", size: 1e9, decimals: 2 };
  if (largest < 1000e9) return { unit: "s", size: 1e9, decimals: 1 };
  return { unit: "min", size: 60e9, decimals: 1 };
}

function byteScale(largest) {
  // A column of zeros has the unit that one expects.
  const { unit, size } = byteUnit(largest || 1 << 20);
  return { unit, size, decimals: unit === "B" ? 0 : decimalsOf(largest / size) };
}

// A thousand of a unit is written in the next one: 0.98 GiB, not 1 003 MiB.
function byteUnit(bytes) {
  let power = 0;
  while (power + 1 < BYTE_UNITS.length && bytes >= 999.5 * 1024 ** power) power++;
  return { unit: BYTE_UNITS[power], size: 1024 ** power };
}

const scaleOf = (unit, largest) => (unit === "ns" ? timeScale(largest) : byteScale(largest));

// Digits below this part of the half-width of a figure's interval say nothing.
const TELLING = 30;
// As wide as a digit, and as a point.
const [DIGIT, POINT] = ["\u2007", "\u2008"];

// A figure of a column, without its unit: three digits at most, and none that an interval of this half-width makes
// worthless. Blanks in their place keep the points of a column one below the other.
function figure(value, scale, half = 0) {
  if (!value) return ZERO;
  const scaled = value / scale.size;
  let shown = Math.min(scale.decimals, decimalsOf(scaled));
  while (shown > 0 && 10 ** -shown * TELLING < half / scale.size) shown--;
  const smallest = 10 ** -shown;
  const text = scaled < smallest / 2 ? `<${smallest.toFixed(shown)}` : scaled.toFixed(shown);
  return text + (shown || !scale.decimals ? "" : POINT) + DIGIT.repeat(scale.decimals - shown);
}

// Decimals that make three digits, at most two.
const decimalsOf = (value) => (value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);

// A cell made from `samples` samples with half an interval of `half`: an upper bound when they are too few, `~` when the
// interval is wide.
function sampled(value, scale, samples, half, telling = half) {
  if (!value) return ZERO;
  if (samples < 3) {
    const upper = (value / Math.max(samples, 1)) * FEW[Math.max(Math.floor(samples), 0)];
    return `<${figure(upper, scale).replace("<", "")}`;
  }
  const text = figure(value, scale, telling);
  return half > value / 3 && text[0] !== "<" ? `~${text}` : text;
}

// Three significant digits at most and no zeros behind the point.
function threeDigits(value, most) {
  const text = value.toFixed(Math.min(decimalsOf(value), most));
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

// A time or a size by itself, with its unit.
function time(ns) {
  if (ns === 0) return `0${NBSP}s`;
  if (ns < 999.5e6) {
    const ms = ns / 1e6;
    return ms < 0.05 ? `<0.1${NBSP}ms` : `${threeDigits(ms, 1)}${NBSP}ms`;
  }
  return ns < 1000e9 ? `${threeDigits(ns / 1e9, 2)}${NBSP}s` : `${threeDigits(ns / 60e9, 2)}${NBSP}min`;
}

function bytes(value) {
  const { unit, size } = byteUnit(value);
  return `${threeDigits(value / size, unit === "B" ? 0 : 2)}${NBSP}${unit}`;
}

const amount = (value, unit) => (unit === "ns" ? time(value) : bytes(value));

// A share as a figure without its sign: whole from 10 up, one decimal below.
function percent(part, whole) {
  if (!whole) return "?";
  const value = (part * 100) / whole;
  if (value === 0) return "0";
  if (value < 0.05) return "<0.1";
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}

const share = (part, whole) => `${percent(part, whole)}${NBSP}%`;

// Whole per cents that add up to 100, by largest remainder.
function percents(parts) {
  const sum = parts.reduce((a, b) => a + b, 0);
  if (!sum) return parts.map(() => 0);
  const exact = parts.map((part) => (part * 100) / sum);
  const whole = exact.map(Math.floor);
  const order = exact.map((_, at) => at).sort((a, b) => exact[b] - whole[b] - (exact[a] - whole[a]));
  let missing = 100 - whole.reduce((a, b) => a + b, 0);
  for (const at of order) if (missing-- > 0) whole[at]++;
  return whole;
}

const count = (value) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, NBSP);
const plural = (value, noun) => `${count(value)}${NBSP}${noun}${value === 1 ? "" : "s"}`;

// Texts are cut to a number of characters, always with a mark: paths keep their end, names both ends, source its start.
const cutStart = (text, most) => (text.length <= most ? text : `…${text.slice(text.length - most + 1)}`);
const cutEnd = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);
function cutMiddle(text, most) {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}`;
}
