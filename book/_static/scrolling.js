// Code and tables that are wider than the page can be scrolled by keyboard. In place of the theme's own way, which measures all of
// them at once and so makes the browser lay out the whole page before anything can be clicked.
addEventListener("DOMContentLoaded", () => {
  const wide = "pre, .cell_output > .output, .pst-scrollable-table-container";
  const measure = (element) => {
    const scrolls = element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
    if (scrolls) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  };
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => measure(target)));
  const observe = () => document.querySelectorAll(wide).forEach((element) => observer.observe(element));
  new MutationObserver(observe).observe(document.getElementById("main-content"), { childList: true, subtree: true });
  observe();

  const idle = window.requestIdleCallback ?? ((run) => setTimeout(() => run({ timeRemaining: () => 5 }), 200));
  const waiting = [...document.querySelectorAll(wide)];
  const next = (deadline) => {
    while (waiting.length && deadline.timeRemaining() > 4) measure(waiting.shift());
    if (waiting.length) idle(next);
  };
  addEventListener("load", () => idle(next));
});
