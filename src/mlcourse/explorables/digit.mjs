import { arrow, buttons, clamp, frame, html, say, set, svg } from "./kit.mjs";

export const about = {
  "title": "Draw a digit",
  "question": "Draw a digit in the square. Can you draw one that you can read and the network can’t?",
  "width": 480, "height": 300, "panel": 19
};
const SIDE = 300;

// Weights are bytes, with one scale for each layer: 4 kB for 3,818 of them.
export function unpack({ layers }) {
  return layers.map(({ weights, scale, bias }) => {
    const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
    return { weights: Float32Array.from(new Int8Array(bytes.buffer), (w) => w * scale), bias };
  });
}

// Each output channel looks at the 3 × 3 neighborhood of every pixel, in all input channels.
function convolve(x, { weights, bias }) {
  const [channels, outputs] = [x.length / 64, bias.length];
  const y = new Float32Array(64 * outputs);
  for (let o = 0; o < outputs; o++)
    for (let r = 0; r < 8; r++)
      for (let c = 0; c < 8; c++) {
        let sum = bias[o];
        for (let i = 0; i < channels; i++)
          for (let p = Math.max(0, 1 - r); p < Math.min(3, 9 - r); p++)
            for (let q = Math.max(0, 1 - c); q < Math.min(3, 9 - c); q++)
              sum += weights[((o * channels + i) * 3 + p) * 3 + q] * x[i * 64 + (r + p - 1) * 8 + c + q - 1];
        y[o * 64 + r * 8 + c] = Math.max(0, sum);
      }
  return y;
}

const pool = (x) =>
  Float32Array.from({ length: x.length / 4 }, (_, i) => {
    const at = (i >> 4) * 64 + ((i >> 2) & 3) * 16 + (i & 3) * 2;
    return Math.max(x[at], x[at + 1], x[at + 8], x[at + 9]);
  });

// The ten scores of an image of 64 values from 0 (paper) to 1 (ink).
export function scores(layers, x) {
  const [first, second, { weights, bias }] = layers;
  const h = pool(convolve(convolve(x, first), second));
  return bias.map((b, k) => h.reduce((sum, v, i) => sum + v * weights[k * h.length + i], b));
}

export function softmax(z) {
  const e = z.map((v) => Math.exp(v - Math.max(...z)));
  return e.map((v) => v / e.reduce((a, b) => a + b));
}

// Strokes as the data were made: the digit fills the height of 8 pixels, each the share of 4 × 4 points with ink.
export function rasterize(strokes) {
  const all = strokes.flat();
  const [x, y] = [0, 1].map((k) => {
    const values = all.map((p) => p[k]);
    return { low: Math.min(...values), span: Math.max(...values) - Math.min(...values) };
  });
  const sy = 6.6 / Math.max(y.span, x.span / 2, 1);
  const sx = Math.min(sy, 5.8 / Math.max(x.span, 1));
  const place = ([a, b]) => [4 + (a - x.low - x.span / 2) * sx, 4 + (b - y.low - y.span / 2) * sy];
  const segments = strokes.flatMap((s) => s.map((p, i) => [place(s[Math.max(i - 1, 0)]), place(p)]));
  const length = segments.reduce((sum, [p, q]) => sum + Math.hypot(q[0] - p[0], q[1] - p[1]), 0);
  // The data have about as much ink in a 1 as in an 8.
  const radius = clamp(19 / length, 1, 2.1) / 2;
  const near = (a, b) =>
    segments.some(([[px, py], [qx, qy]]) => {
      const [dx, dy] = [qx - px, qy - py];
      const t = clamp(((a - px) * dx + (b - py) * dy) / (dx * dx + dy * dy || 1), 0, 1);
      return Math.hypot(px + t * dx - a, py + t * dy - b) < radius;
    });
  return Float32Array.from({ length: 64 }, (_, i) => {
    let ink = 0;
    for (let k = 0; k < 16; k++) ink += near((i & 7) + ((k & 3) + 0.5) / 4, (i >> 3) + ((k >> 2) + 0.5) / 4);
    return ink / 16;
  });
}

