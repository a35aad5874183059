// Tables: tabs, sortable heads, rows by the hundred, one selection. What a table does not show is summed below it.

const FIRST_ROWS = 40;
const MORE_ROWS = 500;
const tables = { shown: {}, items: [], columns: [] };

function buildTables() {
  const tabs = Object.entries(TABS).filter(([, tab]) => !tab.when || tab.when()).map(([key, { title }]) =>
    el("button", { type: "button", role: "tab", id: `tab-${key}`, data: { tab: key }, aria: { controls: "panel" }, click: () => change({ tab: key }, true) }, title));
  const list = el("div", { role: "tablist", className: "tabs", aria: { label: "Tables" }, keydown: walkTabs }, ...tabs);
  const save = el("button", { type: "button", id: "save", title: "Save this table with all its rows as CSV", click: saveTable }, "Save as CSV");
  return el("section", { id: "tables", data: { pane: "tables" }, aria: { label: "Tables" } },
    el("div", { className: "tools" }, list, save), el("div", { id: "panel", role: "tabpanel" }));
}

function walkTabs(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = [...event.currentTarget.children];
  const next = tabs[(tabs.findIndex((tab) => tab.dataset.tab === state.tab) + step + tabs.length) % tabs.length];
  change({ tab: next.dataset.tab }, true);
  next.focus();
  event.preventDefault();
}

const TABLE_KEYS = [...HEAVY, "query", "tab", "sort"];

function renderTables(keys) {
  for (const tab of document.querySelectorAll("[data-tab]")) {
    const on = tab.dataset.tab === state.tab;
    tab.setAttribute("aria-selected", on);
    tab.tabIndex = on ? 0 : -1;
  }
  byId("panel").setAttribute("aria-labelledby", `tab-${state.tab}`);
  if (keys.some((key) => TABLE_KEYS.includes(key))) {
    // Building a table takes longer than drawing the rest: what was changed is shown first.
    if (keys.includes("tab") || keys.includes("sort")) drawTable();
    else afterPaint(drawTable);
  } else markRows();
}

let later = 0;
function afterPaint(act) {
  clearTimeout(later);
  later = setTimeout(act, 0);
}

function drawTable() {
  const tab = TABS[state.tab];
  const { items, reason } = tab.items();
  if (reason || !items.length) return clear(byId("panel"), el("p", { className: "note" }, reason || nothing()));
  const matching = found.test ? items.filter((item) => found.test(item.text())) : items;
  tables.columns = tab.columns(items);
  tables.items = ordered(matching, tab);
  const shown = Math.max(tables.shown[state.tab] || FIRST_ROWS, FIRST_ROWS);
  const body = el("tbody", {}, ...tables.items.slice(0, shown).map(tableRow));
  const table = el("table", { className: `rows ${state.tab}`, keydown: walkRows },
    el("caption", {}, tab.caption(items, tables.items)), el("thead", {}, el("tr", {}, ...tables.columns.map(headCell))), body);
  clear(byId("panel"), table, restOf(items, matching, shown, tab));
  const first = body.firstChild;
  if (first) first.tabIndex = 0;
  markRows();
}

// The rows in the order asked for; equal ones stay as they were.
function ordered(items, tab) {
  const order = state.sort[state.tab] || tab.order;
  const keys = order.filter(([key]) => key === "leak" || tables.columns.some((column) => column.key === key));
  return items.map((item, at) => ({ item, at })).sort((a, b) => {
    for (const [key, turn] of keys) {
      const [x, y] = [a.item.sort(key), b.item.sort(key)];
      if (x !== y) return (x < y ? -1 : 1) * turn;
    }
    return a.at - b.at;
  }).map(({ item }) => item);
}

function headCell(column) {
  const tab = TABS[state.tab];
  const order = state.sort[state.tab] || tab.order;
  const turn = order[0] && order[0][0] === column.key ? order[0][1] : 0;
  const cell = el("th", { scope: "col", className: `${column.num ? "num" : ""} c-${column.key}`, data: { column: column.key } });
  cell.setAttribute("aria-sort", turn ? (turn > 0 ? "ascending" : "descending") : "none");
  const mark = el("span", { aria: { hidden: "true" } }, turn ? (turn > 0 ? " ▲" : " ▼") : "");
  cell.append(el("button", { type: "button", title: `${column.title} — sort; Shift: second key`, click: (event) => sortBy(column, event.shiftKey) }, column.text, mark));
  return cell;
}

