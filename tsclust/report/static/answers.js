// The answers: a form in every card, kept in this browser, saved to a file, and opened from one to go on.
const answering = { cards: [], current: null, large: null };  // large: the small curve that is shown large
{
  const form = parsed("form"), bar = byId("bar"), { cards } = answering;
  const KEPT = `tsclust-answers-${form?.report.id}`, LARGEST = 20_000_000;
  const started = { at: new Date().toISOString() };
  let unsaved = false;

  // ---- what is answered: one object a card, groups and rules alike

  const blank = () => ({ verdict: null, kind: "", sure: null, comment: "", marked: new Set(), at: null });
  const isBlank = ({ verdict, comment, marked }) => !verdict && !comment && !marked.size;
  const toAsk = () => cards.filter(({ asked }) => asked.rule === undefined && !asked.normal);
  const text = (value, most) => String(value ?? "").replace(/[\ud800-\udfff]/gu, "\ufffd").slice(0, most);

  function body() {
    const given = cards.filter(({ answer }) => !isBlank(answer));
    const said = ({ verdict, kind, sure, comment, at }) =>
      ({ verdict, kind: verdict === "malfunction" ? kind : "", sure, comment, answered_at: at });
    const groups = given.filter(({ asked }) => asked.members_hash).map(({ asked, answer }) => ({
      group: asked.group, within: asked.within, k: asked.k, cluster: asked.cluster, size: asked.size,
      members_hash: asked.members_hash, ...said(answer), not_members: [...answer.marked],
    }));
    const series = given.filter(({ asked }) => asked.series_id !== undefined).map(({ asked, answer }) => ({
      series_id: asked.series_id, ...said(answer),
    }));
    const objections = given.filter(({ asked }) => asked.rule !== undefined).map(({ asked, answer }) => ({
      rule: asked.rule, series_ids: [...answer.marked], comment: answer.comment,
    }));
    return {
      format: form.format, version: form.version, report: form.report, lang: document.documentElement.lang,
      labeller: text(bar.labeller.value.trim(), bar.labeller.maxLength), started_at: started.at,
      saved_at: new Date().toISOString(), groups, series, objections,
    };
  }

  // CRC-32, as zlib has it: it tells a file that was changed or cut off on its way.
  function checksum(of) {
    let crc = -1;
    for (const byte of new TextEncoder().encode(of)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
    }
    return ((crc ^ -1) >>> 0).toString(16).padStart(8, "0");
  }

  // ---- taking answers in: from this browser, or from a file, which nobody has checked

  const same = (asked, given) => given && ["members_hash", "k", "cluster", "rule", "series_id"]
    .every((name) => asked[name] === given[name]);
  const oneOf = (field, value) => [...field].some((input) => input.value === value) ? value : null;

  function takeOne(card, given) {
    const marked = (given.not_members ?? given.series_ids ?? []).filter((id) => card.asked.shown.includes(id));
    const fields = card.fields.elements;
    card.answer = {
      verdict: fields.verdict ? oneOf(fields.verdict, given.verdict) : null, kind: text(given.kind, fields.kind?.maxLength),
      sure: fields.sure ? oneOf(fields.sure, given.sure) : null, comment: text(given.comment, fields.comment.maxLength),
      marked: new Set(marked), at: given.answered_at ?? null,
    };
    paint(card);
  }

  // How many were taken; what was answered here later than there stays.
  function take({ groups, series, objections, labeller, started_at }) {
    let taken = 0;
    for (const given of [...groups, ...series, ...objections]) {
      const card = cards.find(({ asked }) => same(asked, given));
      if (!card || (card.answer.at && card.answer.at > (given.answered_at ?? card.answer.at))) continue;
      takeOne(card, given);
      taken += 1;
    }
    bar.labeller.value ||= text(labeller, bar.labeller.maxLength);
    if (taken && started_at < started.at) started.at = started_at;
    offerKinds();
    return taken;
  }

  // ---- keeping, saving, opening

  function keep() {
    try {
      localStorage.setItem(KEPT, JSON.stringify({ unsaved, ...body() }));
    } catch {
      say("cannot_keep");
    }
  }

  function restore() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT));
      if (!kept) return;
      const taken = take(kept);
      unsaved = Boolean(kept.unsaved && taken);
      if (taken) say("restored", taken);
    } catch {
      // Nothing is kept here, or it is no longer what it was: the reader begins anew.
    }
  }

  function save() {
    if (!bar.labeller.value.trim()) return ask("who");
    const all = body(), name = all.labeller.replace(/[^\p{L}\p{N}.-]+/gu, "_").slice(0, 60);
    const file = JSON.stringify({ ...all, checksum: checksum(JSON.stringify(all)) }, null, 1) + "\n";
    const href = URL.createObjectURL(new Blob([file], { type: "application/json" }));
    const download = `answers-${form.report.name}-${name}.json`;
    made("a", { href, download }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    unsaved = false;
    keep();
    say("saved", download);
  }

  async function open(file) {
    const given = file.size > LARGEST ? null : await file.text().then(JSON.parse).catch(() => null);
    if (given?.format !== form.format) return say("no_answers", file.name);
    if (given.version !== form.version) return say("other_version", file.name);
    let taken = 0;
    try {
      taken = take(given);
    } catch {
      return say("no_answers", file.name);
    }
    if (!taken && given.report?.id !== form.report.id)
      return say("other_report", file.name);
    unsaved = true;
    keep();
    say("opened", taken);
  }

  // ---- what is seen

  function say(what, value = "") {
    bar.querySelector(".said").textContent = bar.dataset[what].replace("{}", value);
  }

  function ask(what) {
    say(what);
    bar.labeller.focus();
  }

  function paint(card) {
    const { element, fields, answer, minis } = card, { verdict, sure, kind, comment } = fields.elements;
    if (verdict) {
      for (const input of verdict) input.checked = input.value === answer.verdict;
      for (const input of sure) input.checked = input.value === answer.sure;
      kind.value = answer.kind;
      answer.kind = kind.value;  // a field has its own idea of line breaks
      thumb(card);
    }
    comment.value = answer.comment;
    answer.comment = comment.value;
    element.classList.toggle("answered", Boolean(answer.verdict));
    element.querySelector(".clear").hidden = isBlank(answer);
    minis.forEach((mini, i) => {
      const out = answer.marked.has(card.asked.shown[i]);
      mini.closest("li").classList.toggle("marked", out);
      mini.nextElementSibling.setAttribute("aria-pressed", out);
    });
    progress();
  }

  function thumb({ asked, answer, fields }) {
    const place = document.querySelector(`.glance [data-group="${asked.name}"] .state`);
    const said = answer.verdict && fields.querySelector(`[value=${answer.verdict}]`).dataset.short;
    if (place) place.textContent = said ? `✓ ${answer.verdict === "malfunction" && answer.kind || said}` : "";
  }

  function progress() {
    const all = toAsk(), done = all.filter(({ answer }) => answer.verdict).length;
    const meter = bar.querySelector("progress");
    meter.value = done;
    bar.querySelector(".done").textContent = meter.dataset.text.replace("{n}", done).replace("{of}", all.length);
  }

  function offerKinds() {
    const given = cards.map(({ answer }) => answer.kind.trim()).filter(Boolean);
    const names = [...new Set([...form.kinds, ...given])].sort((a, b) => a.localeCompare(b));
    byId("kinds").replaceChildren(...names.map((value) => made("option", { value })));
  }

  // ---- answering

  function changed(card) {
    card.answer.at = new Date().toISOString();
    unsaved = true;
    bar.querySelector(".said").textContent = "";
    paint(card);
    keep();
  }

  function read(card) {
    const { verdict, sure, kind, comment } = card.fields.elements;
    Object.assign(card.answer, { comment: text(comment.value, comment.maxLength) });
    if (verdict) Object.assign(card.answer, {
      verdict: verdict.value || null, sure: sure.value || null, kind: text(kind.value, kind.maxLength),
    });
    changed(card);
  }

  function decide(card, verdict) {
    card.answer.verdict = card.answer.verdict === verdict ? null : verdict;
    changed(card);
    if (card.answer.verdict === "malfunction") card.fields.elements.kind.focus();
    else card.element.focus({ preventScroll: true });
  }

  function quick(card, { dataset: { verdict, kind } }) {
    Object.assign(card.answer, { verdict, kind });
    changed(card);
  }

  function mark(mini) {
    const card = cards.find(({ minis }) => minis.includes(mini));
    if (!card) return;
    const id = card.asked.shown[card.minis.indexOf(mini)];
    if (!card.answer.marked.delete(id)) card.answer.marked.add(id);
    changed(card);
    if (byId("large").open) showMark(mini);
  }

  // ---- a member shown large

  function showMark(mini) {
    answering.large = mini;
    const button = byId("large").querySelector(".mark"), own = mini.nextElementSibling;
    button.hidden = !own;
    if (!own) return;
    button.textContent = own.dataset.long;
    button.setAttribute("aria-pressed", own.getAttribute("aria-pressed"));
  }

  // ---- putting it together

  function add(asked, element, template) {
    const minis = [...element.querySelectorAll(".mini")];
    const card = { asked, element, minis, answer: blank() };
    element.append(byId(template).content.cloneNode(true));
    card.fields = element.querySelector("form.answer");
    card.fields.setAttribute("aria-label", element.dataset.title);
    card.fields.addEventListener("input", () => read(card));
    card.fields.addEventListener("change", offerKinds);
    card.fields.addEventListener("submit", (event) => event.preventDefault());
    card.fields.querySelector(".clear").addEventListener("click", () => { card.answer = blank(); changed(card); });
    element.querySelectorAll("[data-verdict]").forEach((button) => button.addEventListener("click", () => quick(card, button)));
    const toggle = card.fields.querySelector("template").content;
    if (!asked.shown.length) minis.length = 0;  // they are beside what is asked about, not part of it
    minis.forEach((mini) => {
      mini.after(toggle.cloneNode(true));
      const button = mini.nextElementSibling;
      button.setAttribute("aria-label", button.dataset.label.replace("{}", mini.querySelector("bdi").textContent));
      button.addEventListener("click", () => mark(mini));
    });
    element.addEventListener("focusin", () => become(card));
    element.addEventListener("pointerdown", () => become(card));
    cards.push(card);
  }

  function become(card) {
    answering.current?.element.classList.remove("current");
    answering.current = card;
    card.element.classList.add("current");
  }

  function start() {
    form.groups.forEach((asked) => add(asked, byId(`group-${asked.name}`), "answer"));
    form.rules.forEach((asked) => add(asked, byId(`rule-${asked.rule}`), "objection"));
    bar.querySelector("progress").max = toAsk().length;
    bar.hidden = false;
    document.documentElement.classList.add("answering");
    bar.addEventListener("click", ({ target }) => {
      if (target.closest("[data-save]")) save();
    });
    bar.addEventListener("submit", (event) => event.preventDefault());
    bar.labeller.addEventListener("change", keep);
    bar.saved.addEventListener("change", async () => {
      const [file] = bar.saved.files;
      if (file) await open(file);
      bar.saved.value = "";  // the same file may be opened again
    });
    const button = made("button", { type: "button", class: "mark" });
    byId("large").querySelector(".turn").before(button);
    button.addEventListener("click", () => mark(answering.large));
    byId("large").addEventListener("shown", ({ detail }) => showMark(detail));
    addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
    restore();
    offerKinds();
    progress();
  }
  Object.assign(answering, { decide, mark, save });
  if (form) start();
}
