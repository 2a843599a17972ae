// The report in the browser. Everything from the data reaches the document as text nodes
// or checked numbers; there is no innerHTML here, and none may come in.
"use strict";

const PAGE_SIZE = 50;
const BARS = 60;
const DAY = 86400000;
const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);
const stories = JSON.parse(byId("index").textContent);
const numbers = new Intl.NumberFormat("en");
const dates = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
const times = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});

// Make an element of a name, attributes and children; strings become text nodes.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// A piece of foreign text in a line of ours: it keeps its direction to itself.
const isolated = (text) => make("bdi", {}, text);

const counted = (n, one, many) => `${numbers.format(n)} ${n === 1 ? one : many}`;

function lasting(hours) {
  if (hours < 1) return `${Math.round(60 * hours)} min`;
  return hours < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} days`;
}

// ---------------------------------------------------------------- the list of stories

const fold = (text) => text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
const folded = new Array(stories.length);

function searched(i) {
  const s = stories[i];
  return (folded[i] ??= fold(`${s.t}\n${s.x}\n${s.o.join("\n")}\n${s.s}\n${s.id}`));
}

// Fold in the gaps, so that the first search finds it done.
function foldAhead(start = 0) {
  const end = Math.min(start + 200, stories.length);
  for (let i = start; i < end; i += 1) searched(i);
  if (end < stories.length) setTimeout(foldAhead, 0, end);
}

const ORDERS = {
  size: (a, b) => b.n - a.n || b.m - a.m,
  outlets: (a, b) => b.m - a.m || b.n - a.n,
  newest: (a, b) => (b.z ?? -Infinity) - (a.z ?? -Infinity) || b.n - a.n,
  oldest: (a, b) => (a.a ?? Infinity) - (b.a ?? Infinity) || b.n - a.n,
};

let found = [];
let page = 0;

function search() {
  const words = fold(byId("query").value).split(/\s+/).filter(Boolean);
  const from = byId("from").valueAsNumber;
  const until = byId("until").valueAsNumber + DAY;
  const conflicting = byId("conflicting").checked;
  const decided = byId("decided").checked;
  found = stories.filter((s, i) => {
    if (conflicting && !conflicted(s)) return false;
    if (decided && !s.d) return false;
    // A comparison with NaN is false: an empty field excludes nothing, a bound excludes
    // what has no date.
    if (!Number.isNaN(from) && !(s.z >= from && s.z !== null)) return false;
    if (!Number.isNaN(until) && !(s.a < until && s.a !== null)) return false;
    return words.every((word) => searched(i).includes(word));
  });
  found.sort(ORDERS[byId("order").value]);
  page = 0;
  byId("count").textContent = `${counted(found.length, "story", "stories")} found`;
  showTimeline();
  showPage();
}

function showPage() {
  const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
  const shown = found.slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
  byId("list").replaceChildren(...shown.map(listItem));
  byId("list").setAttribute("start", page * PAGE_SIZE + 1);
  byId("pages").hidden = pages === 1;
  byId("page").textContent = `Page ${page + 1} of ${pages}`;
  byId("previous").disabled = page === 0;
  byId("next").disabled = page === pages - 1;
}

function turn(by) {
  page += by;
  showPage();
  byId("main").focus({ preventScroll: true });
  byId("count").scrollIntoView();
}

const conflicted = (story) => story.f > 0 || Object.keys(story.q).length > 0;

function listItem(story) {
  const link = make("a", { href: `#story=${encodeURIComponent(story.id)}` }, isolated(story.t));
  const facts = make("p", {}, `${counted(story.n, "article", "articles")}, `);
  facts.append(`${counted(story.m, "outlet", "outlets")}${story.a === null ? "" : `, ${period(story)}`}`);
  if (conflicted(story)) facts.append(" ", make("span", { class: "badge warn" }, "numbers in conflict"));
  if (story.d) facts.append(" ", make("span", { class: "badge" }, "decided by people"));
  for (const [kind, values] of Object.entries(story.q)) facts.append(` ${kind}: ${values.join(" \u2192 ")}`);
  const outlets = make("p");
  story.o.slice(0, 4).forEach((outlet, i) => outlets.append(i ? " · " : "", isolated(outlet)));
  if (story.m > 4) outlets.append(` and ${story.m - 4} more`);
  return make("li", {}, link, facts, outlets, make("p", { dir: "auto" }, story.s));
}

function period(story) {
  const first = dates.format(story.a);
  const spread = (story.z - story.a) / 3600000;
  return spread ? `${first}, over ${lasting(spread)}` : first;
}

