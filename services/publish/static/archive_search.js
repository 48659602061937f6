// The search of an archive: no server stands behind it. `names.js` tells villages and items; persons are in neither.
const asked = new URLSearchParams(location.search).get("q") || "";
document.getElementById("q").value = asked;
const words = asked.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
const names = ([code, name, township, sound, initials], word) =>
  code === word || name.includes(word) || township.startsWith(word) || sound.startsWith(word) || initials.startsWith(word);
const ofVillages = words.filter((word) => villages.some((village) => names(village, word)));
const others = words.filter((word) => !ofVillages.includes(word));
const found = ofVillages.length ? villages.filter((village) => ofVillages.every((word) => names(village, word))) : [];
// Who types 西海 means the village before the township of that name.
const isOwn = (village) => ofVillages.some((word) => names([...village.slice(0, 2), "", ...village.slice(3)], word));
found.sort((one, other) => isOwn(other) - isOwn(one));
const wanted = others.length ? items.filter((item) => others.every((word) => (item[1] + item[2]).toLowerCase().includes(word))) : [];

function show(url, name, beside) {
  const row = document.createElement("li");
  const link = document.createElement(url ? "a" : "b");
  if (url) link.href = url;
  link.textContent = name;
  const more = document.createElement("span");
  more.className = "official";
  more.textContent = " " + beside;
  row.append(link, more);
  document.getElementById("found").append(row);
}

for (const [code, name, township] of found.slice(0, 60)) {
  if (!others.length) show(`v/${code}.html`, name, township);
  for (const [item, plain, official] of wanted) show(`v/${code}/${item}.html`, `${name}：${plain}`, official);
}
if (!found.length) for (const [, plain] of wanted) show("", plain, "要看一个村的，请把村名也写上");
document.getElementById("none").hidden = !words.length || document.getElementById("found").children.length > 0;
