// Niceties only: every page works without this file.
"use strict";
const within = (text, selector) => new DOMParser().parseFromString(text, "text/html").querySelector(selector);
const post = (form) => fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });

// A code counts its seconds, and is drawn anew while somebody looks at it, a few times.
function count(box, renewals) {
  const end = performance.now() + 1000 * Number(box.dataset.seconds);
  const tick = () => {
    if (!box.isConnected) return;
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left > 0) {
      box.textContent = box.dataset.left.replace("{}", left);
      setTimeout(tick, 250);
    } else if (renewals > 0 && !document.hidden) {
      renew(box, renewals - 1);
    } else {
      over(box);
    }
  };
  tick();
}
function over(box) {
  box.textContent = box.dataset.over;
  document.querySelectorAll("[data-until-end]").forEach((part) => part.remove());
}
async function renew(box, renewals) {
  const card = box.closest("section");
  const answer = await post(card.querySelector("form")).catch(() => ({ ok: false }));
  const fresh = answer.ok && within(await answer.text(), "#code");
  if (!fresh || !card.isConnected) return over(box);
  card.replaceChildren(...fresh.childNodes);
  const next = card.querySelector("[data-seconds]");
  count(next, renewals);
}
for (const box of document.querySelectorAll("[data-seconds]")) count(box, Number(box.dataset.renew || 0));

// A form whose answer is a part of its own page: sent when something in it changes, only that part is put in.
for (const form of document.querySelectorAll("form[data-live]")) {
  let waiting;
  const ask = async () => {
    const answer = await post(form).catch(() => ({ ok: false }));
    const fresh = answer.ok && within(await answer.text(), `#${form.dataset.live}`);
    if (fresh) document.getElementById(form.dataset.live).replaceChildren(...fresh.childNodes);
  };
  form.addEventListener("input", (event) => {
    const shown = event.target.closest(".slide")?.querySelector("output");
    if (shown) shown.textContent = event.target.value;
    clearTimeout(waiting);
    waiting = setTimeout(ask, 600);
  });
}

// Who looks, as it happens: while the page is in view, ten minutes at most.
const list = document.querySelector("[data-events]");
const used = document.querySelector("[data-used]");
if ((list || used) && window.EventSource) {
  const until = performance.now() + 600_000;
  let source;
  const close = () => source?.close();
  const open = () => {
    close();
    if (document.hidden || performance.now() > until) return;
    source = new EventSource("/v1/me/events?seconds=25");
    source.addEventListener("ready", () => {
      if (list) list.hidden = false;
      if (performance.now() < until) return;
      close();
      if (list) list.textContent = list.dataset.paused;
    });
    source.addEventListener("access", (event) => (list ? again() : honoured(JSON.parse(event.data))));
  };
  const again = async () => {
    const answer = await fetch(location.href);
    const fresh = answer.ok && within(await answer.text(), `#${list.dataset.events}`);
    if (fresh) document.getElementById(list.dataset.events).replaceChildren(...fresh.childNodes);
  };
  const honoured = (entry) => {
    if (entry.purpose !== used.dataset.used || !["partner", "citycard"].includes(entry.by_kind)) return;
    document.getElementById("code").remove();
    used.querySelector("[data-by]").textContent = entry.by;
    used.hidden = false;
    close();
  };
  document.addEventListener("visibilitychange", open);
  addEventListener("pagehide", close);
  open();
}
