// Proves in a real browser that the HTML report does what it promises:
//   node page.mjs OUT [PAGE…]      OUT: a folder for screenshots and made pages; PAGE: reports of real traces
// Made pages (page_fixture.mjs) cover what real ones do not: 100,000 stacks, hostile names, runs with next to nothing in them.
// PLAYWRIGHT names a folder with playwright-core in its node_modules; without it, it is installed into OUT.
// CHROMIUM names the browser; ONLY is a part of the names of the stages to run. Exit: 0 all held, 1 something did not, 2 wrong usage.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { page as fill, RUNS, SCRIPTS } from "./page_fixture.mjs";

const [folder, ...real] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node page.mjs OUT [PAGE…]");
  process.exit(2);
}
const out = resolve(folder);
mkdirSync(out, { recursive: true });
const web = resolve(import.meta.dirname, "../profformat/src/export/html/web");
const tools = process.env.PLAYWRIGHT || out;
if (!existsSync(join(tools, "node_modules/playwright-core"))) {
  execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", tools, "playwright-core@1.65.1"]);
}
const { chromium } = createRequire(join(tools, "x.js"))("playwright-core");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--enable-precise-memory-info"] });

let failed = 0;
let part = "";
const check = (held, words) => {
  if (!held) failed++;
  if (!held) console.error(`FAILED   ${part}: ${words}`);
};
const equal = (a, b, words) => check(JSON.stringify(a) === JSON.stringify(b), `${words}: ${JSON.stringify(a)}, not ${JSON.stringify(b)}`);
const stage = async (name, act) => {
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
async function open(file, { hash = "", ...options } = {}) {
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

async function close(page, words) {
  const seen = await page.evaluate(() => (window.seen ? window.seen.violations : [])).catch(() => []);
  equal([...page.complaints, ...seen], [], `${words} is silent`);
  await page.context().close();
}

const totals = (page) => page.evaluate(() => window.__page.totals());
const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 30)), 60))));
const press = async (page, key) => {
  await page.keyboard.press(key);
  await settled(page);
};
const figures = (page, column) => page.$$eval(`#panel tbody td.c-${column}`, (cells) => cells.map((cell) => cell.textContent));
const number = (text) => (text === "·" ? 0 : Number(text.replace(/[~<]/, "")));

const pages = {};
for (const [name, run] of Object.entries(RUNS)) {
  pages[name] = join(out, `${name}.html`);
  writeFileSync(pages[name], fill(web, run()));
}
const usual = pages.usual;

