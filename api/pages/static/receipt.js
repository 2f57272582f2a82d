// Checks a paper at our own address; the part behind # of a scanned code never leaves the browser by itself.
"use strict";
const words = Object.fromEntries(
  [...document.querySelectorAll("#words [data-word]")].map((one) => [one.dataset.word, one.textContent]),
);
const form = document.getElementById("check");
const paper = document.getElementById("paper");
const said = document.getElementById("said");
const line = (text, tag) => {
  const part = document.createElement(tag || "p");
  part.textContent = text;
  return part;
};
const shown = (answer) => {
  if (!answer.valid) return [line(words.false, "h2")];
  const parts = [line(words.true, "h2")];
  for (const [name, value] of Object.entries(answer.content)) {
    if (typeof value === "string" && words[name]) parts.push(line(words[name] + (words[`state-${value}`] ?? value)));
  }
  return parts;
};
const check = async () => {
  said.hidden = false;
  said.replaceChildren(line(words.busy));
  try {
    const answer = await fetch("/v1/rules/receipts/verify", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ receipt: paper.value.trim() }),
    });
    said.replaceChildren(...(answer.ok ? shown(await answer.json()) : [line(words.broken)]));
  } catch {
    said.replaceChildren(line(words.offline));
  }
};
form.addEventListener("submit", (event) => {
  event.preventDefault();
  check();
});
if (location.hash.length > 1) {
  paper.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  check();
}
