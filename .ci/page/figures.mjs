// Figures: they add up in every view, tables sort, a search tells its share.
import { check, equal, stage, open, close, totals, settled, press, figures, number, pages, usual, real } from "./browser.mjs";

for (const file of [usual, ...real]) {
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

// Figures of the rows that both have, as they are read.
for (const file of real) {
  await stage(`the same figures with scripts and without: ${file.split("/").pop()}`, async () => {
    const bare = await open(file, { javaScriptEnabled: false });
    const rows = await bare.$$eval("#static-lines tbody tr", (list) => list.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));
    await bare.context().close();
    const page = await open(file);
    const shown = await page.$$eval("#panel tbody tr", (list) =>
      list.map((row) => ["own", "total", "share", "place"].map((key) => row.querySelector(`.c-${key}`).textContent.trim())));
    check(rows.length > 0, "there are rows");
    // A long table begins with some of its rows, and says how many more there are.
    const isCut = (await page.textContent("#panel")).includes(" more, ");
    let both = 0;
    for (const [own, total, share, , , , , place] of rows) {
      // Lines of the import system are one row in words; the table is of lines with time.
      if (!place || place === "imports" || (own === "·" && total === "·")) continue;
      const name = place.split(" ")[0];
      // One of them says more of the folder.
      const file = (text) => text.replace("…", "").split("/").pop();
      const row = shown.find((cells) => file(name).endsWith(file(cells[3])));
      check(row || isCut, `${name} is there`);
      if (!row) continue;
      both += 1;
      equal(row.slice(0, 3), [own, total, share], name);
    }
    check(both * 2 >= Math.min(rows.length, 8), `${both} of ${rows.length} rows are in the table`);
    await close(page, "the same figures");
  });
}

for (const file of [usual, ...real]) {
  await stage(`three digits: ${file.split("/").pop()}`, async () => {
    const page = await open(file);
    for (const tab of ["hot", "functions", "files"]) {
      await page.click(`#tab-${tab}`);
      await settled(page);
      const cells = await page.$$eval("#panel td.num", (list) => list.map((cell) => cell.textContent.trim()));
      const long = cells.filter((text) => /^[~<]?[\d.]+$/.test(text) && text.replace(/^[~<]?0*\.?0*|\./g, "").length > 3);
      equal(long, [], `figures of ${tab}`);
    }
    await close(page, "figures");
  });
}

await stage("source that was changed is marked", async () => {
  const page = await open(pages.changed);
  const marks = await page.$$eval("#panel tbody td.c-source", (cells) => cells.map((cell) => cell.textContent));
  check(marks.some((text) => text === "(source changed since)") && marks.some((text) => text.startsWith("value_")), `some are marked, some are not: ${marks.slice(0, 4)}`);
  const row = page.locator("#panel tbody tr", { hasText: "(source changed since)" }).first();
  await row.click();
  await settled(page);
  check((await page.textContent("#detail")).includes("has changed since the run"), "the detail says so");
  await row.focus();
  await page.keyboard.press("Enter");
  await settled(page);
  check((await page.textContent("#source")).includes("has changed since the run"), "and the file");
  await close(page, "changed source");
});