await stage("the sources make markup of nothing", () => {
  const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|javascript:|setAttribute\("(style|on|src|href)|https?:(?!\/\/www\.w3\.org\/2000\/svg)/;
  for (const file of SCRIPTS) check(!forbidden.test(readFileSync(join(web, `${file}.js`), "utf8")), `${file}.js holds a forbidden word`);
  check(!/style="|<script src|@import|url\(/.test(readFileSync(join(web, "page.html"), "utf8") + readFileSync(join(web, "style.css"), "utf8")), "no style attribute, no import");
});

for (const file of [usual, ...real.map((name) => resolve(name))]) {
  await stage(`opens, adds up, and fits: ${file.split("/").pop()}`, async () => {
    const page = await open(file);
    const ready = await page.evaluate(() => performance.getEntriesByName("ready")[0].startTime);
    console.log(`         ${file.split("/").pop()}: ready after ${Math.round(ready)} ms`);
    const first = await totals(page);
    equal(first.root, first.whole, "the root is the whole");
    equal(first.rows, first.whole, "hot lines add up");
    equal((await page.evaluate(() => window.__page.apart())).slice(0, 3), [], "every line has the figures of the tree");
    for (const [tree, time] of await page.evaluate(() => window.__page.classes())) equal(time, tree, "the timeline has the time of the tree");
    for (const tab of ["functions", "files"]) {
      await page.click(`#tab-${tab}`);
      await settled(page);
      equal((await totals(page)).rows, first.whole, `${tab} add up`);
    }
    await page.click("#tab-hot");
    for (const mode of ["python", "libraries", "recursion", "inverted"]) {
      await page.click(`[data-mode=${mode}]`);
      await page.waitForFunction((wanted) => document.querySelector(`[data-mode=${wanted}]`).getAttribute("aria-pressed") === "true", mode);
      equal((await totals(page)).root, first.whole, `${mode} keeps the total`);
      await page.click(`[data-mode=${mode}]`);
      await settled(page);
    }
    const buttons = await page.$$eval("[data-metric]", (list) => list.map(({ disabled, title }) => ({ disabled, title })));
    for (let at = 0; at < buttons.length; at++) {
      await page.locator("h2").first().click();
      await press(page, String(at + 1));
      const { metric, root, whole } = await totals(page);
      if (buttons[at].disabled) check(buttons[at].title.includes("not measured"), "a metric that is off says why");
      else equal(root, whole, `${metric} is whole`);
    }
    await page.context().close();
  });
}

await stage("without scripts words and lines are there", async () => {
  const page = await open(usual, { javaScriptEnabled: false });
  check(await page.locator("#sentences p").first().isVisible(), "sentences");
  equal(await page.locator("#static tbody tr:visible").count(), 20, "twenty lines");
  check(await page.locator("noscript").innerText(), "and why");
  await page.context().close();
});

await stage("tables sort", async () => {
  const page = await open(usual);
  for (const key of ["own", "total", "half", "place", "copies"]) {
    const numeric = !["place"].includes(key);
    for (const turn of numeric ? ["descending", "ascending"] : ["ascending", "descending"]) {
      const head = page.locator(`th[data-column=${key}]`);
      if ((await head.getAttribute("aria-sort")) !== turn) await head.locator("button").click();
      await settled(page);
      equal(await head.getAttribute("aria-sort"), turn, `${key} by click`);
      const shown = (await figures(page, key)).map((text) => (numeric ? number(text) : text));
      if (!numeric) continue;
      const ordered = shown.toSorted((a, b) => (turn === "ascending" ? a - b : b - a));
      // Bounds of single samples are no figures to sort by.
      const few = (await figures(page, key)).some((text) => text[0] === "<");
      if (!few) equal(shown, ordered, `${key} ${turn}`);
    }
  }
  await close(page, "sorting");
});

await stage("search says share and count", async () => {
  const page = await open(usual);
  await page.keyboard.press("/");
  await page.keyboard.type("gc");
  await page.waitForFunction(() => document.querySelector("#found").textContent.includes("%"));
  await settled(page);
  const { total, boxes } = await page.evaluate(() => window.__page.found());
  const { root } = await totals(page);
  check(total > 0 && total <= root && boxes > 0, `${total} of ${root} in ${boxes} boxes`);
  await page.fill("#query", "/(/");
  await settled(page);
  await settled(page);
  check((await page.textContent("#found")).includes("not a regular expression"), "a bad expression says so");
  await page.fill("#query", "");
  await settled(page);
  await settled(page);
  equal(await page.textContent("#found"), "", "cleared");
  await close(page, "searching");
});

await stage("boxes: detail, zoom and back", async () => {
  const page = await open(usual);
  const boxes = await page.evaluate(() => window.__page.boxes());
  const deepest = Math.max(...boxes.filter(({ w, small }) => w > 6 && !small).map(({ level }) => level));
  const box = boxes.filter(({ level, small }) => level === Math.min(6, deepest) && !small).toSorted((a, b) => b.w - a.w)[0];
  const canvas = page.locator("#flame");
  const at = { position: { x: box.x + box.w / 2, y: box.level * 20 + 8 } };
  await canvas.click(at);
  await settled(page);
  check((await page.textContent("#detail h2")).includes(box.name.slice(0, 20)), "the detail names the box");
  check((await page.textContent("#hover")).includes("level"), "the words below the graph too");
  await page.waitForTimeout(400);
  await canvas.click(at);
  await settled(page);
  const zoomed = await page.evaluate((node) => window.__page.boxes().find((box) => box.node === node), box.node);
  const width = await canvas.evaluate((element) => element.clientWidth);
  equal([Math.round(zoomed.x), Math.round(zoomed.w)], [0, width], "zoomed to the whole width");
  await press(page, "0");
  equal(await page.evaluate(() => window.__page.boxes()), boxes, "and back, exactly");
  await canvas.focus();
  const before = await page.textContent("#live");
  await page.keyboard.press("ArrowDown");
  await page.waitForTimeout(350);
  check((await page.textContent("#live")) !== before, "a step by key is said");
  await press(page, "t");
  check(await page.locator("[role=treegrid]").isVisible(), "the same as a table");
  const rows = await page.locator("[role=treegrid] tbody tr").count();
  check(rows > 1, `the heaviest path is open: ${rows} rows`);
  await close(page, "the graph");
});

await stage("row, source, and the way back", async () => {
  const page = await open(usual);
  const row = page.locator("#panel tbody tr").nth(1);
  await row.click();
  await settled(page);
  equal(await row.getAttribute("aria-selected"), "true", "selected");
  await page.evaluate(() => scrollTo(0, 300));
  const top = await page.evaluate(() => scrollY);
  await row.evaluate((element) => element.focus({ preventScroll: true }));
  await page.keyboard.press("Enter");
  await page.waitForSelector("#code tr.here");
  await settled(page);
  const middle = await page.evaluate(() => {
    const box = document.querySelector("#code").getBoundingClientRect();
    const line = document.querySelector("#code tr.here").getBoundingClientRect();
    return (line.top - box.top) / box.height;
  });
  check(middle > 0.2 && middle < 0.8, `the line stands in the middle: ${middle.toFixed(2)}`);
  const line = await page.textContent("#code tr.here td.at");
  await press(page, "n");
  check((await page.textContent("#code tr.here td.at")) !== line, "n goes on");
  await page.goBack();
  await settled(page);
  check(!(await page.locator("#source").isVisible()), "back closes it");
  check(Math.abs((await page.evaluate(() => scrollY)) - top) < 3, "where one was");
  await close(page, "the source");
});

await stage("a range of time", async () => {
  const page = await open(usual);
  const box = await page.locator("#time").boundingBox();
  await page.mouse.move(box.x + box.width * 0.2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.4, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await settled(page);
  const [from, to] = new URLSearchParams((await page.evaluate(() => location.hash)).slice(1)).get("r").split("-").map(Number);
  const run = RUNS.usual();
  const wanted = run.samples.filter(({ part, cls }) => part >= from && part < to && cls < 4).reduce((sum, { ns }) => sum + ns, 0);
  const { root, rows } = await totals(page);
  equal(root, wanted, "the root is the time of the range");
  equal(rows, wanted, "and so are the lines");
  check((await page.textContent("#chips")).includes("range"), "a chip says so");
  await page.screenshot({ path: join(out, "range.png") });
  await press(page, "3");
  const memory = await totals(page);
  equal(memory.root, memory.whole, "memory is of the whole run");
  check((await page.textContent("#chips")).includes("whole run"), "and says so");
  await press(page, "1");
  await press(page, "Escape");
  await press(page, "Escape");
  const back = await totals(page);
  equal(back.root, back.whole, "Escape is the whole run");
  await page.locator("#time").focus();
  await press(page, "ArrowRight");
  check((await page.textContent("#chips")).includes("range"), "by key too");
  await press(page, "u");
  equal(await page.textContent("#chips"), "", "u takes it back");
  await page.locator("#time-labels button").nth(1).click();
  await settled(page);
  equal((await totals(page)).root, run.samples.filter(({ thread, cls }) => thread === 1 && cls < 4).reduce((sum, { ns }) => sum + ns, 0), "one thread's time");
  await close(page, "the timeline");
});

await stage("a link shows the same", async () => {
  const page = await open(usual);
  await page.locator("#panel tbody tr").nth(4).click();
  await press(page, "2");
  await page.click("[data-mode=recursion]");
  await page.click("#tab-functions");
  await settled(page);
  const [hash, detail] = [await page.evaluate(() => location.hash), await page.textContent("#detail")];
  const other = await open(usual, { hash });
  await settled(other);
  equal(await other.textContent("#detail"), detail, "the detail");
  equal(await other.getAttribute("#tab-functions", "aria-selected"), "true", "the table");
  await close(other, "the link");
  for (const wrong of ["#s=node-99999999&z=88888888", "#r=5-1&t=77&m=none&tab=__proto__&q=%2F(", "#src=999-1&u=-3&o.hot=x.y"]) {
    const broken = await open(usual, { hash: wrong });
    const { root, whole } = await totals(broken);
    check(root === whole, `${wrong} is no harm`);
    await close(broken, wrong);
  }
  await close(page, "the first page");
});

await stage("by keys alone", async () => {
  const page = await open(usual);
  const reached = new Set();
  for (let at = 0; at < 140; at++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      const { outlineStyle } = getComputedStyle(element);
      return { id: element.id || element.textContent.slice(0, 20), body: element === document.body, ring: outlineStyle !== "none" };
    });
    if (at.body) break;
    check(at.ring, `the focus is seen on ${at.id}`);
    reached.add(at.id);
  }
  for (const id of ["query", "look", "time", "flame", "tab-hot", "save"]) check(reached.has(id), `Tab reaches ${id}`);
  await press(page, "?");
  check(await page.locator("#help").isVisible(), "? lists the keys");
  await page.keyboard.press("Escape");
  await close(page, "keys");
});

// Contrast of every text with what is behind it, computed in the page.
const contrasts = () => {
  const numbers = (color) => (color.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || element.closest("script, style, noscript, dialog, .unseen, .skip, [hidden]") || element.matches(":disabled")) continue;
    const front = numbers(getComputedStyle(element).color);
    let behind = element;
    let back = [0, 0, 0, 0];
    while (behind && (back.length < 3 || back[3] === 0)) {
      back = numbers(getComputedStyle(behind).backgroundColor);
      behind = behind.parentElement;
    }
    const [a, b] = [light(front), light(back)].toSorted((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(`${element.tagName}.${element.className} "${walk.currentNode.textContent.trim().slice(0, 30)}" ${ratio.toFixed(1)}`);
  }
  return [...new Set(bad)].slice(0, 5);
};

await stage("light, dark, forced colors, no movement", async () => {
  for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, { forcedColors: "active" }, { reducedMotion: "reduce" }]) {
    const page = await open(usual, options);
    const name = Object.values(options)[0];
    await page.screenshot({ path: join(out, `${name}.png`), fullPage: name !== "reduce" });
    if (options.colorScheme) equal(await page.evaluate(contrasts), [], `contrast in ${name}`);
    equal(await page.evaluate(() => document.getAnimations().length), 0, "nothing moves");
    await close(page, name);
  }
});

