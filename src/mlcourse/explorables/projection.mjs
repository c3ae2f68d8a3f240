import { buttons, clamp, frame, handle, numbers, say, set, svg } from "./kit.mjs";

export const about = {
  "title": "The nearest point on a line",
  "question": "Slide the green point t·u along the line. Where is it nearest to x, and what is special about the dashed arrow there?",
  "width": 480, "height": 360, "panel": 16
};
const START = { u: [4, 2], x: [2, 3], t: 0.2 };
const [LEFT, TOP, UNIT, STEP] = [-2.5, 4.25, 60, 0.02];

export const dot = (a, b) => a[0] * b[0] + a[1] * b[1];

export function measure({ u, x, t }) {
  const rest = [x[0] - t * u[0], x[1] - t * u[1]];
  const best = dot(u, x) / dot(u, u);
  return { rest, best, distance: Math.hypot(...rest), product: dot(u, rest), found: Math.abs(t - best) < STEP / 2 };
}

const px = ([x, y]) => [(x - LEFT) * UNIT, (TOP - y) * UNIT];
const path = (...points) => "M" + points.map((p) => px(p).map((v) => v.toFixed(1)).join(" ")).join("L");
const plus = (p, q, s = 1) => [p[0] + s * q[0], p[1] + s * q[1]];

// The shaft of an arrow and its head, which ends where the movable point begins.
function arrowPaths(from, to) {
  const way = plus(to, from, -1);
  const length = Math.hypot(...way);
  if (length < 0.4) return ["", ""];
  const back = (d, side = 0) => plus(plus(to, way, -d / length), [-way[1], way[0]], side / length);
  return [path(from, back(0.25)), `${path(back(0.14), back(0.36, 0.1), back(0.36, -0.1))}Z`];
}

function render({ model, el }) {
  const { view, panel, settle, state } = frame(el, about, START, model);
  const lines = Array.from({ length: 8 }, (_, i) => path([i - 2, -2], [i - 2, 5]) + path([-3, i - 2], [6, i - 2]));
  const draw = (kind) => view.appendChild(svg("path", { class: kind }));
  draw("grid").setAttribute("d", lines.join(""));
  draw("axis").setAttribute("d", path([0, -2], [0, 5]) + path([-3, 0], [6, 0]));
  const circle = view.appendChild(svg("circle", { class: "line thin muted" }));
  const [line, corner] = ["line thin a", "line ink thin"].map(draw);
  const arrows = ["ink dashed", "a", "b"].map((kind) => [draw(`line ${kind}`), draw(`head ${kind}`)]);
  const texts = ["u", "x", "t·u"].map((text, i) => view.appendChild(svg("text", { class: "bold " + "abc"[i] }, text)));
  const write = numbers(panel, "t", "distance to x", "u · (x − t u)");
  const verdict = panel.appendChild(document.createElement("p"));

  const grid = (v, low, high) => clamp(Math.round(v * 10) / 10, low, high);
  const inside = (p) => [grid(p[0], LEFT + 0.3, 5.2), grid(p[1], -1.5, TOP - 0.3)];
  const world = (a, b) => [a / UNIT + LEFT, TOP - b / UNIT];
  const moveT = (t) => {
    const { best } = measure(state);
    const end = 4 / Math.hypot(...state.u);
    t = clamp(t, -end / 2, 1.5 * end);
    state.t = Math.abs(t - best) < STEP / 2 ? best : t;
    update();
  };
  const moveU = (p) => {
    if (Math.hypot(...inside(p)) >= 1) state.u = inside(p);
    update();
  };
  const moveX = (p) => {
    state.x = inside(p);
    update();
  };
  const handles = [
    ["x, a point", "b", moveX, () => state.x],
    ["u, the direction of the line", "a", moveU, () => state.u],
  ].map(([label, kind, move, get]) =>
    handle(view, { label, kind, at: (a, b) => move(world(a, b)), nudge: (a, b) => move(plus(get(), [a, b], 0.1)) }),
  );
  const point = handle(view, {
    label: "t, the point t u on the line",
    kind: "c",
    at: (a, b) => moveT(dot(world(a, b), state.u) / dot(state.u, state.u)),
    nudge: (a, b) => moveT(state.t + (a + b) * STEP),
  });
  buttons(panel, {
    Reset: () => {
      Object.assign(state, structuredClone(START));
      update();
    },
  });

  function update() {
    const m = measure(state);
    const foot = plus([0, 0], state.u, state.t);
    const unit = plus([0, 0], state.u, 0.22 / Math.hypot(...state.u));
    const up = plus([0, 0], m.rest, 0.22 / (m.distance || 1));
    const far = 20 / Math.hypot(...state.u);
    const shape = (node, d) => node.setAttribute("d", d);
    shape(line, path(plus([0, 0], state.u, -far), plus([0, 0], state.u, far)));
    shape(corner, m.found && m.distance > 0.3 ? path(plus(foot, unit), plus(plus(foot, unit), up), plus(foot, up)) : "");
    [[foot, state.x], [[0, 0], state.u], [[0, 0], state.x]].forEach((ends, i) => {
      arrowPaths(...ends).forEach((d, k) => shape(arrows[i][k], d));
    });
    const [cx, cy] = px(state.x);
    set(circle, { cx, cy, r: m.distance * UNIT });
    [[state.u, 8, 30], [state.x, -24, -10], [foot, 10, 30]].forEach(([p, right, down], i) => {
      const [a, b] = px(p);
      set(texts[i], { x: a + right, y: b + down });
    });
    const name = (p) => `${say(p[0], 1)}, ${say(p[1], 1)}`;
    handles[0](...px(state.x), state.x[0], name(state.x));
    handles[1](...px(state.u), state.u[0], name(state.u));
    point(...px(foot), state.t, `t ${say(state.t)}, distance ${say(m.distance)}`);
    write(say(state.t), say(m.distance), say(m.product));
    panel.classList.toggle("found", m.found);
    verdict.textContent = m.found
      ? "Nearest: the circle only touches the line, the dot product is zero, and the rest stands at a right angle on u."
      : `The dot product is ${m.product > 0 ? "positive: a larger" : "negative: a smaller"} t comes nearer.`;
    settle(`t ${say(state.t)}, distance ${say(m.distance)}, dot product ${say(m.product)}. ${verdict.textContent}`, state);
  }
  update();
}

export default { render };
