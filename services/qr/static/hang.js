/* Where a code hangs: asks the telephone for its place when the clerk presses the button. The page works without it. */
"use strict";

document.querySelectorAll("[data-locate]").forEach((button) => {
  const form = button.form, told = form.querySelector("[data-told]");
  if (!navigator.geolocation) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    told.textContent = "正在定位，请稍候…";
    navigator.geolocation.getCurrentPosition((found) => {
      form.elements.latitude.value = found.coords.latitude.toFixed(6);
      form.elements.longitude.value = found.coords.longitude.toFixed(6);
      form.elements.accuracy_m.value = Math.round(found.coords.accuracy);
      told.textContent = `已定位，误差约 ${Math.round(found.coords.accuracy)} 米`;
    }, () => {
      told.textContent = "没有定到位置。可以不定位，直接拍照提交。";
    }, { enableHighAccuracy: true, timeout: 20000 });
  });
});
