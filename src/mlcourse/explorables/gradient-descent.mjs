import { buttons, clamp, frame, handle, html, numbers, say, set, slider, still, svg } from "./kit.mjs";

export const about = {
  "title": "Gradient descent on a least-squares loss",
  "question": "How large can the learning rate be before the path runs away, and which one gets lowest in 20 steps?",
  "width": 480, "height": 360, "below": 6, "panel": 19.5
};
// Body mass index and blood pressure of the diabetes study: the excess loss is ½ (w − best)ᵀ H (w − best).
// First with the columns centered only, then standardized.
export const TABLES = [
  { H: [38.951271, 48.216435, 381.743171], best: [8.519012, 1.384735], pixels: 21.8, tick: 5 },
  { H: [2, 0.790822, 2], best: [37.595428, 19.130990], pixels: 4.2, tick: 25 },
];
export const STEPS = 20;
const START = { standardized: false, rate: 0.105, from: [0, 0] };
const LEVELS = [30, 120, 300, 600, 1100, 1800, 2800, 4200, 6400, 9800, 15000];
const [CENTER, SIGN] = [[235, 185], [1, -1]];

export function excess({ H, best }, w) {
  const [a, b] = [w[0] - best[0], w[1] - best[1]];
  return (H[0] * a * a + 2 * H[1] * a * b + H[2] * b * b) / 2;
}

export function eigenvalues({ H }) {
  const [middle, half] = [(H[0] + H[2]) / 2, Math.hypot((H[0] - H[2]) / 2, H[1])];
  return [middle - half, middle + half];
}

export function descend({ H, best }, from, eta, steps = STEPS) {
  const way = [from];
  for (let i = 0; i < steps; i++) {
    const [w, v] = way[i];
    const [a, b] = [w - best[0], v - best[1]];
    way.push([w - eta * (H[0] * a + H[1] * b), v - eta * (H[1] * a + H[2] * b)]);
  }
  return way;
}

// What a learning rate does, told from the factors by which the two directions shrink at each step.
export function judge(table, eta) {
  const [low, high] = eigenvalues(table);
  const [slow, steep] = [1 - eta * low, 1 - eta * high];
  if (steep < -1) return "It runs away: each step overshoots by more than the one before.";
  if (Math.abs(slow + steep - 0.03) < 0.05) return "About the best: the long and the short axis shrink equally fast.";
  if (-steep > slow) return "Too large: it zigzags and only just converges.";
  return steep < 0 ? "Good: it zigzags a little and comes down fast." : "Safe but slow: it creeps along the valley.";
}

const height = (v) => clamp(79 - 15 * Math.log10(Math.abs(v)), 4, 94);

