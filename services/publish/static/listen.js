// 听一听: reads the sentences of the page aloud, where the telephone can. Without this script nothing is missing but the button.
(() => {
  const button = document.querySelector("[data-say]");
  const speech = window.speechSynthesis;
  if (!button || !speech) return;
  const label = button.textContent;
  const stop = () => { speech.cancel(); button.textContent = label; button.setAttribute("aria-pressed", "false"); };
  const offer = () => { if (speech.getVoices().some((voice) => voice.lang.startsWith("zh"))) button.hidden = false; };
  // Some telephones know their voices at once, others tell of them later.
  speech.addEventListener?.("voiceschanged", offer);
  offer();
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-pressed") === "true") { stop(); return; }
    const said = new SpeechSynthesisUtterance(button.dataset.say);
    said.lang = "zh-CN";
    said.rate = 0.85;
    said.onend = said.onerror = stop;
    speech.cancel();
    speech.speak(said);
    button.textContent = "停下";
    button.setAttribute("aria-pressed", "true");
  });
  addEventListener("pagehide", stop);
})();
