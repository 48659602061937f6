/* The rows of a form as a grid to type in: keys, rows, pasting, suggestions, sums. Every page works without it. */
const form = document.querySelector("form[data-kind]");
const period = form.elements.namedItem("period").value;
const made = (tag, of, ...inner) => { const e = Object.assign(document.createElement(tag), of); e.append(...inner); return e; };

// -- amounts

const plain = (text) => text.trim().replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));

/** Yuan as typed to fen; null when it is no amount. The server decides. */
function fen(text) {
  const typed = plain(text).replace(/[\s,¥￥元]/g, "").replace(/[−–—]/g, "-").replace(/^\((.*)\)$/, "-$1");
  const match = /^(-?)(\d{1,13})(?:\.(\d{1,6}))?(万?)$/.exec(typed);
  if (!match) return null;
  const digits = match[4] ? 6 : 2, part = (match[3] || "").replace(/0+$/, "");
  return part.length > digits ? null : Number(match[1] + match[2] + part.padEnd(digits, "0"));
}
function yuan(amount, separated = true) {
  const whole = Math.floor(Math.abs(amount) / 100).toString();
  return `${amount < 0 ? "-" : ""}${separated ? whole.replace(/\B(?=(\d{3})+$)/g, ",") : whole}.${String(Math.abs(amount) % 100).padStart(2, "0")}`;
}

// -- a grid and its cells

class Grid {
  constructor(table) {
    this.table = table;
    this.body = table.tBodies[0];
    this.path = table.dataset.grid;
    this.columns = [...table.tHead.querySelectorAll("th[data-path]")].map((th) => ({ path: th.dataset.path, kind: th.dataset.kind, label: th.textContent }));
    this.blank = this.emptied(this.rows[0].cloneNode(true));
    this.start = 0;
  }
  get rows() { return [...this.body.rows]; }
  cells(row) { return [...row.cells].slice(1).map((td) => td.querySelector("input, select, textarea")); }
  column(path) { return this.columns.findIndex((c) => c.path === path); }
  cell(row, path) { const n = this.column(path); return n < 0 || !row ? null : this.cells(row)[n]; }
  value(row, path) { return this.cell(row, path)?.value.trim() ?? ""; }
  isUsed(row) { return this.cells(row).some((c) => c.tagName !== "SELECT" && c.type !== "checkbox" && c.value.trim()); }
  /** A row without anything in it. */
  emptied(row) {
    for (const extra of row.querySelectorAll(".fault, input[type=hidden]")) extra.remove();
    for (const area of row.querySelectorAll("textarea")) {
      // A cell that had several lines is one line again.
      if (this.columns[[...row.cells].indexOf(area.closest("td")) - 1].kind !== "long") area.replaceWith(made("input", { name: area.name, autocomplete: "off", id: area.id, ariaLabel: area.ariaLabel }));
    }
    for (const cell of this.cells(row)) {
      for (const name of ["aria-invalid", "aria-describedby", "placeholder"]) cell.removeAttribute(name);
      if (cell.tagName === "SELECT") { for (const o of cell.options) o.defaultSelected = false; cell.selectedIndex = 0; }
      else if (cell.type === "checkbox") cell.checked = false;
      else { cell.value = ""; cell.removeAttribute("value"); }
    }
    row.classList.remove("now");
    return row;
  }
  /** Names and labels follow the places of rows. */
  renumber() {
    const prefix = `${this.path}.`;
    const moved = (name, n) => name.replace(/^((?:c-|fault-)?)([\w~]+)\.\d+/, (all, before, path) => (path === this.path ? `${before}${prefix}${n}` : all));
    this.rows.forEach((row, n) => {
      row.cells[0].firstChild.textContent = String(n + 1);
      for (const e of row.querySelectorAll("[name], [id]")) {
        if (e.name) e.name = moved(e.name, n);
        if (e.id) e.id = moved(e.id, n);
        if (e.ariaLabel) e.ariaLabel = e.ariaLabel.replace(/第\d+行/, `第${n + 1}行`);
        const told = e.getAttribute("aria-describedby");
        if (told) e.setAttribute("aria-describedby", moved(told, n));
      }
    });
    form.elements.namedItem(`${this.path}.~count`).value = String(this.rows.length);
    this.count?.();
    changed();
  }
  add(before = null) {
    if (this.rows.length >= Number(this.table.dataset.limit)) { say(`最多 ${this.table.dataset.limit} 行，更多的请用一键导入。`); return null; }
    const row = this.blank.cloneNode(true);
    this.body.insertBefore(row, before);
    this.renumber();
    return row;
  }
  ensure(n) { while (this.rows.length <= n) if (!this.add()) return null; return this.rows[n]; }
  go(row, n) {
    const cell = row && this.cells(row)[Math.max(0, Math.min(n, this.columns.length - 1))];
    if (!cell) return;
    show(this, row);
    cell.focus({ preventScroll: true });
    if (cell.select) cell.select();
  }
}

