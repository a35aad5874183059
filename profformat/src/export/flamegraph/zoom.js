"use strict";
(() => {
  const svg = document.currentScript.ownerSVGElement;
  const width = svg.viewBox.baseVal.width;
  const about = svg.querySelector(".about");
  const boxes = [...svg.querySelectorAll("g.box")].map((g) => {
    const [name, figures] = g.querySelector("title").textContent.split("\n");
    const [level, start, weight] = ["level", "start", "weight"].map((key) => Number(g.dataset[key]));
    return { g, name, figures, level, start, weight };
  });
  const all = boxes[0];
  const said = about.textContent;

  // The box and what hangs from it over the whole width; its callers as wide as the picture.
  const show = (box) => {
    for (const other of boxes) {
      const { g, name, level, start, weight } = other;
      const inside = level >= box.level && start >= box.start && start + weight <= box.start + box.weight;
      const above = level < box.level && start <= box.start && start + weight >= box.start + box.weight;
      g.style.display = inside || above ? "" : "none";
      if (!inside && !above) continue;
      const scale = box.weight ? width / box.weight : 0;
      const x = above ? 0 : (start - box.start) * scale;
      const wide = above ? width : weight * scale;
      const rect = g.querySelector("rect");
      rect.setAttribute("x", x);
      rect.setAttribute("width", wide);
      const letters = Math.floor((wide - 6) / 7);
      let text = g.querySelector("text");
      if (!text && letters >= 3) {
        text = document.createElementNS(svg.namespaceURI, "text");
        text.setAttribute("y", Number(rect.getAttribute("y")) + 12);
        g.append(text);
      }
      if (!text) continue;
      text.setAttribute("x", x + 3);
      const title = level ? name.replace(/ \([^()]*\)$/, "") : name;
      text.textContent = letters < 3 ? "" : title.length > letters ? title.slice(0, letters - 1) + "…" : title;
    }
    about.textContent = box === all ? said : `${box.name}: ${box.figures}`;
  };

  // The weight of what is found: boxes that hang from found ones are in theirs.
  const find = (wanted) => {
    let sum = 0, end = [];
    for (const box of boxes) {
      const found = wanted !== "" && box !== all && box.name.includes(wanted);
      box.g.classList.toggle("found", found);
      end.length = Math.min(end.length, box.level);
      if (found && !end.some(Boolean)) sum += box.weight;
      end[box.level] = found;
    }
    const part = all.weight ? (100 * sum) / all.weight : 0;
    about.textContent = wanted === "" ? said : `${wanted}: ${part.toFixed(2)} % of the whole`;
  };

  for (const box of boxes) box.g.addEventListener("click", () => show(box));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      find("");
      show(all);
    } else if (event.key === "/") {
      event.preventDefault();
      find(prompt("Functions and files with this text:") ?? "");
    }
  });
})();
