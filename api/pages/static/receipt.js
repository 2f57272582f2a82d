// Checks a paper at our own address; the part behind # of a scanned code never leaves the browser by itself.
"use strict";
const WORDS = {
  consent: "编号", purpose: "用途", state: "打印时的状态", given: "同意日期", until: "到期", ended: "结束日期", printed: "打印日期",
  given_state: { given: "有效", withdrawn: "已撤回", expired: "已到期", superseded: "已被后来的同意替代" },
};
const form = document.getElementById("check");
const paper = document.getElementById("paper");
const said = document.getElementById("said");
const line = (text, tag) => {
  const part = document.createElement(tag || "p");
  part.textContent = text;
  return part;
};
const shown = (answer) => {
  if (!answer.valid) return [line("这不是我们签发的回执，或者内容被改过。", "h2")];
  const parts = [line("这是我们签发的，内容没有被改过。", "h2")];
  for (const [name, value] of Object.entries(answer.content)) {
    if (typeof value === "string" && WORDS[name]) parts.push(line(`${WORDS[name]}：${WORDS.given_state[value] || value}`));
  }
  return parts;
};
const check = async () => {
  said.hidden = false;
  said.replaceChildren(line("正在查验……"));
  try {
    const answer = await fetch("/v1/rules/receipts/verify", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ receipt: paper.value.trim() }),
    });
    said.replaceChildren(...(answer.ok ? shown(await answer.json()) : [line("文字不完整，请再扫一次。")]));
  } catch {
    said.replaceChildren(line("现在连不上，请稍后再试。"));
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