// Stories by the day, or the span of days, on which they began; a click narrows to it.
function showTimeline() {
  const starts = found.map((s) => s.a).filter((time) => time !== null);
  byId("timeline").hidden = !starts.length;
  if (!starts.length) return;
  const first = Math.floor(starts.reduce((a, b) => Math.min(a, b)) / DAY);
  const last = Math.floor(starts.reduce((a, b) => Math.max(a, b)) / DAY);
  const width = Math.ceil((last - first + 1) / BARS);
  const bars = new Array(Math.ceil((last - first + 1) / width)).fill(0);
  for (const time of starts) bars[Math.floor((Math.floor(time / DAY) - first) / width)] += 1;
  const most = Math.max(...bars);
  const unit = width === 1 ? "a day" : `in ${width} days`;
  const caption = `Stories by their first article, ${dates.format(first * DAY)} to ${dates.format(last * DAY)}: at most ${numbers.format(most)} ${unit}`;
  byId("timeline-caption").textContent = caption;
  const plot = draw("svg", { viewBox: `0 0 ${bars.length * 10} 60`, preserveAspectRatio: "none", "aria-hidden": "true" });
  bars.forEach((count, i) => {
    const height = (56 * count) / most;
    const begin = first + i * width;
    const bar = draw("rect", { x: i * 10 + 1, y: 60 - height, width: 8, height });
    bar.append(draw("title", {}, `${dates.format(begin * DAY)}: ${counted(count, "story", "stories")}`));
    bar.addEventListener("click", () => narrow(begin, begin + width - 1));
    plot.append(bar);
  });
  byId("timeline-plot").replaceChildren(plot);
}

function narrow(first, last) {
  byId("from").valueAsNumber = first * DAY;
  byId("until").valueAsNumber = last * DAY;
  search();
}

// -------------------------------------------------------------------------- one story

async function unpack(number) {
  const bytes = Uint8Array.from(atob(byId(`chunk-${number}`).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

// The details follow this script; all of them are there once the page is read.
const complete = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve);
  else resolve();
});

async function openStory(id) {
  const entry = stories.find((s) => s.id === id);
  if (!entry) {
    byId("story-heading").textContent = "There is no such story in this report";
    for (const part of ["story-facts", "story-timeline", "decisions", "quantities", "reports", "more", "findings", "left", "right"]) {
      byId(part).replaceChildren();
    }
    return;
  }
  await complete;
  const story = (await unpack(entry.c))[entry.p];
  const facts = `${counted(entry.n, "article", "articles")}, ${counted(entry.m, "outlet", "outlets")}`;
  byId("story-heading").replaceChildren(isolated(entry.t));
  byId("story-facts").textContent =
    entry.a === null
      ? `${facts}, no dates`
      : `${facts}. First seen ${times.format(entry.a)}, last seen ${times.format(entry.z)}.`;
  byId("story-timeline").replaceChildren(...storyTimeline(story));
  byId("decisions").replaceChildren(...decisionList(story, entry.d));
  byId("quantities").replaceChildren(...quantityTable(story.quantities));
  byId("reports").replaceChildren(...story.articles.map((_, i) => reportItem(story, i)));
  byId("more").textContent = story.more ? `${counted(story.more, "more article is", "more articles are")} not shown.` : "";
  compare(story, story.articles.findIndex((article) => article.compared));
}

function storyTimeline(story) {
  const dated = story.articles.filter((article) => article.hours !== null);
  const longest = dated.reduce((most, article) => Math.max(most, article.hours), 0);
  if (!longest) return [];
  // Places in per cent: the dots stay round whatever the width.
  const place = (hours) => `${1 + (98 * hours) / longest}%`;
  const line = draw("line", { x1: "1%", x2: "99%", y1: 10, y2: 10 });
  const plot = draw("svg", { "aria-hidden": "true" }, line);
  for (const article of dated) {
    const kind = article === story.articles[story.canonical] ? "canonical" : "copy";
    const dot = draw("circle", { cx: place(article.hours), cy: 10, r: 7, class: kind });
    dot.append(draw("title", {}, `${article.source || "no outlet"}, ${times.format(article.published)}`));
    plot.append(dot);
  }
  const ends = make("p", {}, make("span", {}, "first"), make("span", {}, `last, ${lasting(longest)} later`));
  return [plot, ends];
}

// What people decided about the articles, whatever the evidence says.
function decisionList(story, all) {
  if (!all) return [];
  const list = make("ul", { class: "findings" }, ...story.decisions.map((d) => make("li", {}, ...decision(d))));
  const parts = [make("h3", {}, "Decided by people"), list];
  const more = all - story.decisions.length;
  if (more) parts.push(make("p", { class: "note" }, `${counted(more, "more correction is", "more corrections are")} not shown.`));
  return parts;
}

