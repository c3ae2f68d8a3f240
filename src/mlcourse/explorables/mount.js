// Brings the explorables of a page to life, each when the reader comes near it.
(() => {
  class Model {
    constructor(values) { this.values = values; }
    get(key) { return this.values[key]; }
    set(key, value) { this.values[key] = value; }
    save_changes() {}
    on() {}
    off() {}
  }

  let style;
  const loadStyle = (address) =>
    (style ??= new Promise((resolve, reject) => {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address });
      link.onload = resolve;
      link.onerror = () => reject(new Error(`${address} is missing`));
      document.head.append(link);
    }));

  async function mount(stage) {
    const { module, style, data } = stage.dataset;
    try {
      const address = (name) => new URL(name, document.baseURI).href;
      const [loaded, values] = await Promise.all([
        import(address(module)),
        data ? fetch(address(data)).then((answer) => answer.json()) : {},
        loadStyle(address(style)),
      ]);
      loaded.default.render({ model: new Model({ state: {}, data: values }), el: stage });
      stage.dataset.state = "ready";
    } catch {
      stage.dataset.state = "failed";
      stage.parentNode.querySelector("details").open = true;
    }
  }

  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      mount(target);
    }
  }, { rootMargin: "300px" });
  const watch = () => document.querySelectorAll(".explorable-stage").forEach((stage) => near.observe(stage));
  if (document.readyState === "complete") watch();
  else addEventListener("load", watch);
})();
