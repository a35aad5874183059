// Goes into speedscope's page and writes down what it shows, for `--dump-dom` to print: the texts of the flame graph, which
// is painted and no part of the page's text; what the page tells about a box that the mouse is over; its list of profiles.
// In the address: hover=NAME, as often as wanted, is a box to move a mouse over; profiles=1 opens the list at last.
(() => {
  // Texts, and the places where each is painted.
  const drawn = new Map();
  const fillText = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
    if (!drawn.has(text)) drawn.set(text, new Map());
    drawn.get(text).set(`${x} ${y}`, { canvas: this.canvas, x, y });
    return fillText.call(this, text, x, y, ...rest);
  };

  const words = new URLSearchParams(location.hash.slice(1));
  const elements = () => [...document.body.querySelectorAll("*")];
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  const move = (kind, element, at) => element.dispatchEvent(new MouseEvent(kind, { ...at, bubbles: true }));

  // A name that does not fit into its box is cut in the middle.
  const fits = (name) => (text) => {
    const [start, end] = text.split("…");
    return end === undefined ? text === name : start.length > 3 && name.startsWith(start) && name.endsWith(end);
  };
  // What the page tells about the boxes with a name. Classes have no names here: the tip is what appears with the first box.
  let tip;
  const hover = async (name) => {
    const tips = [];
    const texts = [...drawn.keys()].filter(fits(name));
    for (const { canvas, x, y } of texts.flatMap((text) => [...drawn.get(text).values()])) {
      const box = canvas.getBoundingClientRect();
      const scale = canvas.width / box.width;
      const at = { clientX: box.left + x / scale + 4, clientY: box.top + y / scale };
      const before = new Set(elements());
      move("mousemove", document.elementFromPoint(at.clientX, at.clientY), at);
      await wait(100);
      tip ??= elements().find((element) => !before.has(element));
      if (tip) tips.push(tip.innerText);
    }
    return tips;
  };
  const profiles = async () => {
    const title = elements().findLast((element) => element.matches("span:has(> span)"));
    if (!title) return [];
    move("mouseover", title, {});
    await wait(300);
    return [...document.querySelectorAll("tbody tr")].map((row) => row.innerText);
  };

  addEventListener("load", async () => {
    const told = { hovered: {}, profiles: [] };
    // The scale is painted first, the boxes when they are ready.
    const isThere = (name) => [...drawn.keys()].some(fits(name));
    for (let turn = 0; turn < 60 && !(drawn.size > 0 && words.getAll("hover").every(isThere)); turn++) await wait(100);
    await wait(500);
    for (const name of words.getAll("hover")) told.hovered[name] = await hover(name);
    told.drawn = [...drawn.keys()];
    if (words.has("profiles")) told.profiles = await profiles();
    const pre = document.createElement("pre");
    pre.id = "told";
    pre.hidden = true;
    pre.textContent = JSON.stringify(told);
    document.body.append(pre);
  });
})();