function decision({ a, b, same, who, when, why, followed }) {
  const said = [isolated(a), " and ", isolated(b), same ? " are one story" : " are not one story"];
  const origin = [who, when].filter(Boolean).flatMap((text, i) => (i ? [", ", isolated(text)] : [isolated(text)]));
  if (origin.length) said.push(" (", ...origin, ")");
  if (why) said.push(": ", isolated(why));
  if (followed === false) said.push(" ", make("span", { class: "badge warn" }, "not followed here"));
  if (followed === null) said.push(" ", make("span", { class: "badge" }, "one of them is not in this report"));
  return said;
}

// What the articles count, by kind and in order of time.
function quantityTable(quantities) {
  if (!quantities.length) return [];
  const heads = ["Kind", "Number", "When", "Outlet", "Sentence"];
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const rows = quantities.map((q) =>
    make(
      "tr",
      {},
      make("td", {}, q.kind),
      make("td", {}, q.value),
      make("td", {}, q.published === null ? "no date" : times.format(q.published)),
      make("td", {}, isolated(q.source || q.id)),
      make("td", { dir: "auto" }, q.sentence),
    ),
  );
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  const region = { class: "scroll", role: "region", "aria-labelledby": "quantities-heading", tabindex: "0" };
  return [make("h3", { id: "quantities-heading" }, "People counted, over time"), make("div", region, table)];
}

function reportItem(story, i) {
  const article = story.articles[i];
  const when = article.published === null ? "no date" : times.format(article.published);
  const later = article.hours ? `, ${lasting(article.hours)} after the first` : "";
  const button = make(
    "button",
    { type: "button", "aria-pressed": "false", "data-report": i },
    make("span", { class: "when" }, when + later),
    make("span", { class: "headline" }, isolated(article.title || "No headline")),
    make("span", {}, isolated(article.source || "No outlet")),
  );
  const badges = make("span");
  if (i === story.canonical) badges.append(make("span", { class: "badge" }, "canonical"), " ");
  if (story.decisions.some(({ a, b }) => a === article.id || b === article.id)) {
    badges.append(make("span", { class: "badge" }, "in a correction"), " ");
  }
  if (article.relation) badges.append(make("span", { class: "badge" }, article.relation), " ");
  if (article.compared?.conflicts.length) badges.append(make("span", { class: "badge warn" }, "numbers in conflict"));
  if (badges.childNodes.length) button.append(badges);
  const origin = story.articles[article.from];
  if (origin) {
    const source = isolated(origin.source || origin.id);
    button.append(make("span", { class: "when" }, "likely from ", source, `: has ${percent(article.shared)} of its text`));
  }
  button.addEventListener("click", () => {
    compare(story, i);
    byId("compare-heading").focus();
  });
  return make("li", {}, button);
}

const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

// ------------------------------------------------------------------------ side by side

function compare(story, chosen) {
  for (const button of byId("reports").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.report) === chosen));
  }
  const first = story.articles[story.canonical];
  const second = story.articles[chosen];
  const comparison = second?.compared;
  byId("right").hidden = !comparison;
  byId("findings").replaceChildren(...(comparison ? findings(first, second, story.decisions) : []));
  showText("left", first, "canonical", comparison, 0);
  if (comparison) showText("right", second, second.relation ?? "", comparison, 2);
}

function findings(first, second, decisions) {
  const { passages, conflicts, negations, inFirst, inSecond } = second.compared;
  const words = passages.reduce((sum, passage) => sum + passage.words, 0);
  const list = make("ul", { class: "findings" });
  const shared = make("li", {}, `${counted(passages.length, "shared passage", "shared passages")}, ${counted(words, "word", "words")}. `);
  passages.slice(0, 12).forEach((_, i) => shared.append(jump(`passage-${i}-right`, String(i + 1), `Go to passage ${i + 1}`), " "));
  list.append(shared);
  if (inSecond >= 0.9) list.append(make("li", {}, `The chosen article holds the canonical one: ${percent(inSecond)} of it.`));
  if (inFirst >= 0.9) list.append(make("li", {}, `The canonical article holds the chosen one: ${percent(inFirst)} of it.`));
  const ends = [first.id, second.id];
  for (const d of decisions.filter(({ a, b }) => ends.includes(a) && ends.includes(b))) {
    list.append(make("li", {}, make("strong", {}, "Decided by people: "), ...decision(d)));
  }
  conflicts.forEach(([a, b, c, d], i) => {
    const item = make("li", {}, make("strong", {}, "Numbers in conflict: "), isolated(first.text.slice(a, b)), " / ");
    item.append(isolated(second.text.slice(c, d)), " ", jump(`conflict-${i}-right`, "show", "Show the conflicting number"));
    list.append(item);
  });
  negations.forEach((_, i) => {
    list.append(make("li", {}, make("strong", {}, "One says no: "), jump(`negation-${i}-right`, "show", "Show the sentence")));
  });
  return [list];
}

