// The browser, its pages, and how a promise is checked: what all themes of the test share.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { page as fill } from "./fixture.mjs";
import { RUNS } from "./runs.mjs";

const [folder, ...traces] = process.argv.slice(2);
export const real = traces.map((name) => resolve(name));
if (!folder) {
  console.error("usage: node page.mjs OUT [PAGE…]");
  process.exit(2);
}
export const out = resolve(folder);
mkdirSync(out, { recursive: true });
export const web = resolve(import.meta.dirname, "../../profformat/src/export/html/web");
const tools = process.env.PLAYWRIGHT || out;
if (!existsSync(join(tools, "node_modules/playwright-core"))) {
  execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", tools, "playwright-core@1.65.1"]);
}
const { chromium } = createRequire(join(tools, "x.js"))("playwright-core");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--enable-precise-memory-info"] });

let failed = 0;
let part = "";
export const check = (held, words) => {
  if (!held) failed++;
  if (!held) console.error(`FAILED   ${part}: ${words}`);
};
export const equal = (a, b, words) => check(JSON.stringify(a) === JSON.stringify(b), `${words}: ${JSON.stringify(a)}, not ${JSON.stringify(b)}`);
export const stage = async (name, act) => {
  if (!name.includes(process.env.ONLY || "")) return;
  part = name;
  const [before, from] = [failed, Date.now()];
  try {
    await act();
  } catch (error) {
    check(false, error.stack.split("\n").slice(0, 4).join(" "));
  }
  if (failed === before) console.log(`ok       ${name} (${((Date.now() - from) / 1000).toFixed(1)} s)`);
};

// A page with every complaint collected: requests, console, errors, violations of the policy, dialogs.
export async function open(file, { hash = "", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  const note = (what) => page.complaints.push(what);
  const address = pathToFileURL(file).href;
  await context.route("**", (route) => {
    const url = route.request().url();
    if (url.split("#")[0] === address) return route.continue();
    note(`request ${url.slice(0, 80)}`);
    return route.abort();
  });
  page.on("console", (message) => note(`console ${message.text()}`));
  page.on("pageerror", (error) => note(`error ${error.message}`));
  page.on("dialog", (dialog) => dialog.dismiss().then(() => note("dialog")));
  if (options.javaScriptEnabled !== false) {
    await page.addInitScript(() => {
      window.seen = { violations: [], longest: 0 };
      addEventListener("securitypolicyviolation", (event) => window.seen.violations.push(event.violatedDirective));
      new PerformanceObserver((list) => list.getEntries().forEach(({ startTime, duration }) => {
        const [ready] = performance.getEntriesByName("ready");
        if (ready && startTime > ready.startTime) window.seen.longest = Math.max(window.seen.longest, duration);
      })).observe({ type: "longtask" });
    });
  }
  await page.goto(address + hash);
  if (options.javaScriptEnabled !== false) await page.waitForFunction(() => window.__page && window.__page.ready());
  return page;
}

export async function close(page, words) {
  const seen = await page.evaluate(() => (window.seen ? window.seen.violations : [])).catch(() => []);
  equal([...page.complaints, ...seen], [], `${words} is silent`);
  await page.context().close();
}

export const totals = (page) => page.evaluate(() => window.__page.totals());
export const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 30)), 60))));
export const press = async (page, key) => {
  await page.keyboard.press(key);
  await settled(page);
};
export const figures = (page, column) => page.$$eval(`#panel tbody td.c-${column}`, (cells) => cells.map((cell) => cell.textContent));
export const number = (text) => (text === "·" ? 0 : Number(text.replace(/[~<]/, "")));

export const pages = {};
for (const [name, run] of Object.entries(RUNS)) {
  pages[name] = join(out, `${name}.html`);
  writeFileSync(pages[name], fill(web, run()));
}
export const usual = pages.usual;

// Ends the test: 0 if all held.
export async function end() {
  await browser.close();
  console.log(failed ? `${failed} failed` : "all held");
  process.exit(failed ? 1 : 0);
}