function sortBy({ key, num }, second) {
  const order = state.sort[state.tab] || TABS[state.tab].order;
  const old = order.find(([other]) => other === key);
  const turned = [key, old && (second || order[0][0] === key) ? -old[1] : num ? -1 : 1];
  const next = second ? [order[0], turned].filter(([other], at) => at === 1 || other !== key) : [turned];
  change({ sort: { ...state.sort, [state.tab]: next } });
  const head = document.querySelector(`th[data-column="${key}"] button`);
  if (head) head.focus();
}

function tableRow(item, at) {
  const row = el("tr", { tabIndex: -1, data: { row: at }, role: "row" });
  for (const column of tables.columns) {
    const cell = el("td", { className: `${column.num ? "num" : ""} c-${column.key}` });
    const made = column.cell(item);
    cell.append(made);
    row.append(cell);
  }
  row.addEventListener("click", () => pickRow(row));
  row.addEventListener("dblclick", () => item.open && item.open());
  return row;
}

function pickRow(row) {
  const item = tables.items[row.dataset.row];
  for (const other of row.parentElement.querySelectorAll("[tabindex='0']")) if (other.tagName === "TR") other.tabIndex = -1;
  row.tabIndex = 0;
  row.focus({ preventScroll: false });
  if (item.pick) select(item.pick, item.id);
}

function walkRows(event) {
  const row = event.target.closest("tbody tr");
  if (!row || event.target !== row || event.ctrlKey || event.metaKey || event.altKey) return;
  const item = tables.items[row.dataset.row];
  const to = { ArrowDown: row.nextSibling, ArrowUp: row.previousSibling, Home: row.parentElement.firstChild, End: row.parentElement.lastChild }[event.key];
  if (to) pickRow(to);
  else if (event.key === "Enter" && item.open) item.open();
  else if (event.key === " ") pickRow(row);
  else return;
  event.preventDefault();
}

function markRows() {
  const pick = state.pick && (state.pick.kind === "node" ? { kind: "line", id: pickedSite() } : state.pick);
  for (const row of document.querySelectorAll("#panel tbody tr")) {
    const item = tables.items[row.dataset.row];
    const on = Boolean(pick && item && item.pick === pick.kind && item.id === pick.id);
    row.setAttribute("aria-selected", on);
  }
}

// What is not shown: rows further down, and rows that do not match the search.
function restOf(items, matching, shown, tab) {
  const box = el("p", { className: "note rest" });
  const left = tables.items.slice(shown);
  if (left.length) {
    box.append(`… ${count(left.length)} more${tab.sum ? `, ${tab.sum(left)}` : ""} `, el("button", { type: "button", click: () => showMore(shown + MORE_ROWS) },
      left.length > MORE_ROWS ? `${MORE_ROWS} more` : "Show them"));
  }
  const out = items.length - matching.length;
  if (out) {
    const others = new Set(matching);
    const rest = items.filter((item) => !others.has(item));
    box.append(` ${count(out)} do not match the search${tab.sum ? `, ${tab.sum(rest)}` : ""}.`);
  }
  return box;
}

function showMore(shown) {
  tables.shown[state.tab] = shown;
  const last = document.querySelectorAll("#panel tbody tr").length;
  drawTable();
  const next = document.querySelectorAll("#panel tbody tr")[last];
  if (next) next.focus();
}

// A row or a table as text: what `C` copies and what is saved.
const cellText = (column, item) => {
  const cell = column.cell(item);
  return typeof cell === "string" ? cell.trim() : column.plain ? column.plain(item) : cell.textContent;
};

function saveTable() {
  const quoted = (text) => `"${String(text).replaceAll('"', '""').replace(/^[=+@\t]/, "'$&")}"`;
  const rows = [tables.columns.map((column) => column.text), ...tables.items.map((item) => tables.columns.map((column) => cellText(column, item)))];
  const blob = new Blob([rows.map((row) => row.map(quoted).join(",")).join("\r\n")], { type: "text/csv" });
  const link = el("a", { href: URL.createObjectURL(blob), download: `${state.tab}.csv` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