function jump(target, text, label) {
  const button = make("button", { type: "button", "aria-label": label }, text);
  button.addEventListener("click", () => {
    for (const lit of document.querySelectorAll(".lit")) lit.classList.remove("lit");
    for (const side of ["left", "right"]) {
      byId(target.replace("right", side))?.classList.add("lit");
    }
    byId(target)?.scrollIntoView({ block: "center" });
    byId(target)?.focus({ preventScroll: true });
  });
  return button;
}

// Show one text with its marks; `at` is where its offsets stand in those of a pair.
function showText(side, article, kind, comparison, at) {
  const heading = make("h4", { id: `${side}-heading` }, isolated(article.title || "No headline"));
  const facts = make("p", { class: "facts-line" }, isolated(article.source || "No outlet"));
  if (article.published !== null) facts.append(`, ${times.format(article.published)}`);
  if (kind) facts.append(" ", make("span", { class: "badge" }, kind));
  if (article.similarity !== null) facts.append(` similarity ${article.similarity.toFixed(2)}`);
  const body = make("div", { class: "body", dir: "auto" });
  if (article.lang) body.setAttribute("lang", article.lang);
  body.append(...marked(article.text, comparison, at, side));
  byId(side).replaceChildren(heading, facts, body);
  if (!article.text) body.append("The text is not in the data of this report.");
  if (article.cut) byId(side).append(make("p", { class: "note" }, `Cut here: ${numbers.format(article.cut)} more characters.`));
}

// Cut a text at the ends of all its marks, and wrap each piece in the marks it lies in.
function marked(text, comparison, at, side) {
  if (!comparison) return [text];
  const spans = { passage: [], verbatim: [], conflict: [], negation: [] };
  comparison.passages.forEach((passage) => {
    const parts = passage.parts.length ? passage.parts : [passage.at];
    spans.passage.push([passage.at[at], passage.at[at + 1]]);
    parts.forEach((part) => spans.verbatim.push([part[at], part[at + 1]]));
  });
  comparison.conflicts.forEach((pair) => spans.conflict.push([pair[at], pair[at + 1]]));
  comparison.negations.forEach((pair) => spans.negation.push([pair[at], pair[at + 1]]));
  const bounds = new Set([0, text.length]);
  for (const kind of Object.values(spans)) kind.flat().forEach((bound) => bounds.add(bound));
  const cuts = [...bounds].sort((a, b) => a - b);
  const within = (kind, low) => spans[kind].findIndex(([start, end]) => start <= low && low < end);
  const nodes = [];
  let passage = -1;
  cuts.slice(0, -1).forEach((low, i) => {
    let piece = text.slice(low, cuts[i + 1]);
    const inside = within("passage", low);
    if (inside >= 0 && within("verbatim", low) < 0) piece = make("span", { class: "changed" }, piece);
    for (const [kind, tag] of [["negation", "span"], ["conflict", "strong"]]) {
      const number = within(kind, low);
      if (number < 0) continue;
      piece = make(tag, { class: kind, tabindex: "-1" }, piece);
      if (spans[kind][number][0] === low) piece.id = `${kind}-${number}-${side}`;
    }
    if (inside < 0) nodes.push(piece);
    else if (inside === passage) nodes.at(-1).append(piece);
    else nodes.push(make("mark", { class: "passage", id: `passage-${inside}-${side}`, tabindex: "-1" }, piece));
    passage = inside;
  });
  return nodes;
}

// ------------------------------------------------------------------------------- views

async function route() {
  const hash = location.hash.slice(1);
  // The link that skips to the content leaves the view as it is.
  if (hash === "main") return;
  const view = hash.startsWith("story=") ? "story" : hash === "audit" ? "audit" : "stories";
  if (view === "story") await openStory(decodeURIComponent(hash.slice("story=".length)));
  for (const name of ["stories", "story", "audit"]) byId(name).hidden = name !== view;
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view !== "stories") {
    byId(`${view}-heading`).focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

for (const id of ["query", "order", "from", "until", "conflicting", "decided"]) byId(id).addEventListener("input", search);
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("previous").addEventListener("click", () => turn(-1));
byId("next").addEventListener("click", () => turn(1));
addEventListener("hashchange", route);
search();
route();
setTimeout(foldAhead, 0);