const tables = [...form.querySelectorAll("table[data-grid]")].filter((t) => t.dataset.grid !== "attachments" && t.tBodies[0].rows.length);
const grids = new Map(tables.map((t) => [t, new Grid(t)]));
const gridOf = (path) => [...grids.values()].find((g) => g.path === path);
/** Grid, row and number of the column of a cell. */
function at(cell) {
  const td = cell.closest?.("table[data-grid] tbody td"), grid = td && grids.get(td.closest("table"));
  return grid ? { grid, row: td.parentElement, n: td.cellIndex - 1 } : null;
}
function changed() { form.dispatchEvent(new Event("input", { bubbles: true })); }

// -- undo

const done = [];
function undo() {
  const last = done.pop();
  if (last) { last.back(); say(`已撤销：${last.what}`); changed(); } else say("没有可以撤销的。");
}
const did = (what, back) => { done.push({ what, back }); if (done.length > 50) done.shift(); };
/** Write cells so that it can be undone, but for what was typed since. */
function write(what, pairs) {
  const before = pairs.map(([cell, value]) => { const old = cell.value; set(cell, value); return [cell, old, cell.value]; });
  did(what, () => { for (const [cell, old, now] of before) if (cell.value === now) cell.value = old; });
  changed();
}
function set(cell, value) {
  if (cell.type === "checkbox") { cell.checked = /^(yes|是|√|1)$/.test(value); return; }
  if (cell.tagName !== "SELECT") { cell.value = value; return; }
  const wanted = value.trim(), options = [...cell.options];
  const found = options.find((o) => o.value === wanted || o.text === wanted) || (wanted && options.find((o) => o.value && (o.text.includes(wanted) || wanted.includes(o.text))));
  if (found) cell.value = found.value;
}

// -- rows

const steps = {
  insert: (g, row) => { const fresh = g.add(row); if (fresh) { did("插入一行", () => { if (!g.isUsed(fresh)) { fresh.remove(); g.renumber(); } }); g.go(fresh, g.start); } },
  copy: (g, row, n) => {
    const above = row.previousElementSibling;
    if (!above) return;
    const from = g.cells(above), to = g.cells(row);
    if (g.isUsed(row)) { write("照抄上一格", [[to[n], from[n].value]]); return; }
    write("照抄上一行", to.map((cell, i) => [cell, g.columns[i].path === "voucher.no" ? after(from[i].value) : from[i].value]));
    g.go(row, g.column("amount_fen") < 0 ? n : g.column("amount_fen"));
  },
  up: (g, row, n) => move(g, row, row.previousElementSibling, n),
  down: (g, row, n) => { const next = row.nextElementSibling; if (next) move(g, row, next.nextElementSibling, n, true); },
  remove: (g, row, n) => {
    const next = row.nextElementSibling || row.previousElementSibling, behind = row.nextElementSibling;
    if (!next) { write("清空这一行", g.cells(row).map((c) => [c, ""])); return; }
    row.remove();
    g.renumber();
    did("删除一行", () => { g.body.insertBefore(row, behind?.isConnected ? behind : null); g.renumber(); g.go(row, n); });
    g.go(next, n);
    say("已删除，按 Ctrl Z 恢复。");
  },
  undo: () => undo(),
  back: (g, row) => { if (row.previousElementSibling) g.go(row.previousElementSibling, 0); },
  on: (g, row) => { takeRow(g, row); g.go(row.nextElementSibling || g.add(), 0); },
};
function move(g, row, before, n, down = false) {
  if (!before && !down) return;
  const behind = row.nextElementSibling;
  g.body.insertBefore(row, before);
  g.renumber();
  did("移动一行", () => { g.body.insertBefore(row, behind); g.renumber(); });
  g.go(row, n);
}
const after = (no) => (/^\d{1,5}$/.test(plain(no)) ? String(Number(plain(no)) + 1) : "");

