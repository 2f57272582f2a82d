// What is wrong with the geometry of the page in view: five lists, all empty on a good page.
() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const name = (one) => one.outerHTML.slice(0, 90);
  const touched = all("a.button, button, summary, nav a, .mode, .brand, input:not([type=hidden])")
    .map((one) => (one.matches("[type=checkbox], [type=radio]") ? one.closest("label") : one))
    .filter((one) => one.checkVisibility());

  const lines = (one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const middles = [...range.getClientRects()].filter((box) => box.width > 1).map((box) => box.top + box.height / 2);
    return middles.length ? Math.max(...middles) - Math.min(...middles) > 12 : false;
  };
  const outside = (text) => {
    const box = text.getBoundingClientRect();
    const frame = text.closest("svg").getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
  };
  const cross = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
  const crossed = all("svg").flatMap((svg) => {
    const boxes = [...svg.querySelectorAll("text")].map((one) => [one.textContent, one.getBoundingClientRect()]);
    return boxes.flatMap(([text, a], turn) =>
      boxes.slice(turn + 1).filter(([, b]) => cross(a, b)).map(([other]) => `${text} on ${other}`));
  });

  return {
    wider: document.documentElement.scrollWidth > innerWidth ? [document.documentElement.scrollWidth] : [],
    small: touched.filter((one) => one.getBoundingClientRect().height < 44).map(name),
    broken: all("button, a.button, time, .num, .pill").filter((one) => one.checkVisibility() && lines(one)).map(name),
    clipped: all("svg text").filter(outside).map((one) => one.textContent),
    crossed,
  };
}
