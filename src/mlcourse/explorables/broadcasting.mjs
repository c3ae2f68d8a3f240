import { arrow, buttons, clamp, frame, html, numbers, set, svg } from "./kit.mjs";

export const about = {
  "title": "Broadcasting of two shapes",
  "question": "b has three values, one for each row of a. Which shape must b have, so that a + b adds each to its row?",
  "width": 480, "height": 168, "below": 9.5, "panel": 15.5
};
const START = { a: [3, 4], b: [3], at: [0, 1, 2] };
const SIZES = [["–", 1, 2, 3], ["–", 1, 2, 3, 4], [1, 2, 3, 4]];
const [CELL, SHEET] = [27, 10];

const size = (shape, axis) => shape.at(axis) ?? 1;

// The shape of the sum, aligned at the last axis; null for an axis where the sizes do not fit.
export function together(a, b) {
  const n = Math.max(a.length, b.length);
  return Array.from({ length: n }, (_, i) => {
    const [p, q] = [size(a, i - n), size(b, i - n)];
    return p === q || q === 1 ? p : p === 1 ? q : null;
  });
}

// Where the value comes from: an axis of size 1 always gives its one entry.
export const origin = (shape, index) =>
  shape.map((n, i) => (n === 1 ? 0 : index[index.length - shape.length + i]));

export const text = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
const count = (shape) => shape.reduce((product, n) => product * n, 1);

function render({ model, el }) {
  const { view, below, panel, settle, state } = frame(el, about, START, model);
  const blocks = { a: 8, b: 174, "a + b": 340 };
  const groups = Object.entries(blocks).map(([name, x], i) => {
    view.append(svg("text", { x, y: 18, class: `bold ${"ab"[i] ?? ""}` }, name));
    return view.appendChild(svg("g", i < 2 ? {} : { role: "slider", class: "mlx-cells" }));
  });
  ["+", "="].forEach((sign, i) => view.append(svg("text", { x: 148 + 166 * i, y: 82 }, sign)));

  const heads = ["axis", "−3", "−2", "−1"].map((name) => html("th", { scope: "col" }, name));
  const row = (name, cells) => html("tr", {}, html("th", { scope: "row" }, name), ...cells.map((c) => html("td", {}, c)));
  const menus = ["a", "b"].map((name) =>
    SIZES.map((options, i) => {
      const menu = html("select", { "aria-label": `${name}, size of axis −${3 - i}` });
      menu.append(...options.map((n) => html("option", { value: n }, n)));
      menu.addEventListener("change", () => choose(name, i, menu.value));
      return menu;
    }),
  );
  const sizes = [0, 1, 2].map(() => html("span"));
  below.append(html("table", {}, html("tr", {}, ...heads), row("a", menus[0]), row("b", menus[1]), row("a + b", sizes)));
  const write = numbers(panel, "values in memory", "values of the sum");
  const verdict = panel.appendChild(html("p"));
  const code = panel.appendChild(html("code"));
  buttons(panel, {
    Reset: () => {
      Object.assign(state, structuredClone(START));
      update();
    },
  });

  // An axis further left needs those to its right.
  function choose(name, i, value) {
    const full = [...Array(3 - state[name].length).fill("–"), ...state[name]];
    full[i] = value === "–" ? value : +value;
    if (i === 0 && value !== "–" && full[1] === "–") full[1] = 1;
    if (i === 1 && value === "–") full[0] = "–";
    state[name] = full.filter((n) => n !== "–");
    update();
  }

  function cells(group, x, shape, total, selected, onClick) {
    const [sheets, rows, columns] = [-3, -2, -1].map((axis) => size(total, axis));
    const [nodes, top] = [[], []];
    for (let s = sheets - 1; s >= 0; s--)
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
          const virtual = [s, r, c].some((v, i) => v >= size(shape, i - 3));
          const here = [s, r, c].every((v, i) => v === selected[i]);
          const at = { x: x + c * CELL + s * SHEET, y: 30 + r * CELL + (sheets - 1 - s) * SHEET, width: 23, height: 23, rx: 3 };
          const node = svg("rect", { ...at, class: `cell${virtual ? " virtual" : ""}${here ? " here" : ""}` });
          if (onClick) node.addEventListener("pointerdown", () => onClick([s, r, c]));
          (here ? top : nodes).push(node);
        }
    group.replaceChildren(...nodes, ...top);
  }

  function select(index, result) {
    state.at = index.map((v, i) => clamp(v, 0, size(result, i - 3) - 1));
    update();
  }
  groups[2].addEventListener("keydown", (event) => {
    const way = arrow(event);
    const sheet = { PageUp: 1, PageDown: -1 }[event.key] ?? 0;
    if (sheet) event.preventDefault();
    const [s, r, c] = state.at;
    if (way || sheet) select([s + sheet, r - (way?.[1] ?? 0), c + (way?.[0] ?? 0)], together(state.a, state.b));
  });

  function update() {
    const { a, b } = state;
    const result = together(a, b);
    const bad = result.lastIndexOf(null) - result.length;
    const fits = !result.includes(null);
    if (fits) state.at = state.at.map((v, i) => clamp(v, 0, size(result, i - 3) - 1));
    const index = state.at.slice(3 - result.length);
    const from = (shape) => origin(shape, index);
    const pad = (list) => [0, 0, 0, ...list].slice(-3);
    [a, b].forEach((shape, i) => {
      groups[i].setAttribute("class", "ab"[i]);
      cells(groups[i], [8, 174][i], shape, fits ? result : shape, fits ? pad(from(shape)) : []);
      menus[i].forEach((menu, k) => (menu.value = shape.at(k - 3) ?? "–"));
    });
    cells(groups[2], 340, result, fits ? result : [0], state.at, (at) => select(at, result));
    if (!fits) groups[2].append(svg("text", { class: "cross", x: 365, y: 95 }, "✗"));
    sizes.forEach((node, i) => {
      node.textContent = result.at(i - 3) ?? (result.length < 3 - i ? "" : "✗");
      node.className = node.textContent === "✗" ? "bad" : "";
    });
    const repeated = ["a", "b"].filter((name) => fits && count(state[name]) < count(result));
    write(`${count(a)} + ${count(b)}`, fits ? count(result) : "none");
    const solved = text(a) === "(3, 4)" && text(b) === "(3, 1)";
    panel.classList.toggle("found", solved);
    const shapes = `${text(a)} + ${text(b)}`;
    verdict.textContent = solved
      ? "Yes: with shape (3, 1) the three values stand in a column, and the column is repeated along axis −1."
      : fits
        ? `${shapes} gives ${text(result)}. ${repeated.length ? `Repeated without memory: ${repeated.join(" and ")}.` : "Nothing is repeated."}`
        : `${shapes} does not fit: on axis ${`${bad}`.replace("-", "−")}, ${size(a, bad)} meets ${size(b, bad)}. Sizes must be equal, or one of them 1.`;
    code.textContent = fits ? `(a + b)[${index}] = a[${from(a)}] + b[${from(b)}]` : "ValueError";
    const value = fits ? code.textContent : "no result";
    set(groups[2], { tabindex: fits ? 0 : -1, "aria-label": "a value of the result", "aria-valuenow": index.at(-1), "aria-valuetext": value });
    settle(`${verdict.textContent} ${code.textContent}`, state);
  }
  update();
}

export default { render };