// -- proposals: grey until they are taken

/** What the rows above say of this one: day, account, next voucher. */
function propose(g, row) {
  if (g.path !== "lines") return;
  let above = row.previousElementSibling;
  while (above && !g.isUsed(above)) above = above.previousElementSibling;
  const accounts = gridOf("accounts");
  const first = accounts ? accounts.rows.map((r) => accounts.value(r, "account")).find(Boolean) : "";
  const no = above ? after(g.value(above, "voucher.no")) : "";
  hint(g.cell(row, "date"), above ? g.value(above, "date") : "");
  hint(g.cell(row, "account"), (above && g.value(above, "account")) || first || "");
  hint(g.cell(row, "voucher.no"), no);
  hint(g.cell(row, "voucher.word"), no ? g.value(above, "voucher.word") : "");
}
/** What stood beside the same words before goes before what stands above. */
function hint(cell, text, known = "") {
  if (cell?.tagName !== "INPUT" || cell.dataset.refused || (cell.dataset.known && !known)) return;
  cell.dataset.known = known;
  if (text) cell.placeholder = text; else cell.removeAttribute("placeholder");
}
function take(cell) { if (!cell.value && cell.placeholder) { cell.value = cell.placeholder; changed(); return true; } return false; }
/** Leaving a row that has words and an amount takes what is grey in it. */
function takeRow(g, row) {
  if (g.path !== "lines" || !row.isConnected || !g.value(row, "summary") || !g.value(row, "amount_fen")) return;
  for (const cell of g.cells(row)) if (cell.tagName === "INPUT") take(cell);
}

// -- suggestions from earlier months

const known = new Map();
for (const list of form.querySelectorAll("datalist[id^=known-]")) {
  known.set(list.id.slice(6), [...list.options].map((o) => ({ text: o.value, sound: o.dataset.sound, times: Number(o.dataset.times), beside: o.dataset.beside ? JSON.parse(o.dataset.beside) : {} })));
}
for (const g of grids.values()) for (const e of [g.table, g.blank]) for (const input of e.querySelectorAll("input[list^=known-]")) input.removeAttribute("list");
const popup = made("ul", { className: "suggest", hidden: true, id: "suggest" });
popup.role = "listbox";
popup.ariaLabel = "以前填过的";
document.body.append(popup);
let asked = null, chosen = -1, offered = [];

