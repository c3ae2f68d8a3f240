// Paper is white: while a page is printed it has the light theme. The theme's colors of code know no other way.
(() => {
  const root = document.documentElement.dataset;
  let shown;
  matchMedia("print").addEventListener("change", ({ matches }) => {
    if (matches) shown = root.theme;
    if (shown) root.theme = matches ? "light" : shown;
  });
})();
