/* Keeps what is typed: every second in this browser, every few seconds at the service; warns before anything unsent is left. */
const form = document.querySelector("form[data-keep]");
const KEY = `sanwu.typed|${form.dataset.keep}`, WEEK = 7 * 86400000;
const IDLE = 2000, EVERY = 10000, LONGEST = 20000, AGAIN = 15000, PATIENCE = 15000;
const place = form.querySelector("[data-kept]");
const field = (name) => form.elements.namedItem(name);

/** Everything that was typed, as a form sends it; not what says from where it goes on. */
function content() {
  const pairs = [...new FormData(form)].filter(([name, value]) => typeof value === "string"
    && !["typed", "version", "id", "action", "upload-title"].includes(name) && !name.endsWith(".~paste"));
  return new URLSearchParams(pairs).toString();
}
const base = () => ({ typed: field("typed").value, version: field("version") ? field("version").value : "", id: field("id") ? field("id").value : "" });

let stored = form.hasAttribute("data-unsaved") ? "" : content();
let seen = content(), changed = Date.now(), unsentSince = 0, sentAt = 0, failedAt = 0;
let flight = null, leaving = false, shut = false, active = false, out = false;

// -- in this browser

function read() { try { return JSON.parse(localStorage.getItem(KEY)); } catch { return null; } }
function write(more) {
  if (out) return;
  // A full or forbidden store takes nothing: then the service alone keeps it.
  try { localStorage.setItem(KEY, JSON.stringify({ at: Date.now(), body: content(), ...base(), ...more })); } catch { /* see above */ }
}
function forget() { try { localStorage.removeItem(KEY); } catch { /* nothing is there */ } }
for (const name of Object.keys(localStorage)) {
  if (!name.startsWith("sanwu.typed|")) continue;
  try { if (Date.now() - JSON.parse(localStorage.getItem(name)).at > WEEK) localStorage.removeItem(name); } catch { localStorage.removeItem(name); }
}

// -- what the person sees

function tell(text, wrong) {
  place.textContent = text;
  place.classList.toggle("off", Boolean(wrong));
}
const clock = () => new Date().toTimeString().slice(0, 5);

// -- to the service

async function send() {
  const body = content(), from = base();
  const fields = new URLSearchParams(body);
  for (const [name, value] of Object.entries(from)) if (value) fields.set(name, value);
  sentAt = Date.now();
  try {
    const answer = await fetch("/desk/typed", { method: "POST", body: fields, headers: { accept: "application/json" }, credentials: "same-origin", redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) {
      const told = await answer.json();
      field("typed").value = told.typed;
      stored = body; failedAt = 0; unsentSince = 0;
      if (content() === stored) forget();
      const at = clock();
      tell("✓ 刚才自动保存");
      setTimeout(() => { if (place.textContent === "✓ 刚才自动保存") tell(`✓ ${at} 自动保存`); }, 60000);
      return;
    }
    const told = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
    if (answer.status === 409) {
      shut = true;
      tell(`没有保存上：${told.detail || ""}按“保存草稿”可以比较两份。`, true);
    } else if (answer.status === 401 || answer.type === "opaqueredirect") {
      tell("没有保存上：登录已过期，内容先存在这台电脑上。请在新窗口重新登录，不用关这一页。", true);
    } else tell(`没有保存上：${told.detail || "系统忙，过一会儿再试。"}内容先存在这台电脑上。`, true);
  } catch {
    tell("没有保存上：网络不通，内容先存在这台电脑上，通了会自动送去。", true);
  }
  failedAt = Date.now();
}
function start() { flight ??= send().finally(() => { flight = null; }); return flight; }

function tick() {
  const now = content(), at = Date.now();
  if (now !== seen) { seen = now; changed = at; unsentSince ||= at; }
  if (now === stored || leaving) return;
  unsentSince ||= at;
  write();
  if (flight || shut || at - failedAt < AGAIN) return;
  const rested = at - changed >= IDLE && at - sentAt >= EVERY;
  if (rested || at - unsentSince >= LONGEST) start();
}
setInterval(tick, 1000);
window.addEventListener("online", () => { failedAt = 0; tick(); });
document.addEventListener("visibilitychange", () => { if (document.hidden && !leaving && content() !== stored) write(); });

// -- leaving

form.addEventListener("submit", (event) => {
  if (!navigator.onLine) {
    event.preventDefault();
    write();
    tell("现在没有网络。内容已经存在这台电脑上，通了会自动送去，到时再按一次。", true);
    return;
  }
  if (flight) {
    // What is on its way counts first, or it would look like somebody else's.
    event.preventDefault();
    const button = event.submitter;
    flight.then(() => form.requestSubmit(button));
    return;
  }
  write({ sent: true });
  leaving = true;
});
window.addEventListener("pageshow", () => { leaving = false; });
window.addEventListener("beforeunload", (event) => { if (!leaving && content() !== stored) { write(); event.preventDefault(); } });

// -- what did not get through the last time

const before = read();
if (before) {
  const page = base();
  const past = before.sent && (Number(page.version) > Number(before.version) || Number(page.typed) > Number(before.typed));
  if (past || before.body === content()) forget();
  else offer(before);
}
function offer(kept) {
  const note = document.createElement("div");
  note.className = "note"; note.setAttribute("role", "status");
  const at = new Date(kept.at);
  note.append(`这台电脑上还有 ${at.getMonth() + 1}月${at.getDate()}日 ${at.toTimeString().slice(0, 5)} 填的、没有送到的内容。`);
  const back = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: "恢复那些内容" });
  const drop = Object.assign(document.createElement("button"), { type: "button", className: "small plain", textContent: "丢掉" });
  const actions = Object.assign(document.createElement("div"), { className: "actions" });
  actions.append(back, drop); note.append(actions); form.before(note);
  back.addEventListener("click", () => {
    const again = Object.assign(document.createElement("form"), { method: "post", action: "/desk/form", hidden: true });
    const fields = new URLSearchParams(kept.body);
    for (const name of ["typed", "version", "id"]) if (kept[name]) fields.set(name, kept[name]);
    fields.set("action", "columns");
    for (const [name, value] of fields) {
      const input = Object.assign(document.createElement("textarea"), { name, value });
      again.append(input);
    }
    document.body.append(again);
    leaving = true;
    again.submit();
  });
  drop.addEventListener("click", () => { forget(); note.remove(); });
}

// While somebody types, the sign-in does not run out; a form that is only open does not keep it.
form.addEventListener("input", () => { active = true; out = false; });
// Whoever signs out takes along what is theirs; the warning comes all the same.
document.querySelector("form.leave")?.addEventListener("submit", () => { out = true; });
setInterval(() => { if (!active) return; active = false; fetch("/registry/renew?next=/desk/static/staff.css", { credentials: "same-origin" }).catch(() => {}); }, 600000);
