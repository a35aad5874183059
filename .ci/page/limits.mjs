// Limits: hostile names, 100,000 stacks, runs with next to nothing in them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SCRIPTS } from "./fixture.mjs";
import { check, equal, stage, open, close, totals, settled, pages, out, web } from "./browser.mjs";

await stage("the sources make markup of nothing", () => {
  const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|javascript:|setAttribute\("(style|on|src|href)|https?:(?!\/\/www\.w3\.org\/2000\/svg)/;
  for (const file of SCRIPTS) check(!forbidden.test(readFileSync(join(web, `${file}.js`), "utf8")), `${file}.js holds a forbidden word`);
  check(!/style="|<script src|@import|url\(/.test(readFileSync(join(web, "page.html"), "utf8") + readFileSync(join(web, "style.css"), "utf8")), "no style attribute, no import");
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
    const zooms = [];
    for (let turn = 0; turn < 9; turn++) {
      const from = performance.now();
      key("z");
      zooms.push(performance.now() - from);
      await wait();
      key("0");
      await wait();
    }
    const [first, ordered] = [zooms[0], zooms.toSorted((a, b) => a - b)];
    return { first, least: ordered[0], zoom: ordered[4], heap: performance.memory.usedJSHeapSize / 2 ** 20, longest: window.seen.longest, nodes: window.__page.nodes() };
  });
  await page.fill("#query", "visit");
  await page.waitForFunction(() => document.querySelector("#found").textContent.includes("%"), { timeout: 5000 });
  await page.click("[data-mode=inverted]");
  await page.waitForFunction(() => document.querySelector("[data-mode=inverted]").getAttribute("aria-pressed") === "true", { timeout: 20000 });
  const { root, whole } = await totals(page);
  equal(root, whole, "inverted");
  const longest = await page.evaluate(() => window.seen.longest);
  console.log(`         ${timed.nodes} nodes, ready ${Math.round(ready)} ms, zoom ${timed.zoom.toFixed(1)} ms (first ${timed.first.toFixed(1)}, least ${timed.least.toFixed(1)}), heap ${Math.round(timed.heap)} MiB, longest task ${Math.round(longest)} ms`);
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
