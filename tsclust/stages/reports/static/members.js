// The members of a card: in another order, more of them, and all laid over each other.
const membersOf = {};
{
  const MORE = 24, LONG = 40, words = byId("large").dataset, lang = document.documentElement.lang;
  const members = parsed("members"), [, ...columns] = members.columns, states = new Map();
  const asked = new Map((parsed("form")?.groups ?? []).map((one) => [`group-${one.name}`, one]));
  const counted = (text, n, of = 0) => filled(filled(text, n.toLocaleString(lang), "{n}"), of.toLocaleString(lang), "{of}");

  // ---- small curves

  const stopsOf = (card) => JSON.parse(card.querySelector(".plot").dataset.stops);
  const first = (text) => (text.length > LONG ? `${text.slice(0, LONG - 1)}…` : text);

  // Of which machine it is, and on which day it was recorded.
  function whose(all, n) {
    const { machine } = members, time = all.columns.find((column) => Array.isArray(column[n])), said = [];
    if (machine >= 0 && all.columns[machine][n] !== null) said.push(made("bdi", {}, packedCurves.cell(all.columns[machine][n])));
    if (time) said.push(made("time", {}, packedCurves.day(time[n][0].slice(0, 10))));
    return said;
  }

  function mini({ all, card }, n) {
    const { path, points } = packedCurves, stops = stopsOf(card), { own } = all, shownFirst = card.querySelector(".mini");
    const svg = drawn("svg", { viewBox: shownFirst.querySelector("svg").getAttribute("viewBox"), preserveAspectRatio: "none", "aria-hidden": "true" });
    if (!("own" in card.dataset)) svg.append(drawn("use", { href: `#n-${card.id.replace("group-", "")}` }));
    if (own[n] >= 0) svg.append(drawn("path", { class: "own", d: path(points(all, own[n], stops)) }));
    svg.append(drawn("path", { class: "line", d: path(points(all, n, stops)) }));
    const id = packedCurves.name(all, n), button = made("button", { type: "button", class: "mini", "data-series": n, "aria-label": filled(words.enlarge, id) });
    button.append(svg, made("span", {}, made("bdi", {}, first(id))));
    const said = whose(all, n);
    if (said.length) button.append(made("small", {}, ...said));
    return made("li", {}, button);
  }

  // Shows these too, if they are not there yet.
  function add(state, wanted) {
    const answered = answering.cards.find(({ element }) => element === state.card);
    for (const n of wanted) {
      if (state.shown.has(n)) continue;
      const item = mini(state, n);
      state.shown.set(n, item);
      state.list.append(item);
      if (answered) answering.adopt(answered, item.firstChild, state.all.ids[n]);
    }
    arrange(state);
  }

  // ---- their order

  function compare(one, other) {
    if (one === null || other === null) return (one === null) - (other === null);
    if (typeof one === "number" && typeof other === "number") return one - other;
    return String(one).localeCompare(String(other), lang, { numeric: true });
  }

  const ordered = ({ all, sample, by }) => by < 0 ? sample : [...sample].sort((a, b) => compare(all.columns[by][a], all.columns[by][b]));

  function arrange(state) {
    const shown = ordered(state).filter((n) => state.shown.has(n)), left = state.sample.length - shown.length;
    state.list.append(...shown.map((n) => state.shown.get(n)));
    state.more.hidden = !left;
  }

  // ---- laid over each other

  // Where the band is that of one machine, as if all were of it: those whose own usual curve is not known are left out, as they are there.
  const movedTo = ({ all, card, sample }) => ("own" in card.dataset ? all.own[sample[0]] : -1);
  const canLay = (state) => state.sample.filter((n) => movedTo(state) < 0 || state.all.own[n] >= 0);
  const laid = (state) => canLay(state).map((n) => packedCurves.points(state.all, n, stopsOf(state.card), movedTo(state)));

  // What they need above and below; of what is very far out no more than as much again.
  function room(curves, [left, top, wide, high]) {
    const found = curves.flat().map(([, y]) => y).filter(Number.isFinite);
    const low = Math.max(found.reduce((a, b) => Math.min(a, b), top), top - high), up = Math.min(found.reduce((a, b) => Math.max(a, b), top + high), top + 2 * high);
    const places = curves.flat().map(([x]) => x);  // may be too many to be arguments of a function
    const from = places.reduce((a, b) => Math.min(a, b), left), to = places.reduce((a, b) => Math.max(a, b), left + wide);
    return [from, low, to - from, up - low];
  }

  function lay(state) {
    const { card, size } = state, plot = card.querySelector(".plot"), on = state.over.getAttribute("aria-pressed") !== "true";
    state.over.setAttribute("aria-pressed", on);
    card.querySelectorAll(".overlay, .laid").forEach((one) => one.remove());
    zooming.extend(plot, null);
    if (!on) return;
    const curves = laid(state), group = drawn("g", { class: "overlay" }, ...curves.map((points) => drawn("path", { class: "line", d: packedCurves.path(points) })));
    plot.querySelector(".own").before(group);
    const box = room(curves, plot.querySelector("svg").getAttribute("viewBox").split(" ").map(Number));
    zooming.extend(plot, box);
    const said = counted(curves.length < size ? words.laid_some : words.laid_all, curves.length, size);
    card.querySelector(".chart").append(made("p", { class: "axis laid" }, made("span", {}, "own" in card.dataset ? `${said} ${words.laid_moved}` : said)));
  }

  // ---- tools

  function tools(state) {
    const { size } = state, many = canLay(state).length, heading = state.list.previousElementSibling;
    const option = (text, value) => made("option", { value }, text);
    const select = made("select", { "aria-label": words.order, autocomplete: "off" }, option(words.typical_first, -1), ...columns.map((name, i) => option(filled(words.order_by, name), i)));
    select.addEventListener("change", () => { state.by = Number(select.value); arrange(state); });
    state.over = made("button", { type: "button", "aria-pressed": "false" }, counted(many < size ? words.over_some : words.over_all, many, size));
    state.over.addEventListener("click", () => lay(state));
    state.more = made("button", { type: "button", title: counted(words.more_of, state.sample.length, size) }, words.more);
    state.more.addEventListener("click", () => add(state, ordered(state).filter((n) => !state.shown.has(n)).slice(0, MORE)));
    heading.textContent = words.members;
    state.list.after(made("div", { class: "tools" }, select, state.over, state.more));  // the way by Tab to the small curves stays as short
  }

  function equip(all, id, [size, sample]) {
    const card = byId(id), list = card?.querySelector(".desk .minis"), ids = asked.get(id)?.shown ?? [];
    if (!list) return;
    const items = [...list.children], state = { all, card, list, size, sample, by: -1, shown: new Map() };
    ids.forEach((one, i) => {
      const n = all.index.get(one);
      items[i].querySelector(".mini").dataset.series = n;
      state.shown.set(n, items[i]);
    });
    tools(state);
    arrange(state);
    states.set(card, state);
    showMarked(state);
  }

  // Once the page stands: it can be answered without.
  membersOf.ready = new Promise((done) => {
    addEventListener("load", () => setTimeout(async () => {
      const all = await packedCurves.all();
      if (all) for (const [id, members] of Object.entries(all.cards)) equip(all, id, members);
      done(all);
    }));
  });

  // The small curve of a series in a card, drawn where it was not yet.
  membersOf.mini = (card, n) => {
    add(states.get(card), [n]);
    return states.get(card).shown.get(n).querySelector(".mini");
  };

  // Members that are marked are to be seen: of answers that were kept, and of those that come in.
  function showMarked(state) {
    const card = answering.cards.find(({ element }) => element === state.card);
    const missing = [...(card?.answer.marked ?? [])].filter((id) => !card.ids.includes(id)).map((id) => state.all.index.get(id));
    if (!missing.length) return;
    add(state, missing.filter((n) => state.sample.includes(n)));
    answering.paintMarks(card);
  }
  document.addEventListener("marked", ({ target }) => { if (states.has(target)) showMarked(states.get(target)); });
}
