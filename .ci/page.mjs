// Proves in a real browser that the HTML report does what it promises:
//   node page.mjs OUT [PAGE…]      OUT: a folder for screenshots and made pages; PAGE: reports of real traces
// Made pages (page/fixture.mjs) cover what real ones do not: 100,000 stacks, hostile names, runs with next to nothing in them.
// PLAYWRIGHT names a folder with playwright-core in its node_modules; without it, it is installed into OUT.
// CHROMIUM names the browser; ONLY is a part of the names of the stages to run. Exit: 0 all held, 1 something did not, 2 wrong usage.
import { end } from "./page/browser.mjs";

// One after the other: each measures alone. Imports that stand by themselves would run at the same time.
for (const theme of ["limits", "figures", "ways", "looks"]) await import(`./page/${theme}.mjs`);
await end();
