// The map of the course: what the pointed-at chapter needs and leads to, arrow keys, and a sign on the chapters that were read.
import { all } from "./store.mjs";

for (const map of document.querySelectorAll(".atlas")) {
  const stops = [...map.querySelectorAll("li")];
  const trace = map.querySelector(".atlas-trace");
  const arrows = [...map.querySelectorAll("path[data-from]")];
  const needs = stops.map((stop) => stop.dataset.needs.split(" ").filter(Boolean).map(Number));
  const title = (i) => stops[i].querySelector("b").textContent;
  const list = (indices) => indices.map(title).join(", ") || "nothing";

  const before = (i, found = new Set()) => {
    for (const need of needs[i]) if (!found.has(need)) before(need, found.add(need));
    return found;
  };

  const clear = () => {
    delete map.dataset.tracing;
    trace.hidden = true;
    for (const node of [...stops, ...arrows]) node.classList.remove("here", "needed", "led");
  };

  const show = (i) => {
    clear();
    const earlier = before(i);
    const next = stops.flatMap((_, j) => (needs[j].includes(i) ? [j] : []));
    stops[i].classList.add("here");
    earlier.forEach((j) => stops[j].classList.add("needed"));
    next.forEach((j) => stops[j].classList.add("led"));
    for (const arrow of arrows) {
      const [from, to] = [Number(arrow.dataset.from), Number(arrow.dataset.to)];
      arrow.classList.toggle("needed", to === i || earlier.has(to));
      arrow.classList.toggle("led", from === i);
    }
    const more = earlier.size - needs[i].length;
    const rest = more ? `, and ${more} before ${needs[i].length === 1 ? "it" : "them"}` : "";
    trace.textContent = `${title(i)} needs ${list(needs[i])}${rest}. It leads to ${list(next)}.`;
    trace.hidden = false;
    map.dataset.tracing = "";
  };

  const index = (target) => stops.indexOf(target.closest(".atlas li"));
  let focused = -1;
  map.addEventListener("pointerover", ({ target }) => (index(target) < 0 ? focused < 0 && clear() : show(index(target))));
  map.addEventListener("pointerleave", () => (focused < 0 ? clear() : show(focused)));
  map.addEventListener("focusin", ({ target }) => {
    focused = index(target);
    if (focused >= 0) show(focused);
  });
  map.addEventListener("focusout", () => {
    focused = -1;
    clear();
  });

  // The nearest box in that direction: in its column above or below, else beside it.
  const beside = (i, key) => {
    if (key === "ArrowRight") return stops[i + 1];
    if (key === "ArrowLeft") return stops[i - 1];
    const here = stops[i].getBoundingClientRect();
    const sign = key === "ArrowDown" ? 1 : -1;
    const distance = (stop) => {
      const there = stop.getBoundingClientRect();
      const down = sign * (there.top - here.top);
      return down > 1 ? down + Math.abs(there.left - here.left) : Infinity;
    };
    const best = stops.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    return distance(best) < Infinity ? best : null;
  };
  map.addEventListener("keydown", (event) => {
    if (focused < 0 || !/^Arrow(Up|Down|Left|Right)$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    beside(focused, event.key)?.firstElementChild.focus();
  });

  const mark = () => {
    const read = all("read");
    for (const stop of stops) {
      if (stop.classList.contains("read") === stop.dataset.slug in read) continue;
      stop.classList.toggle("read");
      const small = stop.querySelector("small");
      small.textContent = stop.classList.contains("read") ? `${small.textContent} ✓ read` : small.textContent.replace(" ✓ read", "");
    }
  };
  mark();
  addEventListener("mlcourse-store", mark);
  addEventListener("storage", mark);
}
