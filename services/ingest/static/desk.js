/* Helps at the desk; every page works without it. Sums while typing, pasting a block, copying, a countdown, arrow keys. */
"use strict";

/** Yuan as typed to fen; null when it is no amount. The server decides, this only helps to see. */
function fen(text) {
  let plain = text.trim().replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));
  plain = plain.replace(/[\s,¥￥元]/g, "").replace(/[−–—]/g, "-").replace(/^\((.*)\)$/, "-$1");
  const match = /^(-?)(\d{1,13})(?:\.(\d{1,6}))?(万?)$/.exec(plain);
  if (!match) return null;
  const digits = match[4] ? 6 : 2;
  const part = (match[3] || "").replace(/0+$/, "");
  if (part.length > digits) return null;
  return Number(match[1] + match[2] + part.padEnd(digits, "0"));
}

function yuan(amount) {
  const sign = amount < 0 ? "-" : "";
  const whole = Math.floor(Math.abs(amount) / 100).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign}${whole}.${String(Math.abs(amount) % 100).padStart(2, "0")}`;
}

function sums(form, place) {
  const value = (name) => (form.elements[name] ? form.elements[name].value : "");
  let income = 0, expense = 0, opening = 0, closing = 0, closed = true, lines = 0;
  for (let n = 0; form.elements[`lines.${n}.amount_fen`]; n += 1) {
    const amount = fen(value(`lines.${n}.amount_fen`));
    if (amount === null) continue;
    lines += 1;
    if (value(`lines.${n}.direction`) === "in") income += amount;
    if (value(`lines.${n}.direction`) === "out") expense += amount;
  }
  for (let n = 0; form.elements[`accounts.${n}.opening_fen`]; n += 1) {
    const first = fen(value(`accounts.${n}.opening_fen`)), last = fen(value(`accounts.${n}.closing_fen`));
    opening += first || 0;
    closing += last || 0;
    if (first !== null && last === null) closed = false;
  }
  const gap = opening + income - expense - closing;
  const words = [`${lines} 笔`, `收入 ${yuan(income)}`, `支出 ${yuan(expense)}`, `应结余 ${yuan(opening + income - expense)}`];
  if (closed) words.push(gap ? `与所填结余相差 ${yuan(gap)}` : "与所填结余相符");
  place.textContent = `${words.join("，")}（元）`;
  place.classList.toggle("off", closed && gap !== 0);
  place.hidden = false;
}

/** A block copied from a spreadsheet, pasted into a cell, goes through the server's own reading. */
function pasted(event) {
  const table = event.target.closest("table[data-grid]");
  const text = event.clipboardData.getData("text/plain");
  if (!table || !text.includes("\t") || !text.trim().includes("\n")) return;
  const area = document.getElementById(`paste-${table.dataset.grid}`);
  if (!area) return;
  event.preventDefault();
  area.closest("details").open = true;
  area.value = text;
  area.closest("details").querySelector("button").focus();
}

/** Up and down go from row to row in the same column. */
function stepped(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const input = event.target;
  if (!step || input.tagName !== "INPUT" || !input.closest("table[data-grid]")) return;
  const name = input.name.replace(/\.(\d+)\./, (_, n) => `.${Number(n) + step}.`);
  const next = input.form.elements[name];
  if (next) { event.preventDefault(); next.focus(); next.select(); }
}

const form = document.querySelector("form[data-kind]");
if (form) {
  const place = form.querySelector("[data-sums]");
  if (place) { form.addEventListener("input", () => sums(form, place)); sums(form, place); }
  form.addEventListener("paste", pasted);
  form.addEventListener("keydown", stepped);
  let typed = false, active = false;
  form.addEventListener("input", () => { typed = true; active = true; });
  form.addEventListener("submit", () => { typed = false; });
  window.addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });
  // While somebody types, the sign-in does not run out; a form that is only open does not keep it.
  setInterval(() => { if (!active) return; active = false; fetch("/registry/renew?next=/desk/static/staff.css", { credentials: "same-origin" }).catch(() => {}); }, 600000);
  const wrong = form.querySelector("[aria-invalid]");
  if (wrong) wrong.focus();
}
for (const input of document.querySelectorAll("input[data-most]")) {
  input.addEventListener("change", () => {
    const most = Number(input.dataset.most), large = Array.from(input.files).some((file) => file.size > most);
    input.setCustomValidity(large ? `这个文件太大，最大 ${Math.floor(most / 1048576)} MB，请缩小或分成几个再选。` : "");
    input.reportValidity();
  });
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const area = document.getElementById(button.dataset.copy);
    area.select();
    try { await navigator.clipboard.writeText(area.value); } catch { document.execCommand("copy"); }
    document.querySelector("[data-copied]").hidden = false;
  });
}
const left = document.querySelector("[data-left]");
if (left) {
  const timer = setInterval(() => {
    left.textContent = String(Math.max(Number(left.textContent) - 1, 0));
    if (left.textContent === "0") { clearInterval(timer); setTimeout(() => location.reload(), 1500); }
  }, 1000);
}
