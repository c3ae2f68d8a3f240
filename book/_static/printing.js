// Paper is white: while a page is printed it has the light theme. The theme's colors of code know no other way.
(() => {
  const root = document.documentElement.dataset;
  let shown;
  matchMedia("print").addEventListener("change", ({ matches }) => {
    if (matches) shown ??= root.theme;
    if (shown) root.theme = matches ? "light" : shown;
    if (!matches) shown = undefined;
  });

  // A browser asks for a font when it first draws with it. Formulas that nobody has scrolled to would be printed with gaps.
  const fetchFonts = () => {
    const kinds = new Map();
    for (const part of document.querySelectorAll(".katex-html [class]")) kinds.set(part.className, part);
    for (const part of kinds.values()) {
      const { fontStyle, fontWeight, fontFamily } = getComputedStyle(part);
      document.fonts.load(`${fontStyle} ${fontWeight} 1em ${fontFamily}`);
    }
  };
  const idle = window.requestIdleCallback ?? setTimeout;
  addEventListener("load", () => setTimeout(() => idle(fetchFonts), 1000));
})();
