// What every explorable uses: elements, the frame, movable points, sliders, buttons, a voice for screen readers.
const SVG = "http://www.w3.org/2000/svg";

export const set = (node, attributes) => {
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  return node;
};
const fill = (node, attributes, children) => {
  set(node, attributes).append(...children);
  return node;
};
export const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
export const say = (value, digits = 2) => value.toFixed(digits).replace(/^-(?=0\.?0*$)/, "").replace("-", "−");

// The question above, the drawing on one side, the panel with numbers and controls on the other.
export function frame(el, about, start, model) {
  const view = svg("svg", { viewBox: `0 0 ${about.width} ${about.height}`, role: "group", "aria-label": about.title });
  const panel = html("div", { class: "mlx-panel" });
  const voice = html("p", { class: "mlx-voice", role: "status" });
  const question = html("p", { class: "mlx-question" }, about.question);
  const below = html("div", { class: "mlx-below" });
  const body = html("div", { class: "mlx-body" }, html("div", { class: "mlx-view" }, view, below), panel);
  el.replaceChildren(html("div", { class: "mlx", "data-lm-suppress-shortcuts": "true" }, question, body, voice));
  let timer;
  // Screen readers hear the last sentence once the movement rests; Python gets the state then.
  const settle = (sentence, state) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      voice.textContent = sentence;
      model.set("state", state);
      model.save_changes();
    }, 400);
  };
  return { view, below, panel, settle, state: { ...structuredClone(start), ...model.get("state") } };
}

// A point that is dragged, or moved with the arrow keys (with Shift by five steps).
export function handle(view, { label, kind, at, nudge }) {
  const node = svg("g", { class: `mlx-handle ${kind}`, tabindex: 0, role: "slider", "aria-label": label });
  node.append(svg("circle", { r: 18, class: "hit" }), svg("circle", { r: 12, class: "ring" }), svg("circle", { r: 7 }));
  const drag = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(view.getScreenCTM().inverse());
    at(point.x, point.y);
  };
  // Without this the page scrolls under the finger, whatever touch-action says.
  node.addEventListener("touchstart", (event) => event.preventDefault());
  node.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    node.focus({ focusVisible: false });
    node.setPointerCapture(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => node.hasPointerCapture(event.pointerId) && drag(event));
  node.addEventListener("keydown", (event) => {
    const way = arrow(event);
    if (way) nudge(...way);
  });
  view.append(node);
  return (x, y, value, text) => {
    node.setAttribute("transform", `translate(${x} ${y})`);
    set(node, { "aria-valuenow": value.toFixed(2), "aria-valuetext": text });
  };
}

export function arrow(event) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (way) event.preventDefault();
  return way?.map((step) => step * (event.shiftKey ? 5 : 1));
}

export function slider(panel, label, attributes, text, change) {
  const input = html("input", { type: "range", ...attributes });
  const value = html("span", { class: "mlx-value" });
  panel.append(html("label", { class: "mlx-slider" }, html("span", {}, label), value, input));
  input.addEventListener("input", () => change(+input.value));
  return (number) => {
    input.value = number;
    value.textContent = text(number);
    input.setAttribute("aria-valuetext", value.textContent);
  };
}

export function buttons(panel, actions) {
  const nodes = Object.entries(actions).map(([label, click]) => {
    const node = html("button", { type: "button" }, label);
    node.addEventListener("click", click);
    return node;
  });
  panel.append(html("div", { class: "mlx-buttons" }, ...nodes));
  return nodes;
}

// A list of named numbers; returns what writes them.
export function numbers(panel, ...names) {
  const values = names.map(() => html("b"));
  panel.append(...names.map((name, i) => html("div", { class: "mlx-number" }, html("span", {}, name), values[i])));
  return (...texts) => texts.forEach((text, i) => (values[i].textContent = text));
}