function render({ model, el }) {
  const { view, panel, settle } = frame(el, about, {}, model);
  const { examples, ...data } = model.get("data");
  const layers = unpack(data);
  let [strokes, pen, down, shown] = [[], [SIDE / 2, 40], false, 0];

  const area = svg("g", { tabindex: 0, role: "application", class: "mlx-area", "aria-roledescription": "drawing area" });
  set(area, { "aria-label": "Drawing area. The arrow keys move the pen; the space bar puts it down or lifts it." });
  const ink = svg("path", { class: "stroke" });
  const tip = svg("circle", { class: "tip", r: 7 });
  const hint = svg("text", { class: "muted", x: SIDE / 2, y: SIDE / 2, "text-anchor": "middle" }, "draw here");
  area.append(svg("rect", { class: "sheet", x: 1, y: 1, width: SIDE - 2, height: SIDE - 2, rx: 8 }), hint, ink, tip);
  const pixels = Array.from({ length: 64 }, (_, i) =>
    svg("rect", { class: "pixel", x: 320 + 20 * (i & 7), y: 1 + 20 * (i >> 3), width: 19, height: 19 }),
  );
  view.append(area, ...pixels, svg("text", { class: "muted", x: 320, y: 184 }, "what the"));
  view.append(svg("text", { class: "muted", x: 320, y: 204 }, "network sees"));
  const guess = view.appendChild(svg("text", { class: "bold guess", x: 400, y: 298, "text-anchor": "middle" }));
  const verdict = panel.appendChild(html("p"));
  const bars = Array.from({ length: 10 }, () => [html("i"), html("span")]);
  panel.append(html("ol", { class: "mlx-bars", start: 0 }, ...bars.map((b, k) => html("li", {}, html("b", {}, k), ...b))));
  buttons(panel, {
    "A test digit": () => {
      const { label, image } = examples[shown++ % examples.length];
      strokes = [];
      update(Float32Array.from(image, (c) => parseInt(c, 17) / 16), ` Its writer meant ${label}.`);
    },
    Reset: () => {
      [strokes, down, pen] = [[], false, [SIDE / 2, 40]];
      update(null);
    },
  });

  const extend = (to) => {
    pen = to.map((v) => clamp(v, 8, SIDE - 8));
    if (down) strokes.at(-1).push(pen);
    update(strokes.length ? rasterize(strokes) : null);
  };
  const put = () => {
    down = true;
    strokes.push([]);
    extend(pen);
  };
  const where = (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(view.getScreenCTM().inverse());
    return [x, y];
  };
  area.addEventListener("touchstart", (event) => event.preventDefault());
  area.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    area.focus({ focusVisible: false });
    area.setPointerCapture(event.pointerId);
    pen = where(event);
    put();
  });
  area.addEventListener("pointermove", (event) => {
    if (!area.hasPointerCapture(event.pointerId)) return;
    const to = where(event);
    if (Math.hypot(to[0] - pen[0], to[1] - pen[1]) > 3) extend(to);
  });
  area.addEventListener("lostpointercapture", () => (down = false));
  area.addEventListener("keydown", (event) => {
    const way = arrow(event);
    if (way) extend([pen[0] + 12 * way[0], pen[1] - 12 * way[1]]);
    if (event.key !== " ") return;
    event.preventDefault();
    if (down) down = false;
    else put();
    tip.classList.toggle("down", down);
  });

  function update(x, remark = "") {
    ink.setAttribute("d", strokes.map((s) => `M${s.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}h0`).join(""));
    set(tip, { cx: pen[0], cy: pen[1] });
    tip.classList.toggle("down", down);
    hint.textContent = strokes.length ? "" : "draw here";
    pixels.forEach((node, i) => node.setAttribute("fill-opacity", x?.[i] ?? 0));
    const p = x ? softmax(scores(layers, x)) : null;
    const best = p?.indexOf(Math.max(...p));
    bars.forEach(([bar, number], k) => {
      bar.style.setProperty("--share", p?.[k] ?? 0);
      number.textContent = p ? `${say(100 * p[k], 0)}\u00a0%` : "";
      bar.parentNode.className = k === best ? "best" : "";
    });
    guess.textContent = best ?? "";
    verdict.textContent = p
      ? `The network says ${best}, with ${say(100 * p[best], 0)}\u00a0%.${remark}`
      : "Nothing is drawn yet.";
    settle(verdict.textContent, { pixels: Array.from(x ?? []), probabilities: p ?? [] });
  }
  update(null);
}

export default { render };
