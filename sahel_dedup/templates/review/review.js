"use strict";
// Texts are untrusted: they reach the page as text nodes only.
const at = { kind: "pair", number: 0 };
const find = (id) => document.getElementById(id);
const sizes = { pair: 0, story: 0 };

function make(tag, text, name) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

function head(place, article) {
  const origin = [article.source, article.published, article.id].filter(Boolean).join(" · ");
  place.replaceChildren(make("h2", article.title || article.id), make("p", origin, "origin"));
}

function showArticle(id, article) {
  head(find(id), article);
  const text = make("div", "", "text");
  text.dir = "auto";
  // What only one of the two says is marked.
  for (const [piece, shared] of article.pieces) text.append(make(shared ? "span" : "mark", piece));
  find(id).append(text);
}

async function show() {
  const found = await ask(`look/${at.kind}?number=${at.number}`);
  find("pair").hidden = at.kind !== "pair";
  find("story").hidden = at.kind !== "story";
  find("pairs").setAttribute("aria-pressed", String(at.kind === "pair"));
  find("stories").setAttribute("aria-pressed", String(at.kind === "story"));
  if (at.kind === "pair") {
    showArticle("a", found.a);
    showArticle("b", found.b);
    find("facts").replaceChildren(...found.facts.map((fact) => make("li", fact)));
    for (const button of document.querySelectorAll("[data-said]")) {
      button.setAttribute("aria-pressed", String(button.dataset.said === found.answer));
    }
  } else {
    find("articles").replaceChildren(...found.articles.map((article, number) => {
      const item = make("li", "");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.value = article.id;
      box.checked = article.apart;
      const body = make("article", "");
      head(body, article);
      // What a screen reader says of the box is the title, not the whole text.
      body.firstChild.id = `title-${number}`;
      box.setAttribute("aria-labelledby", body.firstChild.id);
      if (article.apart) body.append(make("p", "You put this into another story.", "apart"));
      const text = make("div", article.text, "text");
      text.dir = "auto";
      body.append(text);
      const label = make("label", "");
      label.append(box, body);
      item.append(label);
      return item;
    }));
  }
  const what = at.kind === "pair" ? "Pair" : "Story";
  find("heading").textContent = `${what} ${at.number + 1} of ${sizes[at.kind]}`;
  find("status").textContent = `${found.answered} answers are in the file.`;
  // The first box, so that Space and Tab select at once.
  if (at.kind === "story") document.querySelector("#articles input").focus();
  else document.activeElement.blur();
  window.scrollTo(0, 0);
}

function move(by) {
  at.number = Math.min(Math.max(at.number + by, 0), Math.max(sizes[at.kind] - 1, 0));
  return show();
}

async function answer(said) {
  if (at.kind !== "pair") return;
  await ask("change/answer", { number: at.number, said });
  await move(1);
}

async function undo() {
  const found = await ask("change/undo", {});
  // A story of two articles may be a pair too: the kind that is shown comes first.
  for (const kind of at.kind === "pair" ? ["pair", "story"] : ["story", "pair"]) {
    if (found[kind] !== null) {
      Object.assign(at, { kind, number: found[kind] });
      break;
    }
  }
  await show();
}

async function split() {
  if (at.kind !== "story") return;
  const ids = [...document.querySelectorAll("#articles input:checked")].map((box) => box.value);
  await ask("change/split", { number: at.number, ids });
  await move(1);
}

function turn(kind) {
  if (!sizes[kind]) return undefined;
  Object.assign(at, { kind, number: 0 });
  return show();
}

// One thing at a time: a key held down answers no pair that nobody has seen.
let busy = false;
function run(act) {
  return async (event) => {
    if (busy || (event && event.repeat)) return;
    busy = true;
    try {
      await act();
    } catch (error) {
      find("status").textContent = `Not done: ${error.message}`;
    } finally {
      busy = false;
    }
  };
}

const keys = {
  s: run(() => answer("same")), d: run(() => answer("different")), u: run(() => answer("unsure")),
  z: run(undo), n: run(() => move(1)), p: run(() => move(-1)), x: run(split),
};
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key]) keys[event.key](event);
});
for (const button of document.querySelectorAll("[data-said]")) {
  button.addEventListener("click", run(() => answer(button.dataset.said)));
}
find("undo").addEventListener("click", keys.z);
find("next").addEventListener("click", keys.n);
find("previous").addEventListener("click", keys.p);
find("split").addEventListener("click", keys.x);
find("pairs").addEventListener("click", run(() => turn("pair")));
find("stories").addEventListener("click", run(() => turn("story")));

run(async () => {
  const found = await ask("look/start");
  Object.assign(sizes, { pair: found.pairs, story: found.stories });
  at.kind = found.pairs ? "pair" : "story";
  at.number = found.pairs ? found.number : 0;
  if (found.pairs || found.stories) await show();
  else find("status").textContent = "There is nothing to review.";
})();