await stage("every width", async () => {
  for (const file of [usual, pages.hostile, ...real.map((name) => resolve(name))]) {
    const page = await open(file);
    for (const width of [1400, 900, 600, 320]) {
      await page.setViewportSize({ width, height: 900 });
      await settled(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      check(wide <= width, `${file.split("/").pop()}: ${wide} px at ${width}`);
      const overlaps = await page.evaluate(() => {
        const boxes = [...document.querySelectorAll("[data-pane]")].filter((pane) => !pane.hidden).map((pane) => [pane.id, pane.getBoundingClientRect()]);
        const apart = (a, b) => a.right <= b.left + 0.5 || b.right <= a.left + 0.5 || a.bottom <= b.top + 0.5 || b.bottom <= a.top + 0.5;
        return boxes.flatMap(([id, a], at) => boxes.slice(at + 1).filter(([, b]) => !apart(a, b)).map(([other]) => `${id} ${other}`));
      });
      equal(overlaps, [], `panes apart at ${width}`);
      if (width < 1000) await page.screenshot({ path: join(out, `${file.split("/").pop().replace(".html", "")}-${width}.png`), fullPage: true });
    }
    await close(page, `${file.split("/").pop()} at every width`);
  }
});

await stage("hostile names are text", async () => {
  const page = await open(pages.hostile);
  check((await page.title()).startsWith("</script>"), "the title is the command");
  for (const tab of ["functions", "files", "threads", "kept", "hot"]) {
    await page.click(`#tab-${tab}`);
    await settled(page);
  }
  for (const mode of ["inverted", "recursion", "libraries"]) {
    await page.click(`[data-mode=${mode}]`);
    await page.waitForFunction((wanted) => document.querySelector(`[data-mode=${wanted}]`).getAttribute("aria-pressed") === "true", mode);
    const { root, whole } = await totals(page);
    equal(root, whole, `${mode} of a stack of 3,000 frames`);
  }
  await page.locator("#panel tbody tr").first().click();
  await settled(page);
  equal(await page.locator("main img, main svg:not(.spark), main script").count(), 0, "nothing was made of them");
  await page.screenshot({ path: join(out, "hostile.png") });
  await close(page, "the hostile page");
});

await stage("100,000 stacks", async () => {
  const page = await open(pages.large);
  const ready = await page.evaluate(() => performance.getEntriesByName("ready")[0].startTime);
  await page.waitForTimeout(500);
  const timed = await page.evaluate(async () => {
    const wait = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const key = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    const canvas = document.querySelector("#flame");
    const box = canvas.getBoundingClientRect();
    canvas.dispatchEvent(new MouseEvent("click", { clientX: box.left + 20, clientY: box.top + 70, bubbles: true, detail: 1 }));
    await wait();
    await wait();
    const from = performance.now();
    key("z");
    const zoom = performance.now() - from;
    await wait();
    key("0");
    await wait();
    return { zoom, heap: performance.memory.usedJSHeapSize / 2 ** 20, longest: window.seen.longest, nodes: window.__page.nodes() };
  });
  await page.fill("#query", "visit");
  await page.waitForFunction(() => document.querySelector("#found").textContent.includes("%"), { timeout: 5000 });
  await page.click("[data-mode=inverted]");
  await page.waitForFunction(() => document.querySelector("[data-mode=inverted]").getAttribute("aria-pressed") === "true", { timeout: 20000 });
  const { root, whole } = await totals(page);
  equal(root, whole, "inverted");
  const longest = await page.evaluate(() => window.seen.longest);
  console.log(`         ${timed.nodes} nodes, ready ${Math.round(ready)} ms, zoom ${timed.zoom.toFixed(1)} ms, heap ${Math.round(timed.heap)} MiB, longest task ${Math.round(longest)} ms`);
  check(timed.heap < 300, `heap ${timed.heap} MiB`);
  await page.screenshot({ path: join(out, "large.png") });
  await close(page, "the large page");
});

await stage("next to nothing", async () => {
  for (const name of ["empty", "one", "nomemory"]) {
    const page = await open(pages[name]);
    await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
    for (const pane of await page.locator("[data-pane]:visible").all()) check((await pane.innerText()).trim(), `no pane is empty in ${name}`);
    for (const tab of await page.locator("[role=tab]").all()) {
      await tab.click();
      await settled(page);
      check((await page.textContent("#panel")).trim(), `no table is empty in ${name}`);
    }
    await close(page, name);
  }
});

await stage("on paper", async () => {
  const page = await open(usual);
  const pdf = await page.pdf();
  writeFileSync(join(out, "print.pdf"), pdf);
  check(pdf.length > 10_000, "it prints");
  await page.emulateMedia({ media: "print" });
  await settled(page);
  check(await page.locator("#sentences").isVisible(), "the words");
  check(await page.locator("#missing").isVisible(), "what is missing");
  check((await page.locator("#panel tbody tr:visible").count()) <= 40, "no more than forty rows");
  await page.screenshot({ path: join(out, "print.png"), fullPage: true });
  await close(page, "paper");
});

await browser.close();
console.log(failed ? `${failed} failed` : "all held");
process.exit(failed ? 1 : 0);
