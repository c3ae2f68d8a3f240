// Part of every page: the search itself is loaded when a search field is used.
{
  const module = new URL("search.mjs", document.currentScript.src);
  module.search = new URL(document.currentScript.src).search;
  addEventListener("focusin", ({ target }) => {
    if (target.matches("form.bd-search input")) import(module).then(({ attach }) => attach(target.form));
  });
}
addEventListener("DOMContentLoaded", () => {
  const field = document.querySelector(".search-article form.bd-search input");
  if (!field) return;
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  field.focus();
});
