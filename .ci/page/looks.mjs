// Looks: contrast, colors, widths, paper.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, equal, stage, open, close, settled, pages, usual, real, out } from "./browser.mjs";

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
  for (const file of [usual, pages.hostile, ...real]) {
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
