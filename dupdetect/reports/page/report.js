"use strict";
// Everything from the corpus becomes text: elements are made here, and nothing is ever parsed as markup.
(() => {
  const PAGE = 20;
  const RELATIONS = ["", "identical to it", "near duplicate of it", "contains it", "contained in it", "syndicated with it"];
  const SHARED = 1, BOILERPLATE = 2, FOLDED = 4, CHANGED = 8, HIDDEN = 16, UNSEEN = -2;

  const byId = (id) => document.getElementById(id);
  const read = (id) => { const block = byId(id); return block ? JSON.parse(block.textContent) : null; };
  const number = new Intl.NumberFormat("en").format;
  const share = (thousandths) => (thousandths < 0 ? "–" : (thousandths / 1000).toFixed(3));

  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "class") element.className = value;
      else element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }
  const isolated = (text, properties = {}) => make("bdi", properties, text);

  // ---- tables in pages ----

  function paged(place, { caption, columns, rows, row, none, at = 0 }) {
    const end = Math.floor(Math.max(0, rows.length - 1) / PAGE) * PAGE;
    let first = Math.floor(Math.max(0, at) / PAGE) * PAGE;
    const draw = (focus) => {
      if (!rows.length) { place.replaceChildren(make("p", { class: "hint" }, none)); return; }
      const body = make("tbody");
      for (const each of rows.slice(first, first + PAGE)) body.append(row(each));
      const head = make("tr", {}, ...columns.map(([name, look]) => make("th", { scope: "col", class: look }, name)));
      const table = make("table", {}, make("caption", { class: "quiet" }, caption), make("thead", {}, head), body);
      place.replaceChildren(table, ...(rows.length > PAGE ? [pager(focus)] : []));
    };
    const turn = (to, name) => { first = to; draw(name); };
    const pager = (focus) => {
      const button = (name, to) => {
        const made = make("button", { type: "button", onclick: () => turn(to, name) }, name);
        made.disabled = to < 0 || to > end || to === first;
        return made;
      };
      const [begin, back, on, last_] = [["First", 0], ["Previous", first - PAGE], ["Next", first + PAGE], ["Last", end]].map((each) => button(...each));
      const last = Math.min(first + PAGE, rows.length);
      const where = make("span", { role: "status" }, `${number(first + 1)}–${number(last)} of ${number(rows.length)}`);
      const forward = focus === "Next" || focus === "Last";
      const wanted = { First: begin, Previous: back, Next: on, Last: last_ }[focus];
      if (wanted) requestAnimationFrame(() => (wanted.disabled ? (forward ? back : on) : wanted).focus());
      const many = rows.length > 3 * PAGE;
      return make("div", { class: "pager", role: "group", "aria-label": `Pages: ${caption}` }, many ? begin : null, back, where, on, many ? last_ : null);
    };
    draw();
  }
  const cell = (name, look, ...children) => make("td", name ? { class: look, "data-name": name } : { class: look }, ...children);

  // ---- documents ----

  const documents = read("data-documents");
  const count = documents.id.length;
  const canonicals = [];
  for (let place = 0; place < count; place++) if (documents.size[place] > 1) canonicals.push(place);
  const leastMargin = (place) => (place + 1 < count && documents.of[place + 1] === place ? documents.margin[place + 1] : 9000);
  const orders = {
    largest: [...canonicals].sort((a, b) => documents.size[b] - documents.size[a] || a - b),
    doubtful: [...canonicals].sort((a, b) => leastMargin(a) - leastMargin(b) || a - b),
  };
  let chosen = -1;

  function nameOf(place) {
    const title = isolated(documents.id[place], { class: "id" });
    return make("a", { href: `#document-${place}` }, title);
  }
  function roleOf(place) {
    const size = documents.size[place], of = documents.of[place];
    if (size > 1) return [`stands for ${number(size)} documents`];
    if (of === place) return ["no copies"];
    return [`${RELATIONS[documents.relation[place]].replace(/ it$/, "")} `, nameOf(of)];
  }
  function doubt(margin) {
    if (margin >= 9000) return null;
    return make("span", { class: margin < 50 ? "badge doubt" : "badge" }, `+${(margin / 1000).toFixed(3)}`);
  }
  function documentRow(place) {
    const margin = documents.of[place] === place ? leastMargin(place) : documents.margin[place];
    const row = make("tr", place === documents.of[chosen] ? { class: "chosen" } : {});
    const begin = documents.opening[place] ? make("p", { dir: "auto" }, documents.opening[place]) : null;
    row.append(cell("", "begin", nameOf(place), begin), cell("", "role", ...roleOf(place)),
      cell("above threshold", "number", doubt(margin) ?? "–"));
    return row;
  }
  const list = (rows, caption) => paged(byId("list"), {
    caption, rows, row: documentRow, none: "None.",
    columns: [["document", ""], ["role", ""], ["least score above threshold", "number"]],
  });

  // ---- search ----

  const folded = (text) => text.normalize("NFKC").toLowerCase();
  let haystack = null;
  function search(query) {
    haystack ??= documents.id.map((id, place) => folded(`${id}\n${documents.opening[place]}`));
    const wanted = folded(query), found = [];
    for (let place = 0; place < count; place++) if (haystack[place].includes(wanted)) found.push(place);
    return found;
  }
  function show() {
    const query = byId("query").value.trim();
    const order = document.querySelector("input[name=order]:checked").value;
    if (query) {
      const found = search(query);
      byId("found").textContent = `${number(found.length)} of ${number(count)} listed documents found.`;
      list(found, "documents found");
      return;
    }
    byId("found").textContent = order === "largest" ? "Clusters of two and more documents, the largest first."
      : "Clusters of two and more documents, those first whose least score is nearest to its threshold.";
    list(orders[order], `the ${order === "largest" ? "largest" : "most doubtful"} clusters`);
  }
  let waiting = 0;
  byId("query").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 150); });
  byId("search").addEventListener("change", (event) => { if (event.target.name === "order") { byId("query").value = ""; show(); } });
  byId("search").addEventListener("submit", (event) => { event.preventDefault(); show(); });

  // ---- one cluster ----

  let within = "";
  function open(place, focus) {
    const canonical = documents.of[place], members = [];
    if (chosen < 0 || documents.of[chosen] !== canonical) within = "";
    chosen = place;
    for (let next = canonical + 1; next < count && documents.of[next] === canonical; next++) members.push(next);
    if (place === canonical) place = members.find((member) => byId(`pair-${member}`)) ?? canonical;
    byId("view").hidden = false;
    byId("view-title").replaceChildren(documents.size[canonical] > 1 ? "Cluster of " : "Document ", isolated(documents.id[canonical]));
    drawMembers(canonical, members, place);
    drawPair(canonical, place);
    if (focus) { byId("view-title").focus({ preventScroll: true }); byId("view").scrollIntoView(); }
  }
  function drawMembers(canonical, members, place) {
    const size = documents.size[canonical], area = byId("members");
    if (!members.length) { area.replaceChildren(make("p", { class: "hint" }, "This document has no copies, and stays.")); return; }
    const unlisted = size - 1 - members.length;
    const about = make("p", { class: "hint" }, `${number(size)} documents are one text; the canonical stays, the others were removed. `
      + (unlisted ? `${number(unlisted)} of them are not listed here: all are in the table clusters of the output. ` : "") + "Those whose score is nearest to its threshold stand first.");
    const table = make("div", { class: "list" });
    const input = make("input", { id: "within", type: "search", spellcheck: "false", maxlength: "200", oninput: () => { within = input.value; draw(); } });
    input.value = within;
    const field = make("div", { class: "field" }, make("label", { for: "within" }, "Search the ids in this cluster"), input);
    area.replaceChildren(about, ...(members.length > PAGE ? [field] : []), table);
    const draw = () => {
      const wanted = folded(within.trim());
      const rows = wanted ? members.filter((member) => folded(documents.id[member]).includes(wanted)) : members;
      drawCopies(table, canonical, members, rows, place);
    };
    draw();
  }
  function drawCopies(table, canonical, members, rows, place) {
    paged(table, {
      caption: "copies in this cluster", rows, at: rows.indexOf(place), none: "None of its copies.",
      columns: [["copy", ""], ["relation to the canonical", ""], ["score", "number"], ["above threshold", "number"], ["Jaccard", "number"], ["containment", "number"], [`${documents.unit} lost`, "number"], ["texts", ""]],
      row: (member) => {
        const shown = byId(`pair-${member}`);
        const button = shown ? make("button", { type: "button", "aria-pressed": String(member === place), onclick: () => compare(canonical, members, member) }, "Compare",
          make("span", { class: "quiet" }, " ", isolated(documents.id[member]))) : null;
        return make("tr", member === place ? { class: "chosen" } : {},
          cell("", "", nameOf(member)), cell("", "", RELATIONS[documents.relation[member]]),
          cell("score", "number", share(documents.score[member])), cell("above threshold", "number", doubt(documents.margin[member]) ?? "–"),
          cell("Jaccard", "number", share(documents.jaccard[member])), cell("containment", "number", share(documents.containment[member])),
          cell(`${documents.unit} lost`, "number", number(documents.lost[member])),
          cell("", "", button ?? make("span", { class: "soft" }, "not in this page")));
      },
    });
  }
  function compare(canonical, members, member) {
    for (const button of byId("members").querySelectorAll("button[aria-pressed]")) button.setAttribute("aria-pressed", "false");
    for (const row of byId("members").querySelectorAll("tr.chosen")) row.classList.remove("chosen");
    history.replaceState(null, "", `#document-${member}`);
    drawMembers(canonical, members, member);
    drawPair(canonical, member);
    byId("members").querySelector("button[aria-pressed=true]")?.focus();
  }

  // ---- two texts ----

  function drawPair(canonical, place) {
    const area = byId("pair"), pair = read(`pair-${place}`) ?? read(`pair-${canonical}`);
    if (!pair) {
      const begin = documents.opening[canonical];
      const why = place === canonical ? "This page has no room for more of this text than its beginning."
        : "This page has no room for the text of this copy: dupdetect compare --in OUT A B, with the ids of two documents, shows it beside any other.";
      area.replaceChildren(make("p", { class: "hint" }, why), begin ? textOf(canonical, [[0, -1, begin]], "stays") : "");
      return;
    }
    const [a, b, passages] = pair;
    const texts = make("div", { class: "texts" }, textOf(canonical, a, "canonical: stays"));
    if (b.length) texts.append(textOf(place, b, `${RELATIONS[documents.relation[place]]}: removed`));
    area.replaceChildren(steps(texts, passages), legend(), texts);
  }
  function legend() {
    const entry = (sample, text) => make("li", {}, sample, ` ${text}`);
    return make("ul", { class: "legend", "aria-label": "What the marks mean" },
      entry(make("mark", {}, "shared"), "stands in both"), entry(make("mark", { class: "changed" }, "changed"), "differs in it"), entry(make("span", { class: "boilerplate" }, "boilerplate"), "comes with pages and weighs next to nothing, or short lines as menus have"),
      entry(make("span", {}, "plain"), "its own"));
  }
  function steps(texts, passages) {
    if (!passages.length) return make("p", { class: "hint" }, texts.children.length > 1 ? "No passage as long as eight words is shared." : "");
    let here = -1;
    const about = make("span", { role: "status" });
    const tell = () => {
      if (here < 0) { about.textContent = `${number(passages.length)} shared passage${passages.length > 1 ? "s" : ""}`; return; }
      const [words, similarity] = passages[here];
      about.textContent = `passage ${here + 1} of ${passages.length}: ${number(words)} ${documents.counted}, similarity ${similarity.toFixed(3)}`;
    };
    const go = (next) => {
      here = (next + passages.length) % passages.length;
      for (const mark of texts.querySelectorAll("mark.here")) mark.classList.remove("here");
      for (const body of texts.querySelectorAll(".body")) {
        const marks = body.querySelectorAll(`mark[data-passage="${here}"]`);
        for (const mark of marks) mark.classList.add("here");
        if (marks[0]) body.scrollTop += marks[0].getBoundingClientRect().top - body.getBoundingClientRect().top - 40;
      }
      tell();
    };
    texts.addEventListener("click", (event) => {
      const mark = event.target.closest("mark");
      if (mark && document.getSelection().isCollapsed) go(Number(mark.dataset.passage));
    });
    tell();
    return make("div", { class: "steps", role: "group", "aria-label": "Shared passages" },
      make("button", { type: "button", onclick: () => go(here < 0 ? passages.length - 1 : here - 1) }, "Previous passage"),
      make("button", { type: "button", onclick: () => go(here + 1) }, "Next passage"), about);
  }
  function textOf(place, parts, role) {
    const body = make("div", { class: "body", dir: "auto", tabindex: "0", role: "region", "aria-label": `Text of ${documents.id[place]}` });
    for (const [marks, passage, text] of parts) {
      if (marks & FOLDED) { body.append(make("span", { class: "fold" }, `${text} more characters, for which this page has no room`)); continue; }
      const name = marks & BOILERPLATE ? "boilerplate" : marks & CHANGED ? "changed" : "";
      const part = marks & SHARED ? make("mark", { class: name, "data-passage": passage }, text)
        : name ? make("span", { class: name }, text) : document.createTextNode(text);
      body.append(marks & HIDDEN ? unfolder(text, part, passage === UNSEEN) : part);
    }
    return make("article", { class: "text" }, make("header", {}, make("h3", {}, isolated(documents.id[place])), make("p", {}, role)), body);
  }

  function unfolder(text, part, unseen) {
    const show = (event) => {
      if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      fold.replaceWith(part);
    };
    const fold = make("span", { class: "fold opens", role: "button", tabindex: "0", onclick: show, onkeydown: show }, `${number(text.length)} more characters${unseen ? ", not compared" : ""}: show`);
    return fold;
  }

  // ---- digests and rejects ----

  const digests = read("data-digests"), rejects = read("data-rejects");
  const placeOf = new Map();
  for (const [, contents] of digests.rows) for (const [id] of contents) placeOf.set(id, -1);
  for (const [id] of digests.rows) placeOf.set(id, -1);
  if (placeOf.size) documents.id.forEach((id, place) => { if (placeOf.has(id)) placeOf.set(id, place); });
  const linked = (id) => (placeOf.get(id) >= 0 ? nameOf(placeOf.get(id)) : isolated(id, { class: "id" }));
  const cut = (total, rows, what) => (total > rows.length ? `${number(rows.length)} of ${number(total)} ${what} are listed.` : "");
  paged(byId("digest-list"), {
    caption: "digests", rows: digests.rows, none: "None.", columns: [["document", ""], ["holds", ""]],
    row: ([id, contents]) => make("tr", {}, cell("", "begin", linked(id)), cell("", "begin", make("ul", { class: "holds" },
      ...contents.map(([held, containment, of]) => make("li", {}, linked(held), ` ${(100 * containment).toFixed(0)} % of it, ${(100 * of).toFixed(0)} % of this document`))))),
  });
  paged(byId("reject-list"), {
    caption: "rejects", rows: rejects.rows, none: "None: every row was used.",
    columns: [["file", ""], ["row", "number"], ["reason", ""]],
    row: ([file, row, reason]) => make("tr", {}, cell("", "", isolated(file, { class: "id" })), cell("row", "number", row === null ? "–" : number(row)), cell("", "begin", isolated(reason))),
  });
  for (const [id, text] of [["digest-list", cut(digests.total, digests.rows, "digests")], ["reject-list", cut(rejects.total, rejects.rows, "rejects")]]) {
    if (text) byId(id).before(make("p", { class: "hint" }, text));
  }

  // ---- addresses ----

  function follow(focus) {
    const found = /^#document-(\d+)$/.exec(location.hash);
    if (found && Number(found[1]) < count) open(Number(found[1]), focus);
  }
  function back(event) {
    const link = [documents.of[chosen], chosen].map((place) => byId("list").querySelector(`a[href="#document-${place}"]`)).find((found) => found);
    if (!link) return;  // the list is another by now: to its beginning
    event.preventDefault();
    history.pushState(null, "", "#clusters");
    for (const row of byId("list").querySelectorAll("tr.chosen")) row.classList.remove("chosen");
    link.closest("tr").classList.add("chosen");
    link.scrollIntoView({ block: "center" });
    link.focus({ preventScroll: true });
  }
  for (const link of document.querySelectorAll("a.back")) link.addEventListener("click", back);
  addEventListener("hashchange", () => follow(true));
  show();
  follow(false);
})();
