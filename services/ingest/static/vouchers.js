// Pictures of vouchers: many at once, turned upright and made small before they are sent; boxes drawn over them.
// Without it files go as they are, and a picture that nobody can draw on stays unpublished.
"use strict";

const LONGEST = 1600;

/** A photograph upright and small; what is no picture, or cannot be opened here, goes as it is. */
async function shrunk(file) {
  if (!file.type.startsWith("image/") || !window.createImageBitmap) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const share = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    if (share === 1 && file.size < 400000) return file;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * share);
    canvas.height = Math.round(picture.height * share);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob && blob.size < file.size ? new File([blob], file.name, { type: "image/jpeg" }) : file;
  } catch {
    return file;
  }
}

async function send(form, file) {
  const most = Number(form.dataset.most), small = await shrunk(file);
  if (small.size > most) return `${file.name}：文件太大，最大 ${Math.floor(most / 1048576)} MB。`;
  const body = new FormData();
  body.append("id", form.elements.id.value);
  body.append("files", small, file.name);
  for (let time = 0; time < 3; time += 1) {
    try {
      const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin", headers: { accept: "application/json" } });
      if (answer.ok) return "";
      if (answer.status === 401) return "登录已经过期，请在另一个窗口登录后再传。";
      const told = await answer.json().catch(() => ({}));
      if (answer.status !== 503) return (told.errors && told.errors.length ? told.errors.map((e) => e.message).join("；") : `${file.name}：${told.detail || told.title || "没有传上去"}`);
    } catch { /* The network is away: once more. */ }
    await new Promise((done) => setTimeout(done, 2000));
  }
  return `${file.name}：网络断了，没有传上去，请再选一次。`;
}

let sending = false;
async function sendAll(form, files) {
  if (sending || !files.length) return;
  sending = true;
  const progress = form.querySelector("[data-progress]"), list = form.querySelector("[data-faults]");
  list.textContent = "";
  let done = 0;
  for (const file of files) {
    progress.textContent = `正在上传第 ${done + 1} 张，共 ${files.length} 张…`;
    const fault = await send(form, file);
    if (fault) { const row = document.createElement("li"); row.textContent = fault; list.append(row); }
    done += 1;
  }
  sending = false;
  const failed = list.children.length;
  list.hidden = !failed;
  progress.textContent = `上传了 ${done - failed} 张${failed ? `，${failed} 张没有传上去` : ""}。`;
  if (!failed) location.reload();
}

const form = document.querySelector("form[data-vouchers]");
if (form) {
  const drop = form.querySelector("[data-drop]"), camera = form.querySelector("#camera");
  form.querySelector("[data-camera]").hidden = !matchMedia("(pointer: coarse)").matches;
  for (const input of [form.querySelector("#files"), camera]) input.addEventListener("change", () => sendAll(form, Array.from(input.files)));
  form.addEventListener("submit", (event) => { event.preventDefault(); sendAll(form, Array.from(form.querySelector("#files").files)); });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); sendAll(form, Array.from(event.dataTransfer.files)); });
  window.addEventListener("beforeunload", (event) => { if (sending) event.preventDefault(); });
}

const surface = document.querySelector("[data-canvas]");
if (surface) {
  const field = document.querySelector("[name=boxes]"), picture = surface.querySelector("img");
  const count = document.querySelector("[data-count]");
  let boxes = field.value.split(";").filter(Boolean).map((box) => box.split(",").map(Number)), begun = null;
  for (const part of document.querySelectorAll("[data-how], [data-tools], [data-needs-script]")) part.hidden = false;
  document.querySelector("[data-plain]").hidden = true;

  /** Where the pointer is, in ten-thousandths of the picture. */
  const place = (event) => {
    const frame = picture.getBoundingClientRect();
    const part = (at, from, size) => Math.round(Math.min(1, Math.max(0, (at - from) / size)) * 10000);
    return [part(event.clientX, frame.left, frame.width), part(event.clientY, frame.top, frame.height)];
  };
  const box = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  const draw = (extra) => {
    for (const old of surface.querySelectorAll("i")) old.remove();
    for (const one of extra ? [...boxes, extra] : boxes) {
      const mark = document.createElement("i");
      mark.style.left = `${one[0] / 100}%`;
      mark.style.top = `${one[1] / 100}%`;
      mark.style.width = `${(one[2] - one[0]) / 100}%`;
      mark.style.height = `${(one[3] - one[1]) / 100}%`;
      surface.append(mark);
    }
    field.value = boxes.map((one) => one.join(",")).join(";");
    count.textContent = boxes.length ? `画了 ${boxes.length} 个框` : "还没有画框";
  };
  surface.addEventListener("pointerdown", (event) => { begun = place(event); surface.setPointerCapture(event.pointerId); event.preventDefault(); });
  surface.addEventListener("pointermove", (event) => { if (begun) draw(box(begun, place(event))); });
  surface.addEventListener("pointerup", (event) => {
    if (!begun) return;
    const made = box(begun, place(event));
    begun = null;
    if (made[2] - made[0] > 30 && made[3] - made[1] > 30) boxes.push(made);
    draw();
  });
  surface.addEventListener("pointercancel", () => { begun = null; draw(); });
  document.querySelector("[data-undo]").addEventListener("click", () => { boxes.pop(); draw(); });
  draw();
}
