// The page that scores: what was pasted or chosen -> an answer for each recording, with its curve and in words.
{
  const SHOWN = 200, LARGEST = 200e6, SLICE = 40;  // rows of the table; bytes of a file; milliseconds between two looks at the page
  let model, words, texts, bands, file = null, results = [], chosen = "", run = 0;
  const page = () => texts.page, filledWith = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const errorBox = byId("error"), state = byId("state"), keys = [...document.querySelectorAll("[data-column]")];
  const shown = (text, longest = 60) => [...text].length > longest ? `${[...text].slice(0, longest).join("")}…` : text;

  // ---- the model, as it came with the page

  async function open() {
    const [about, arrays, kernels] = await Promise.all([unpacked("about-data"), unpackedBytes("arrays-data"), unpackedBytes("kernels-data")]);
    const told = JSON.parse(about), array = scoring.arraysIn(arrays, told.arrays);
    ({ texts } = told);
    words = new Wording(told.words);
    model = new scoring.Model(told.model, array, await scoring.Kernels.of(kernels));
    bands = bandsOf(told.model.bands, array("band_places"), array("bands"));
    keys.forEach(offer);
    byId("score").disabled = byId("example").disabled = false;
    state.textContent = "";
  }

  // Row of the centers -> where nine of ten normal series lie: at (t,), low, middle and high in the recorder's unit.
  function bandsOf(heads, places, packedEdges) {
    const found = new Map();
    let at = 0;  // of the places: there are three edges at each
    for (const [row, many, low, size] of heads) {
      const edge = (n) => Float64Array.from(packedEdges.subarray(3 * at + n * many, 3 * at + (n + 1) * many), (step) => low + step * size);
      found.set(row, { at: places.slice(at, at + many), low: edge(0), middle: edge(1), high: edge(2) });
      at += many;
    }
    return found;
  }

  // The values that a column of the key has.
  function offer(input) {
    const values = new Set([model.normalFor, model.typicalFor].flatMap(({ columns, keys: all, between }) => {
      const at = columns.indexOf(input.dataset.column);
      return at < 0 ? [] : all.slice(1).map((key) => key.split(between)[at]);
    }));
    byId(input.getAttribute("list")).append(...[...values].sort(new Intl.Collator(undefined, { numeric: true }).compare).map((value) => made("option", { value })));
  }

  // ---- what was asked

  function typed() {
    return Object.fromEntries(keys.map((input) => [input.dataset.column, input.value.trim()]));
  }

  async function text() {
    if (!file) return byId("text").value;
    if (file.size > LARGEST) throw new reading.InputError("too_large", { size: words.number(file.size / 1e6), most: words.number(LARGEST / 1e6) });
    const bytes = await file.arrayBuffer();
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw new reading.InputError("no_text");
    }
  }

  const columnsAsked = () => Object.keys(texts.columns);

  async function score() {
    const mine = ++run;
    errorBox.textContent = "";
    byId("found").hidden = true;  // what stands there is of another text
    try {
      const { series, ignored, missing = columnsAsked(), numbered = true } = reading.read(await text(), columnsAsked());
      if (mine !== run) return;
      await all(series, mine);
      if (mine !== run) return;
      chosen = "";
      show(ignored, missing, numbered);
    } catch (error) {
      if (mine === run) fail(error);
    } finally {
      if (mine === run) state.textContent = "";
    }
  }

  async function all(series, mine) {
    const given = typed();
    results = [];
    let last = performance.now();
    for (const one of series) {
      results.push(scored(one, given));
      if (performance.now() - last > SLICE) {
        state.textContent = filledWith(page().working, { n: words.fixed(results.length, 0), of: words.fixed(series.length, 0) });
        await new Promise((done) => setTimeout(done));
        if (mine !== run) return;
        last = performance.now();
      }
    }
  }

  function scored({ id, values, carried }, given) {
    const named = Object.entries({ ...given, ...carried }).map(([name, value]) => [name, reading.canonical(value, model.types[name] ?? "")]);
    const known = Object.fromEntries(named);
    return { id, values, carried: known, ...model.score(values, known) };
  }

  function fail(error) {
    if (!(error instanceof reading.InputError)) {
      errorBox.textContent = filledWith(page().errors.unforeseen, { error: String(error).slice(0, 200) });
      throw error;
    }
    errorBox.textContent = filledWith(page().errors[error.key], error.words);
  }

  // ---- what is said

  const called = (kind) => texts.kinds[kind] ?? kind;
  const saidOf = ({ said }) => texts.said[said] ?? called(said);
  const unusualOf = (one) => one.rejected ? [] : words.sentences(model.features, one.x, ...["centers", "spreads"].map(
    (part) => model.normalFor[part].subarray(one.normal * model.d, (one.normal + 1) * model.d)), one.z);
  const percent = (share) => words.share(share);

  function show(ignored, missing, numbered) {
    byId("found").hidden = false;
    byId("many").hidden = results.length < 2;
    const blank = missing.filter((name) => !typed()[name]).map((name) => texts.columns[name]);
    byId("notes").textContent = [
      filledWith(page().scored, { recordings: words.counted(results.length, "recording") }),
      numbered && results.length > 1 ? page().numbered : "",
      ignored.length ? filledWith(page().ignored, { columns: shown(ignored.join(", "), 200) }) : "",
      blank.length ? filledWith(page().blank, { columns: blank.join(", ") }) : "",
    ].filter(Boolean).join(" ");
    filters();
    table();
    tell(results[0]);
    byId("found-head").focus();
  }

  function filters() {
    const counts = new Map();
    for (const one of results) counts.set(one.said, (counts.get(one.said) ?? 0) + 1);
    const choice = (value, name, many, checked) => made("label", {}, made("input", { type: "radio", name: "said", value, ...(checked ? { checked: "" } : {}) }),
      made("span", {}, made("bdi", {}, name), ` ${words.fixed(many, 0)}`));
    const sorted = [...counts].sort(([, a], [, b]) => b - a);
    byId("said").replaceChildren(byId("said").firstElementChild, choice("", page().all, results.length, true), ...sorted.map(([said, many]) => choice(said, saidOf({ said }), many)));
  }

  function table() {
    const wanted = results.filter(({ said }) => !chosen || said === chosen);
    document.querySelector("#many tbody").replaceChildren(...wanted.slice(0, SHOWN).map(row));
    byId("rest").textContent = wanted.length > SHOWN ? filledWith(page().rest, { n: words.fixed(wanted.length - SHOWN, 0) }) : "";
  }

  function row(one) {
    const button = made("button", { type: "button", class: "plain" }, made("bdi", {}, shown(one.id)));
    button.addEventListener("click", () => {
      tell(one, button.closest("tr"));
      byId("one").scrollIntoView({ block: "nearest" });
    });
    const cell = (text) => made("td", {}, text);
    const why = one.rejected ? texts.reasons[one.rejected.name] : unusualOf(one).join("; ") || (one.said === "normal" ? "" : page().nothing);
    return made("tr", {}, made("th", { scope: "row" }, button), made("td", {}, made("bdi", {}, saidOf(one))), cell(one.rejected ? "–" : percent(one.probability)), cell(why));
  }

  // One recording: the answer, why, the curve.
  function tell(one, line = document.querySelector("#many tbody tr")) {
    document.querySelectorAll("#many [aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    line?.setAttribute("aria-current", "true");
    const title = made("header", { class: "verdict" }, made("strong", {}, made("bdi", {}, saidOf(one))), made("span", { class: "size" }, made("bdi", {}, filledWith(page().of, { id: shown(one.id) }))));
    const facts = unusualOf(one), list = made("ul", { class: "words" }, ...facts.map((text) => made("li", {}, made("span", {}, text))));
    const drawn = made("div", {}, charted(one), legend(one)), beside = made("div", {}, ...(facts.length ? [made("h3", {}, page().unusual), list] : []), ...chances(one));
    byId("one").replaceChildren(title, made("p", {}, why(one, facts)), made("div", { class: "desk" }, drawn, beside));
  }

  function why(one, facts) {
    if (one.rejected) return `${texts.reasons[one.rejected.name]}.`;
    const words_ = { kind: called(one.kind), probability: percent(one.probability), threshold: percent(model.threshold), far: words.number(one.novelty) };
    const how = one.said === "none of these" ? "strange" : one.said === "don't know" ? "unsure" : "sure";
    return [filledWith(page().why[how], words_), facts.length ? "" : page().nothing, one.known ? "" : filledWith(page().stranger, { key: keyOf(one) })].filter(Boolean).join(" ");
  }

  const keyOf = (one) => shown(model.normalFor.columns.map((name) => `${texts.columns[name]} ${one.carried[name] || "–"}`).join(", "), 100);

  function charted(one) {
    const axis = words.seconds ? page().x_seconds : page().x_samples, label = filledWith(page().curve, { id: shown(one.id) });
    return charting.chart(one.values, one.start, bandOf(one), { wording: words, label, axis, quantity: texts.quantity });
  }

  const bandOf = ({ normal }) => bands.get(normal) ?? bands.get(0) ?? null;

  function legend(one) {
    const item = (name, d, text) => made("li", {}, drawn("svg", { viewBox: "0 0 30 14", "aria-hidden": "true" }, drawn("path", { class: name, d })), text);
    const rest = bandOf(one) ? [item("normal", "M0 1h30v12H0z", whatIsNormal(one)), item("own", "M1 7h28", page().middle)] : [];
    return made("ul", { class: "legend" }, item("typical", "M1 7h28", page().this_one), ...rest);
  }

  // Of its own baseline or regime, where the page has its band.
  function whatIsNormal(one) {
    const kind = one.normal === 0 ? "all" : model.normalFor.columns.length ? "own" : "regime", has = bands.has(one.normal);
    return filledWith(page()[`normal_${kind}${has || kind === "all" ? "" : "_absent"}`], { key: keyOf(one) });
  }

  // The likeliest kinds.
  function chances({ shares, rejected }) {
    if (rejected) return [];
    const sorted = [...shares].map((share, at) => [share, called(model.kinds[at])]).sort(([a], [b]) => b - a).slice(0, 3).filter(([share], at) => at === 0 || share >= 0.005);
    const items = sorted.map(([share, kind]) => made("li", {}, made("bdi", {}, kind), made("span", {}, percent(share)), made("meter", { value: share.toFixed(4), "aria-label": kind })));
    return [made("h3", {}, page().chances), made("ul", { class: "chances" }, ...items)];
  }

  // ---- all answers as a file, with the columns of scores/

  // What a spreadsheet would take for a formula gets a sign before it, as in tsclust labels export.
  function cell(value) {
    const text = value === null || value === undefined ? "" : String(value), safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function save() {
    const head = ["series_id", "said", "kind", "probability", "novelty", "rejected_by", "model", "unusual"];
    const rows = results.map((one) => [one.id, one.said, one.kind, one.probability, one.novelty, one.rejected?.name, model.id, one.said === "normal" ? "" : unusualOf(one).join("; ")]);
    const href = URL.createObjectURL(new Blob(["\ufeff", [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n"), "\r\n"], { type: "text/csv" }));
    made("a", { href, download: "scores.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  }

  // ---- what is done with the page

  function choose(given) {
    file = given ?? null;
    byId("file-name").hidden = !file;
    byId("file-name").firstElementChild.textContent = file ? shown(file.name) : "";
    byId("text").disabled = Boolean(file);
    if (!file) byId("file").value = "";
    if (file && model) score();
  }

  // The normal curve of all series, as if it had been recorded.
  function example() {
    const band = bands.get(0);
    choose(null);
    byId("text").value = band ? [...band.middle].map((value) => Number(value.toPrecision(6))).join("\n") : [...Array(60).keys()].map((i) => (i < 8 || i > 50 ? 0 : i < 12 ? 3 : 1)).join("\n");
    score();
  }

  byId("ask").addEventListener("submit", (event) => { event.preventDefault(); score(); });
  byId("file").addEventListener("change", ({ target }) => choose(target.files[0]));
  byId("forget").addEventListener("click", () => { choose(null); byId("text").focus(); });
  byId("example").addEventListener("click", example);
  byId("save").addEventListener("click", save);
  byId("said").addEventListener("change", ({ target }) => { chosen = target.value; table(); });
  const drop = document.querySelector(".drop");
  for (const kind of ["dragenter", "dragover"]) document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.remove("over"); });
  document.addEventListener("drop", ({ dataTransfer }) => { if (dataTransfer.files.length) choose(dataTransfer.files[0]); });
  open().catch((error) => { state.textContent = ""; errorBox.textContent = `${errorBox.dataset.failed} (${String(error).slice(0, 200)})`; });
}
