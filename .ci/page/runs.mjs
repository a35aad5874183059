// Made runs, for fixture.mjs to make pages of: what real ones do not have, with sums that a test knows.

// Numbers that look random and are the same each time.
function dice(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const LIBRARIES = ["docutils/statemachine.py", "docutils/nodes.py", "docutils/parsers/rst/states.py", "docutils/writers/_html_base.py", "html/__init__.py"];

// A run of one script and some libraries, as large as asked for.
function made({ stacks, samples: number, functions: wanted, threads = ["MainThread", "worker-1"], title = "docs_html.py 3", seed = 7 }) {
  const roll = dice(seed);
  const functions = [{ name: "[no stack]", path: "", short: "", own: false, line: 0, lang: 2 },
    { name: "<module>", path: "/home/me/docs_html.py", short: "docs_html.py", own: true, line: 1, lang: 0 },
    { name: "main", path: "/home/me/docs_html.py", short: "docs_html.py", own: true, line: 12, lang: 0 },
    { name: "build_index", path: "/home/me/docs_html.py", short: "docs_html.py", own: true, line: 30, lang: 0 },
    { name: "sre_ucs1_match", path: "/usr/lib/python3.11/lib-dynload/_sre.so", short: "_sre.so", own: false, line: 0, lang: 1 },
    { name: "gc_collect_main", path: "/usr/lib/libpython3.11.so", short: "libpython3.11.so", own: false, line: 0, lang: 1 }];
  while (functions.length < wanted) {
    const short = LIBRARIES[roll(LIBRARIES.length)];
    functions.push({ name: `${["Node", "State", "Parser", "Visitor"][roll(4)]}.${["walk", "match", "make_transition", "visit", "run"][roll(5)]}_${functions.length}`,
      path: `/usr/lib/python3/site-packages/${short}`, short, own: false, line: 10 + functions.length * 3, lang: 0 });
  }
  const shapes = Array.from({ length: stacks }, () => {
    const stack = [[1, 60], roll(20) ? [2, 17] : [3, 34]];
    let fn = 6 + roll(Math.min(12, wanted - 6));
    for (let depth = roll(14); depth > 0; depth--) {
      stack.push([fn, functions[fn].line + roll(4)]);
      fn = 6 + ((fn * 7 + roll(5)) % (wanted - 6));
    }
    if (roll(4) === 0) stack.push([4 + roll(2), 0]);
    return stack;
  });
  const parts = 200;
  const samples = Array.from({ length: number }, (_, at) => {
    const stack = shapes[at < stacks ? at : Math.floor((roll(1000) / 1000) ** 3 * stacks)];
    const native = functions[stack.at(-1)[0]].lang === 1;
    const cls = native ? (stack.at(-1)[0] === 5 ? 2 : 1) : [0, 0, 0, 0, 0, 2, 3, 5][roll(8)];
    return { stack, cls, ns: 9_000_000 + roll(2_000_000), part: Math.floor((at * 7919) % number * parts / number), thread: roll(10) ? 0 : 1 };
  });
  const memory = shapes.slice(0, 60).map((stack, at) => ({ stack, alloc: (1 + roll(90)) << 20, count: 40, peak: roll(3) ? roll(20) << 20 : 0, live: at === 3 ? 88 << 20 : 0, blocks: at === 3 ? 40 : 0, copies: roll(4) ? 0 : roll(50) << 20, copyCount: 4 }));
  const footprint = Array.from({ length: 100 }, (_, at) => [at * 100_000_000, Math.floor((20 + at * 1.1 + (at % 9) * 3) * 2 ** 20)]);
  const sources = {};
  for (const { path, short } of functions) {
    if (path.endsWith(".py")) sources[path] = Array.from({ length: 900 }, (_, at) => `${"    ".repeat(at % 4)}value_${at} = compute_${at % 17}(state, context)  # ${short}`).join("\n");
  }
  return { title, facts: "python 3.11.7 · 1 process · 2 threads · 20 s · 2026-11-22 21:12 UTC", samples, memory, functions, sources, parts, partNs: 100_000_000, footprint, threads };
}

const NASTY = ["</script><img src=x onerror=document.title='hacked'>", "]]>${document.title='hacked'}", "\"'`<svg onload=alert(1)>", "\\x1b[31m\\x00", "\\u{202e}gnp.exe", "\ufffd", "漢字かな", "x".repeat(1_000_000), "a\u0301".repeat(300), "{{script}}"];

export const RUNS = {
  usual: () => made({ stacks: 1500, samples: 4000, functions: 120 }),
  large: () => made({ stacks: 100_000, samples: 100_000, functions: 3000, title: "large.py" }),
  hostile: () => {
    const run = made({ stacks: 60, samples: 300, functions: 30, title: NASTY[0] });
    run.functions.forEach((fn, at) => at > 0 && Object.assign(fn, { name: NASTY[at % NASTY.length], path: fn.path && `${fn.path}${NASTY[at % 5]}`, short: fn.short && `${fn.short}${NASTY[at % 5]}` }));
    run.sources = Object.fromEntries(run.functions.filter(({ lang }) => lang === 0).map(({ path }, at) => [path, `${NASTY[at % NASTY.length].slice(0, 100_000)}\n`.repeat(at % NASTY.length === 7 ? 3 : 400)]));
    run.threads = [NASTY[0], NASTY[4]];
    const deep = Array.from({ length: 3_000 }, (_, at) => [6 + (at % 20), at % 7]);
    run.samples.push({ stack: deep, cls: 0, ns: 1e7, part: 0, thread: 0 }, { stack: deep, cls: 2, ns: 1e7, part: 1, thread: 0 });
    run.facts = NASTY[2];
    return run;
  },
  // As of `python3 -m docs_html`: what starts a module stands above everything, and takes a little by itself.
  launched: () => {
    const run = made({ stacks: 200, samples: 900, functions: 40, title: "-m docs_html" });
    const runpy = run.functions.push({ name: "_run_code", path: "<frozen runpy>", short: "<frozen runpy>", own: false, line: 65, lang: 0 }) - 1;
    const place = [runpy, 88];
    for (const entry of new Set([...run.samples, ...run.memory])) entry.stack = [place, ...entry.stack];
    run.samples.push({ stack: [place], cls: 0, ns: 1e7, part: 0, thread: 0 });
    return run;
  },
  // One library's file was changed since: its source is not in the page.
  changed: () => {
    const run = made({ stacks: 200, samples: 900, functions: 40, title: "changed.py" });
    const changed = run.functions.find(({ lang, own }) => lang === 0 && !own).path;
    return { ...run, changed: [changed], sources: Object.fromEntries(Object.entries(run.sources).filter(([path]) => path !== changed)) };
  },
  empty: () => ({ ...made({ stacks: 1, samples: 0, functions: 8, title: "true" }), memory: [], footprint: [], threads: [], facts: "0.01 s" }),
  one: () => ({ ...made({ stacks: 1, samples: 1, functions: 8, title: "one.py" }), memory: [], footprint: [[0, 1 << 20]] }),
  nomemory: () => ({ ...made({ stacks: 200, samples: 900, functions: 40, title: "quiet.py --no-memory" }), memory: [], footprint: [], noMemory: true }),
};
