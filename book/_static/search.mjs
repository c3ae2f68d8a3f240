// The search: Pagefind's index below a field, shown in our own way. Loaded when a search field gets the focus.
const site = new URL("../", import.meta.url);
const PAGES = 8;
const PARTS = 3;
const RANKING = { pageLength: 0.1, termSaturation: 1.8, termSimilarity: 3, metaWeights: { title: 5, keywords: 3, name: 0 } }; // a chapter is long because it treats much, not because it rambles

let engine;
let words;

async function load() {
  engine ??= import(new URL("pagefind/pagefind.js", site)).then(async (pagefind) => {
    await pagefind.options({ baseUrl: site.pathname, excerptLength: 24, ranking: RANKING });
    await pagefind.init();
    return pagefind;
  });
  words ??= fetch(new URL("pagefind/words.txt", site)).then((answer) => answer.text()).then((text) => text.split(" "));
  return Promise.all([engine, words]);
}

// How many letters must be changed, added, dropped or swapped with their neighbor to get from a to b; over `limit` it does not matter how many.
export function distance(a, b, limit) {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] !== b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    if (Math.min(...row) > limit) return limit + 1;
    [before, last] = [last, row];
  }
  return last[b.length];
}

// The query with each word that the course does not know replaced by the most frequent of the nearest that it does, or left out.
export function correct(query, known) {
  return query.replace(/[a-z][a-z0-9_]{3,}/gi, (typed) => {
    const word = typed.toLowerCase();
    if (known.some((other) => other.startsWith(word))) return typed;
    const limit = word.length < 6 ? 1 : 2;
    let best = known.some((other) => word.startsWith(other)) ? typed : ""; // Pagefind knows endings
    let least = limit + 1;
    for (const other of known) {
      const steps = distance(word, other, Math.min(limit, least - 1));
      if (steps < least) [best, least] = [other, steps];
    }
    return best;
  });
}

export async function find(query) {
  const [pagefind, known] = await load();
  const corrected = correct(query, known).replace(/\s+/g, " ").trim();
  if (!/\w/.test(corrected)) return { query: corrected, count: 0, pages: [] };
  const { results } = await pagefind.search(corrected.replace(/(?<=\w[.([])(?=\w)/g, " ")); // the index is cut there too
  return { query: corrected, count: results.length, pages: await Promise.all(results.slice(0, PAGES).map((r) => r.data())) };
}

function link(href, title, className) {
  const a = document.createElement("a");
  Object.assign(a, { href, textContent: title, className });
  return a;
}

function item(page) {
  const li = document.createElement("li");
  const title = page.meta.name ?? page.meta.title;
  li.append(link(page.url, title, "search-page"));
  const parts = page.sub_results.filter((part) => part.url.includes("#") && part.title !== title).slice(0, PARTS);
  for (const part of parts.length ? parts : page.sub_results.slice(0, 1)) {
    const box = document.createElement("div");
    if (parts.length) box.append(link(part.url, part.title, "search-part"));
    const excerpt = document.createElement("p");
    excerpt.innerHTML = part.excerpt; // Pagefind's own: escaped text with <mark>
    box.append(excerpt);
    li.append(box);
  }
  return li;
}

function show(answer, form, { query, count, pages }, typed) {
  const status = answer.querySelector(".search-status");
  const found = count === 1 ? "1 page" : `${count} pages`;
  const instead = query.toLowerCase() === typed.toLowerCase() ? "" : ` for “${query}”`;
  status.textContent = count ? `${found}${instead}` : `Nothing was found for “${typed}”.`;
  answer.querySelector(".search-results").replaceChildren(...pages.map(item));
}

// Arrow keys go through the results; up from the first leads back to the field.
function walk(event, form, answer) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const stops = [form.elements.q, ...answer.querySelectorAll("a")];
  const next = stops[stops.indexOf(document.activeElement) + step];
  if (step && next) {
    event.preventDefault();
    next.focus();
  }
}

export function attach(form) {
  if (form.dataset.search) return;
  form.dataset.search = "on";
  const field = form.elements.q;
  const answer = form.nextElementSibling;
  const status = answer.querySelector(".search-status");
  let latest = 0;

  async function run() {
    const typed = field.value.trim();
    const mine = ++latest;
    if (!typed) {
      status.textContent = "";
      answer.querySelector(".search-results").replaceChildren();
      return;
    }
    try {
      const found = await find(typed);
      if (mine === latest) show(answer, form, found, typed);
    } catch (error) {
      status.textContent = location.protocol === "file:" ? "The search needs a server: run “make serve” and open its address." : `The search failed: ${error.message}`;
    }
  }

  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(run, 120);
  });
  for (const box of [form, answer]) box.addEventListener("keydown", (event) => walk(event, form, answer));
  if (answer.closest(".search-article")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      history.replaceState(null, "", `?q=${encodeURIComponent(field.value)}`);
      run();
    });
  }
  load().catch(() => {});
  run();
}
