// Niceties only: every page works without this file.
"use strict";
for (const box of document.querySelectorAll("[data-seconds]")) {
  const end = performance.now() + 1000 * Number(box.dataset.seconds);
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left > 0) {
      box.textContent = `还有 ${left} 秒`;
      setTimeout(tick, 250);
      return;
    }
    box.textContent = "已失效，请重新出示";
    document.querySelectorAll("[data-until-end]").forEach((part) => part.remove());
  };
  tick();
}
