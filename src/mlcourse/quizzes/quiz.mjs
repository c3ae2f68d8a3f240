// A question that can be answered, in the form of anywidget: the same file runs on the site and in notebooks. It takes over the HTML
// that works without it, from the page or from the model: options, each folded over its feedback. In a pre-test there is none: the
// answer is kept, and the quiz compares. The model's `entry` is what the reader has answered, in the form of the site's store.
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  node.append(...children);
  return node;
};
const letter = (i) => "ABCDEFGH"[i];

function compare({ before, answer }) {
  if (!before) return [];
  const same = before.answer === answer;
  return [make("p", { class: "compare" }, same ? "The same answer as before the chapter." : `Before the chapter you chose ${letter(before.answer)}.`)];
}

function render({ model, el }) {
  if (model.get("html")) el.innerHTML = model.get("html");
  el.classList.add("quiz");
  el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes the arrow keys
  const before = model.get("before");
  const question = el.querySelector(".question");
  const list = el.querySelector(".options");
  const options = [...list.children].map((item) => ({
    right: item.classList.contains("right"),
    feedback: [...item.querySelectorAll("details > p")],
    button: make("button", { type: "button", role: "radio", class: item.className }, item.querySelector("span")),
  }));
  const buttons = options.map(({ button }) => button);
  const name = question ? { "aria-labelledby": question.id } : { "aria-label": "Options" };
  list.replaceWith(make("div", { class: "options", role: "radiogroup", ...name }, ...buttons));
  const status = el.querySelector("[role=status]") ?? el.appendChild(make("div", { role: "status" }));

  const reach = (at) => buttons.forEach((button) => (button.tabIndex = button === at ? 0 : -1));
  const closed = (entry) => before && Boolean(entry.first);

  function pick(i) {
    const entry = model.get("entry") ?? {};
    if (closed(entry)) return;
    const answer = { answer: i, right: options[i].right, at: new Date().toISOString() };
    model.set("entry", before ? { ...entry, before: answer, at: answer.at } : { ...entry, ...answer, first: entry.first ?? answer });
    model.save_changes();
  }

  function show() {
    const entry = model.get("entry") ?? {};
    const kept = (before ? entry.before : entry) ?? {};
    const picked = options[kept.answer]?.right === kept.right ? kept.answer : undefined; // not if the options have changed since
    const at = buttons.findIndex((button) => button.tabIndex === 0 && button.matches(":focus"));
    reach(buttons[at >= 0 ? at : (picked ?? 0)]);
    buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", i === picked);
      button.setAttribute("aria-disabled", closed(entry));
      if (picked === undefined) delete button.dataset.tried;
      else if (i === picked && !before) button.dataset.tried = "";
    });
    if (before) {
      status.textContent = closed(entry) ? "Answered in the quiz at the end." : picked === undefined ? "" : "Kept. The quiz at the end compares.";
    } else {
      const feedback = picked === undefined ? [] : [...options[picked].feedback.map((p) => p.cloneNode(true)), ...compare(entry)];
      status.className = picked === undefined ? "" : `verdict ${options[picked].right ? "right" : "wrong"}`;
      status.replaceChildren(...feedback);
    }
  }

  buttons.forEach((button, i) => button.addEventListener("click", () => pick(i)));
  // The arrow keys move and do not choose: the first answer counts.
  el.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const i = buttons.indexOf(event.target);
    if (!step || i < 0) return;
    event.preventDefault();
    const next = buttons.at((i + step) % buttons.length);
    reach(next);
    next.focus();
  });
  model.on("change:entry", show);
  show();
  return () => model.off("change:entry", show);
}

export default { render };