function suggest(cell) {
  const where = at(cell), words = where && known.get(where.grid.columns[where.n].path), typed = cell.value.trim();
  if (!words || !typed) return close();
  const sound = /^[a-z0-9]+$/i.test(typed) ? typed.toLowerCase() : "";
  offered = words.filter((w) => w.text !== typed && (w.text.includes(typed) || (sound && w.sound.includes(sound))));
  offered.sort((a, b) => Number(b.text.startsWith(typed) || b.sound.startsWith(sound || "\0")) - Number(a.text.startsWith(typed) || a.sound.startsWith(sound || "\0")) || b.times - a.times);
  offered = offered.slice(0, 6);
  if (!offered.length) return close();
  asked = cell;
  // Letters mean what sounds like them. Words may be new: then they stay.
  chosen = sound ? 0 : -1;
  popup.replaceChildren(...offered.map((w, i) => {
    const item = made("li", { id: `suggest-${i}`, textContent: w.times > 1 ? `${w.text}（${w.times} 次）` : w.text });
    item.role = "option";
    item.addEventListener("mousedown", (event) => { event.preventDefault(); pick(i); });
    return item;
  }));
  const box = cell.getBoundingClientRect();
  popup.hidden = false;
  popup.style.left = `${Math.min(box.left, window.innerWidth - popup.offsetWidth - 8)}px`;
  popup.style.top = `${box.bottom + popup.offsetHeight > window.innerHeight ? box.top - popup.offsetHeight : box.bottom}px`;
  mark();
  return undefined;
}
function mark() {
  [...popup.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
  if (chosen >= 0) asked.setAttribute("aria-activedescendant", `suggest-${chosen}`); else asked.removeAttribute("aria-activedescendant");
}
function close() { popup.hidden = true; asked?.removeAttribute("aria-activedescendant"); asked = null; chosen = -1; }
/** Take a suggestion, propose what stood beside it, go on. */
function pick(i) {
  const word = offered[i], { grid, row, n } = at(asked);
  asked.value = word.text;
  close();
  for (const [path, value] of Object.entries(word.beside)) {
    const cell = grid.cell(row, path);
    if (!cell || cell.value.trim() && cell.tagName !== "SELECT") continue;
    if (cell.tagName === "SELECT") { if (cell.selectedIndex === 0) set(cell, value); } else hint(cell, value, "1");
  }
  changed();
  const next = grid.columns[n].path === "summary" ? grid.column("amount_fen") : n + 1;
  grid.go(row, grid.cells(row)[next]?.value ? n + 1 : next);
}

// -- pasting

/** Rows of cells as spreadsheets copy them: line breaks within quotes. */
function block(text) {
  const rows = [[""]];
  let quoted = false;
  const clean = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  for (let i = 0; i < clean.length; i += 1) {
    const c = clean[i], row = rows[rows.length - 1];
    if (quoted) { if (c !== '"') row[row.length - 1] += c; else if (clean[i + 1] === '"') { row[row.length - 1] += c; i += 1; } else quoted = false; }
    else if (c === '"' && !row[row.length - 1]) quoted = true;
    else if (c === "\t") row.push("");
    else if (c === "\n") rows.push([""]);
    else row[row.length - 1] += c;
  }
  return rows;
}
const bare = (name) => plain(name).replace(/[（(].*?[）)]|\s/g, "");

function pasted(event) {
  const where = at(event.target), text = event.clipboardData.getData("text/plain");
  if (!where || !/[\t\n]/.test(text.replace(/\r?\n$/, ""))) return;
  const { grid, row, n } = where, rows = block(text), heads = (grid.table.dataset.heads || "").split(" ");
  const area = document.getElementById(`paste-${grid.path}`);
  event.preventDefault();
  close();
  // With names of columns the server reads it: it knows sums, debit and credit.
  if (area && rows.length > 1 && rows[0].filter((c) => c.trim() && heads.includes(bare(c))).length >= 2) {
    area.closest("details").open = true;
    area.value = text;
    area.closest("details").querySelector("button").focus();
    return;
  }
  const pairs = [], first = grid.rows.indexOf(row);
  let cut = 0;
  rows.forEach((cells, i) => {
    const target = grid.ensure(first + i);
    if (!target) { cut += 1; return; }
    const to = grid.cells(target);
    cells.forEach((value, j) => { if (to[n + j]) pairs.push([to[n + j], value.trim()]); });
  });
  write(`粘贴的 ${rows.length} 行`, pairs);
  const wide = rows.some((cells) => n + cells.length > grid.columns.length);
  grid.go(grid.rows[Math.min(first + rows.length - 1, grid.rows.length - 1)], n);
  say(`已粘贴 ${rows.length - cut} 行${wide ? "，右边放不下的列没有带入" : ""}${cut ? `，多出的 ${cut} 行没有带入` : ""}。按 Ctrl Z 撤销。`);
}

// -- keys

function typed(event) {
  const where = at(event.target), key = event.key;
  if (event.isComposing || event.keyCode === 229) return;
  if (!where) {
    if (key === "Enter" && event.target.tagName === "INPUT" && event.target.type !== "file") { event.preventDefault(); beyond(event.target); }
    return;
  }
  const { grid, row, n } = where, cell = event.target;
  const command = (event.ctrlKey || event.metaKey) && !event.altKey, stop = () => event.preventDefault();
  if (asked === cell && !popup.hidden) {
    if (key === "ArrowDown" || key === "ArrowUp") { stop(); chosen = (chosen + (key === "ArrowDown" ? 1 : offered.length) + (chosen < 0 && key === "ArrowUp" ? 1 : 0)) % offered.length; mark(); return; }
    if ((key === "Enter" || key === "Tab") && chosen >= 0 && !event.shiftKey) { stop(); pick(chosen); return; }
    if (key === "Escape") { stop(); close(); return; }
  }
  if (command && (key === "d" || key === "D")) { stop(); steps.copy(grid, row, n); return; }
  if (command && (key === "-" || key === "_")) { stop(); steps.remove(grid, row, n); return; }
  if (command && (key === "+" || key === "=")) { stop(); steps.insert(grid, row, n); return; }
  if (command && key === "z" && !event.shiftKey && done.length && cell.value === cell.dataset.before) { stop(); undo(); return; }
  if (event.altKey && (key === "ArrowUp" || key === "ArrowDown")) { stop(); steps[key === "ArrowUp" ? "up" : "down"](grid, row, n); return; }
  if (command || event.altKey) return;
  if (key === "Enter" && cell.tagName !== "TEXTAREA") {
    stop(); close(); expand(cell, grid, row);
    if (event.shiftKey) { grid.go(row.previousElementSibling, grid.start); return; }
    takeRow(grid, row);
    const next = row.nextElementSibling || (grid.isUsed(row) ? grid.add() : null);
    if (next) grid.go(next, grid.start); else beyond(cell);
  } else if (key === "ArrowDown" || key === "ArrowUp") {
    if (cell.tagName !== "INPUT") return;
    stop(); grid.go(key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling, n);
  } else if (key === "ArrowRight") {
    if (cell.tagName === "INPUT" && take(cell)) { stop(); return; }
    if (edge(cell, false)) { stop(); grid.go(row, n + 1); }
  } else if (key === "ArrowLeft") {
    if (edge(cell, true)) { stop(); grid.go(row, n - 1); }
  } else if (key === "Escape" && cell.placeholder && !cell.value) { cell.dataset.refused = "1"; cell.removeAttribute("placeholder"); }
  else if (cell.tagName === "SELECT" && /^[1-9]$/.test(key) && cell.options[key - 1 + (cell.options[0].value ? 0 : 1)]) { stop(); cell.selectedIndex = Number(key) - 1 + (cell.options[0].value ? 0 : 1); changed(); }
}
/** The caret can go no further, or the whole cell is chosen. */
function edge(cell, left) {
  if (cell.tagName === "SELECT") return true;
  if (cell.tagName !== "INPUT" || cell.selectionStart === null) return false;
  const whole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
  return whole || (cell.selectionStart === cell.selectionEnd && cell.selectionStart === (left ? 0 : cell.value.length));
}
/** The next thing to fill in: Enter must not send the form. */
function beyond(cell) {
  const all = [...form.querySelectorAll("input:not([type=hidden]), select, textarea, button[name=action][value=save]:not(.skip)")].filter((e) => e.offsetParent);
  all[all.indexOf(cell) + 1]?.focus();
}
/** The day alone is enough in a month's accounts. */
function expand(cell, grid, row) {
  const where = at(cell);
  if (where?.grid.columns[where.n].kind !== "day" || !/^\d{1,2}$/.test(plain(cell.value))) return;
  const above = row.previousElementSibling ? grid.value(row.previousElementSibling, grid.columns[where.n].path) : "";
  const month = /^\d{4}-\d{2}$/.test(period) ? period : (/^\d{4}-\d{2}/.exec(above) || [""])[0];
  if (month) { cell.value = `${month}-${plain(cell.value).padStart(2, "0")}`; changed(); }
}

/** Bring a cell in sight with its head and the sums. */
function reveal(cell) {
  const region = cell.closest(".cells");
  if (!region || getComputedStyle(region).overflowX === "visible") { cell.scrollIntoView({ block: "nearest" }); return; }
  const td = cell.closest("td"), table = td.closest("table"), head = table.tHead.offsetHeight, left = td.parentElement.cells[0].offsetWidth;
  if (td.offsetTop - head < region.scrollTop) region.scrollTop = td.offsetTop - head;
  if (td.offsetTop + td.offsetHeight > region.scrollTop + region.clientHeight) region.scrollTop = td.offsetTop + td.offsetHeight - region.clientHeight;
  if (td.offsetLeft - left < region.scrollLeft) region.scrollLeft = td.offsetLeft - left;
  if (td.offsetLeft + td.offsetWidth > region.scrollLeft + region.clientWidth) region.scrollLeft = td.offsetLeft + td.offsetWidth - region.clientWidth;
  const box = region.getBoundingClientRect(), over = box.bottom - (window.innerHeight - form.querySelector(".foot").offsetHeight - 8);
  if (box.top < 8) window.scrollBy(0, box.top - 8); else if (over > 0) window.scrollBy(0, Math.min(over, box.top - 8));
}

let current = null;
form.addEventListener("focusin", (event) => {
  const where = at(event.target);
  if (asked && event.target !== asked) close();
  if (current && current.row !== where?.row) { takeRow(current.grid, current.row); current.row.classList.remove("now"); }
  if (where) {
    if (current?.row !== where.row) where.grid.start = where.n;
    where.row.classList.add("now");
    event.target.dataset.before = event.target.value;
    propose(where.grid, where.row);
    // After the browser has scrolled as it likes.
    requestAnimationFrame(() => reveal(event.target));
  }
  if (where) current = where;
});
form.addEventListener("focusout", (event) => { const where = at(event.target); if (where) expand(event.target, where.grid, where.row); });
form.addEventListener("keydown", typed);
form.addEventListener("paste", pasted);
form.addEventListener("input", (event) => { if (event.isTrusted && event.target.tagName === "INPUT" && at(event.target)) suggest(event.target); });
document.addEventListener("scroll", (event) => { if (event.target !== popup) close(); }, true);

// -- what stands around a grid

function say(text) { for (const place of form.querySelectorAll("[data-told]")) place.textContent = text; }

for (const g of grids.values()) {
  const region = g.table.closest(".cells"), around = [...form.querySelectorAll(`[data-of="${g.path}"]`)];
  const here = () => (current?.grid === g && current.row.isConnected ? [g, current.row, current.n] : [g, g.rows[0], 0]);
  for (const part of around) {
    part.hidden = false;
    for (const button of part.querySelectorAll("[data-do]")) {
      // A press must not take the focus out of the grid.
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("click", () => steps[button.dataset.do](...here()));
    }
  }
  const where = around.map((part) => part.querySelector("[data-where]")).find(Boolean);
  if (where) g.count = () => { where.textContent = `第 ${g.rows.findIndex((r) => r.classList.contains("shown")) + 1} 行，共 ${g.rows.length} 行，填了 ${g.rows.filter((r) => g.isUsed(r)).length} 行`; };
  if (where) region.classList.add("one");
  show(g, g.rows.find((r) => r.querySelector("[aria-invalid]")) || g.rows[0]);
  const more = form.querySelector(`button[value="more:${g.path}"]`);
  more?.addEventListener("click", (event) => {
    event.preventDefault();
    const first = g.rows.length, many = Number(/\d+/.exec(more.textContent)[0]);
    for (let i = 0; i < many && g.add(); i += 1);
    g.go(g.rows[Math.min(first, g.rows.length - 1)], 0);
  });
}
/** On a phone one row is shown at a time. */
function show(g, row) {
  for (const r of g.rows) r.classList.toggle("shown", r === row);
  current ??= { grid: g, row, n: 0 };
  g.count?.();
}
for (const link of document.querySelectorAll('.faults a[href^="#c-"]')) {
  link.addEventListener("click", (event) => {
    const cell = document.getElementById(decodeURIComponent(link.hash.slice(1))), place = cell && at(cell);
    if (!cell) return;
    event.preventDefault();
    if (place) show(place.grid, place.row);
    cell.focus();
  });
}

// -- sums, always in sight

const foot = form.querySelector("[data-sums]"), lines = gridOf("lines"), accounts = gridOf("accounts");
const account = (name) => plain(name).replace(/^(现金|库存现金)$/, "库存现金").replace(/^(银行|存款|银行存款)$/, "银行存款");

function sums() {
  const all = accounts.rows.map((row) => ({ row, name: account(accounts.value(row, "account")), opening: fen(accounts.value(row, "opening_fen")), closing: fen(accounts.value(row, "closing_fen")), moved: 0 }));
  // A name without figures is none of the village's accounts.
  const named = all.filter((a) => a.name && (a.opening !== null || a.closing !== null));
  const add = (name, amount) => { const found = named.find((a) => a.name === account(name) || (!name && named.length === 1)); if (found) found.moved += amount; };
  let income = 0, expense = 0, ins = 0, outs = 0;
  for (const row of lines.rows) {
    const amount = fen(lines.value(row, "amount_fen")), way = lines.value(row, "direction"), name = lines.value(row, "account");
    if (amount === null) continue;
    if (way === "in") { income += amount; ins += 1; add(name, amount); }
    if (way === "out") { expense += amount; outs += 1; add(name, -amount); }
    if (way === "transfer") { add(name, -amount); add(lines.value(row, "to_account"), amount); }
  }
  const opening = named.reduce((n, a) => n + (a.opening || 0), 0);
  const closing = named.reduce((n, a) => n + (a.closing || 0), 0), due = opening + income - expense;
  for (const a of named) hint(accounts.cell(a.row, "closing_fen"), a.opening === null ? "" : yuan(a.opening + a.moved, false));
  const isStated = named.some((a) => a.opening !== null) && named.every((a) => a.opening === null || a.closing !== null);
  const gap = due - closing, part = (label, text, off) => made("div", { className: off === undefined ? "" : off ? "off" : "even" }, made("dt", { textContent: label }), made("dd", { textContent: text }));
  foot.replaceChildren(
    part("上期结余", yuan(opening)), part(`收入 ${ins} 笔`, yuan(income)), part(`支出 ${outs} 笔`, yuan(expense)),
    isStated ? part("应结余", gap ? `${yuan(due)}，与所填相差 ${yuan(gap)}` : `${yuan(due)} ✓`, gap !== 0) : part("应结余", yuan(due)),
  );
  foot.hidden = false;
}
if (foot && lines && accounts) { form.addEventListener("input", sums); sums(); }
const wrong = form.querySelector("[aria-invalid]");
if (wrong) { const place = at(wrong); if (place) show(place.grid, place.row); wrong.focus(); }
