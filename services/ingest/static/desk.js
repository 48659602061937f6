/* Helps at the desk; every page works without it. Files that are too large, copying, a countdown, what is left at signing out. */
"use strict";

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
for (const all of document.querySelectorAll("[data-all]")) {
  all.addEventListener("click", (event) => {
    event.preventDefault();
    const boxes = [...all.closest("form").querySelectorAll("input[name=chosen]")], wanted = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = wanted;
  });
}
// What is on its way is looked at again, for a while: then whoever waits presses.
if (document.querySelector("[data-again]")) {
  const times = Number(new URLSearchParams(location.hash.slice(1)).get("again") || 0);
  if (times < 30) setTimeout(() => { location.hash = `again=${times + 1}`; location.reload(); }, 2000);
}
// What was kept here of a form that has been saved since, and of everything at signing out: the machine is everybody's.
function forgetTyped(isOver) {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith("sanwu.typed|") && isOver(name)) localStorage.removeItem(name);
  }
}
const settled = document.querySelector("[data-settled]");
if (settled) {
  const of = settled.dataset.settled.split(" ");
  forgetTyped((name) => {
    if (!of.includes(name.split("|")[2])) return false;
    try { const kept = JSON.parse(localStorage.getItem(name)); return kept.sent && Number(kept.version) < Number(settled.dataset.version); } catch { return true; }
  });
}
for (const leave of document.querySelectorAll("form.leave")) leave.addEventListener("submit", () => forgetTyped(() => true));