function render({ model, el }) {
  const { view, below, panel, settle, state } = frame(el, about, START, model);
  const bowl = view.appendChild(svg("g"));
  const way = view.appendChild(svg("polyline", { class: "line thin b" }));
  const dots = view.appendChild(svg("path", { class: "dots" }));
  const curve = svg("polyline", { class: "line b" });
  const plot = svg("svg", { viewBox: "0 0 240 114", role: "img" }, svg("path", { class: "axis", d: "M30 4V94H238" }));
  const marks = { "10⁴": 19, "10²": 49, 1: 79 };
  for (const label in marks) {
    plot.append(svg("path", { class: "grid", d: `M30 ${marks[label]}H238` }));
    plot.append(svg("text", { y: marks[label] + 4 }, label));
  }
  plot.append(svg("text", { x: 184, y: 109 }, `step ${STEPS}`), curve);
  const write = numbers(panel, `excess loss, step ${STEPS}`);
  const verdict = panel.appendChild(html("p"));
  panel.append(plot);

  const table = () => TABLES[+state.standardized];
  const eta = () => (2 * state.rate) / eigenvalues(table())[1];
  const px = (w) => {
    const { best, pixels } = table();
    return CENTER.map((c, i) => c + (w[i] - best[i]) * pixels * SIGN[i]);
  };
  const rate = slider(below, "learning rate η", { min: 0.025, max: 1.2, step: 0.01 }, () => eta().toPrecision(2), (v) => {
    state.rate = v;
    update();
  });
  const box = html("input", { type: "checkbox" });
  below.append(html("label", { class: "mlx-check" }, box, "standardize the features"));
  box.addEventListener("change", () => {
    state.standardized = box.checked;
    surface();
    moveTo([0, 0]);
  });
  const moveTo = (from) => {
    state.from = from;
    update();
  };
  const start = handle(view, {
    label: "starting point",
    kind: "b",
    at: (...p) => {
      const { best, pixels } = table();
      moveTo(best.map((v, i) => v + ((clamp(p[i], 12, [468, 348][i]) - CENTER[i]) / pixels) * SIGN[i]));
    },
    nudge: (...way) => moveTo(state.from.map((v, i) => v + (way[i] * table().tick) / 10)),
  });
  let timer;
  buttons(panel, {
    Watch: () => update(still() ? STEPS : 0),
    Reset: () => {
      Object.assign(state, structuredClone(START));
      surface();
      update();
    },
  });

  // Level lines are ellipses; their shades add up, so that lower is darker.
  function surface() {
    const { H, pixels, tick } = table();
    const [low, high] = eigenvalues(table());
    const turn = (-Math.atan2(high - H[0], H[1]) * 180) / Math.PI;
    const rings = LEVELS.map((level) => {
      const [ry, rx] = [low, high].map((value) => Math.sqrt((2 * level) / value) * pixels);
      return svg("ellipse", { class: "level", rx, ry, transform: `translate(${CENTER}) rotate(${turn})` });
    });
    const ticks = [0, 1, 2, 3].flatMap((i) => {
      const [x, y] = px([i * tick, i * tick]);
      return [[x - 5, 352], [5, y > 30 ? y + 5 : -9]].map(([x, y]) => svg("text", { x, y }, i * tick));
    });
    const names = [[396, 352, "w of bmi"], [5, 20, "w of bp"]].map(([x, y, name]) => svg("text", { class: "bold", x, y }, name));
    bowl.replaceChildren(...rings.reverse(), svg("path", { class: "line ink", d: `M${CENTER}m-6 0h12m-6 -6v12` }), ...ticks, ...names);
  }

  function update(shown = STEPS) {
    cancelAnimationFrame(timer);
    const points = descend(table(), state.from, eta());
    const losses = points.map((w) => excess(table(), w));
    const last = losses[STEPS];
    const places = points.slice(0, shown + 1).map((p) => px(p).map((v) => v.toFixed(1)));
    way.setAttribute("points", places);
    dots.setAttribute("d", places.map((p) => `M${p}h0`).join(""));
    curve.setAttribute("points", losses.slice(0, shown + 1).map((v, i) => [30 + (208 * i) / STEPS, height(v)]));
    start(...px(state.from), state.from[0], `${state.from.map((v) => say(v, 1))}; excess loss ${say(losses[0], 0)}`);
    rate(state.rate);
    box.checked = state.standardized;
    const number = last > 1e6 ? "> 10⁶" : last < 0.01 ? "< 0.01" : say(last, last < 100 ? 2 : 0);
    write(number);
    verdict.textContent = judge(table(), eta());
    panel.classList.toggle("found", verdict.textContent.startsWith("About"));
    set(plot, { "aria-label": `Excess loss, on a logarithmic scale, from ${say(losses[0], 0)} to ${number}` });
    if (shown < STEPS) timer = requestAnimationFrame(() => update(shown + 0.12));
    else settle(`Learning rate ${eta().toPrecision(2)}: excess loss ${number} after ${STEPS} steps. ${verdict.textContent}`, { ...state, eta: eta() });
  }
  surface();
  update();
  return () => cancelAnimationFrame(timer);
}

export default { render };
