import { buttons, clamp, frame, handle, numbers, say, set, svg } from "./kit.mjs";

export const about = {
  "title": "Least squares by hand",
  "question": "Tilt the line until the squares cover the least area. Then drag one point far away: how much does the best line follow?",
  "width": 480, "height": 360, "panel": 15.5
};
const POINTS = [[1, 2.5], [2.5, 1.5], [4, 4.5], [5.5, 3], [7, 5.5], [8.5, 4], [10, 6.5]];
const START = { points: POINTS, line: [6, 3], best: false };
const [WIDTH, HEIGHT, UNIT, END] = [12, 9, 40, [0.5, 11.5]];

export function fit(points) {
  const mean = (k) => points.reduce((sum, p) => sum + p[k], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  let [products, squares] = [0, 0];
  for (const [x, y] of points) {
    products += (x - mx) * (y - my);
    squares += (x - mx) ** 2;
  }
  const slope = squares > 1e-9 ? products / squares : 0;
  return { slope, intercept: my - slope * mx };
}

export const loss = (points, { slope, intercept }) =>
  points.reduce((sum, [x, y]) => sum + (y - slope * x - intercept) ** 2, 0) / points.length;

export function through([left, right]) {
  const slope = (right - left) / (END[1] - END[0]);
  return { slope, intercept: left - slope * END[0] };
}

const px = (x, y) => [x * UNIT, (HEIGHT - y) * UNIT];
const path = ({ slope, intercept }) =>
  `M${[0, WIDTH].map((x) => px(x, slope * x + intercept).map((v) => v.toFixed(1)).join(" ")).join("L")}`;

function render({ model, el }) {
  const { view, panel, settle, state } = frame(el, about, START, model);
  view.append(svg("path", { class: "axis", d: `M1 0V${HEIGHT * UNIT - 1}H${WIDTH * UNIT}` }));
  const squares = state.points.map(() => view.appendChild(svg("rect", { class: "square" })));
  const best = view.appendChild(svg("path", { class: "line c dashed" }));
  const line = view.appendChild(svg("path", { class: "line a" }));
  const write = numbers(panel, "your mean square", "smallest possible");
  const verdict = panel.appendChild(document.createElement("p"));

  const quarter = (v, low, high) => clamp(Math.round(v * 4) / 4, low, high);
  const moveEnd = (i, y) => {
    state.line[i] = clamp(Math.round(y * 20) / 20, 0, HEIGHT);
    update();
  };
  const movePoint = (i, x, y) => {
    state.points[i] = [quarter(x, 0.5, 11.5), quarter(y, 0.5, 8.5)];
    update();
  };
  const ends = ["left", "right"].map((side, i) =>
    handle(view, {
      label: `${side} end of your line`,
      kind: "a",
      at: (a, b) => moveEnd(i, HEIGHT - b / UNIT),
      nudge: (a, b) => moveEnd(i, state.line[i] + (a + b) / 10),
    }),
  );
  const points = state.points.map((_, i) =>
    handle(view, {
      label: `point ${i + 1}`,
      kind: "b",
      at: (a, b) => movePoint(i, a / UNIT, HEIGHT - b / UNIT),
      nudge: (a, b) => movePoint(i, state.points[i][0] + a / 4, state.points[i][1] + b / 4),
    }),
  );
  const [show] = buttons(panel, {
    "Show the best line": () => {
      state.best = !state.best;
      update();
    },
    Reset: () => {
      Object.assign(state, structuredClone(START));
      update();
    },
  });

  function update() {
    const mine = through(state.line);
    const optimum = fit(state.points);
    const [yours, smallest] = [loss(state.points, mine), loss(state.points, optimum)];
    state.points.forEach(([x, y], i) => {
      const guess = mine.slope * x + mine.intercept;
      const side = Math.abs(y - guess);
      const [a, b] = px(x + side > WIDTH ? x - side : x, Math.max(y, guess));
      set(squares[i], { x: a, y: b, width: side * UNIT, height: side * UNIT });
      points[i](...px(x, y), y, `${say(x)}, ${say(y)}; residual ${say(y - guess)}`);
    });
    line.setAttribute("d", path(mine));
    best.setAttribute("d", state.best ? path(optimum) : "");
    show.setAttribute("aria-pressed", state.best);
    END.forEach((x, i) => ends[i](...px(x, state.line[i]), state.line[i], `height ${say(state.line[i])}, mean square ${say(yours)}`));
    write(say(yours), say(smallest));
    const ratio = yours / Math.max(smallest, 1e-9);
    const found = yours - smallest < 0.01 * smallest + 1e-4;
    panel.classList.toggle("found", found);
    verdict.textContent = found
      ? "This is the least-squares line. Now drag a point far up or down, and find it again."
      : `Your squares cover ${ratio > 99 ? "over 99" : say(ratio, ratio < 1.1 ? 2 : 1)} times the smallest possible area.`;
    settle(`Mean square ${say(yours)}, smallest possible ${say(smallest)}. ${verdict.textContent}`, { ...state, ...mine });
  }
  update();
}

export default { render };
