// Ways through the page: boxes, rows, source, time, links, keys.
import { join } from "node:path";
import { RUNS } from "./runs.mjs";
import { check, equal, stage, open, close, totals, settled, press, pages, usual, out } from "./browser.mjs";

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

await stage("what launches a module is no row and no box", async () => {
  const page = await open(pages.launched);
  const { root, rows, whole } = await totals(page);
  equal([root, rows], [whole, whole], "the totals have it");
  const boxes = await page.evaluate(() => window.__page.boxes().filter(({ level }) => level === 1).sort((a, b) => a.x - b.x).map(({ name }) => name));
  equal(boxes, ["<module>", "[other]"], "the program stands on top, what the launcher took beside it");
  await page.click("#tab-files");
  await settled(page);
  const files = await page.$$eval("#panel tbody tr", (rows) => rows.map((row) => ["own", "place"].map((key) => row.querySelector(`.c-${key}`).textContent.trim())));
  equal(files.filter(([, place]) => place.includes("runpy")).map(([own]) => own[0]), ["<"], "what it took itself stays");
  await page.click("[data-mode=inverted]");
  await settled(page);
  equal((await totals(page)).root, whole, "inverted");
  await close(page, "the launched page");
});
