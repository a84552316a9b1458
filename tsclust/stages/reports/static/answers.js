// The answers: a form in every card, kept in this browser, saved to a file, and opened from one to go on.
const answering = { cards: [], current: null, large: null };  // large: the small curve that is shown large
{
  const form = parsed("form"), bar = byId("bar"), { cards } = answering;
  const keyOf = (id) => `tsclust-answers-${id}`, KEPT = keyOf(form?.report.id), PLACE = `${KEPT}-place`, LARGEST = 20_000_000;
  const SYMBOLS = { malfunction: "▲", bad_recording: "✕", dont_know: "?", mixed: "≠" };
  const now = () => new Date().toISOString();
  const hasParts = Boolean(form?.groups.some(({ part }) => part));  // an index: their cards are in other files
  let canKeep = false, within = false;  // on the way to another file of the same report
  const times = { started: now(), changed: "", saved: "" };  // of the first answer, of the last, and of the last file
  const unsaved = () => times.changed > times.saved;
  // Now, but after `before`: a clock may be set back, and what is said last counts.
  const after = (before) => new Date(Math.max(Date.now(), Date.parse(before ?? "") + 1 || 0)).toISOString();

  // ---- what is answered: one object a card, groups and rules alike

  // `by`: who said it, where it comes from a file; null: whoever answers here.
  // `follows`: a row that took over what its card says, and changes with it until it is answered itself.
  const blank = () =>
    ({ verdict: null, kind: "", sure: null, comment: "", marked: new Set(), at: null, by: null, follows: false });
  const isBlank = ({ verdict, comment, marked }) => !verdict && !comment && !marked.size;
  const answered = () => cards.filter(({ answer }) => !isBlank(answer));
  const unnamed = () => cards.filter(({ answer }) => answer.verdict === "malfunction" && !answer.kind.trim());
  const name = () => bar.labeller.value.trim();
  const isOther = (labeller) => Boolean(name() && labeller) && labeller.trim().toLowerCase() !== name().toLowerCase();
  // Ways to decide between labellers: the file of one with such a name is not imported.
  const isReserved = () => bar.labeller.dataset.reserved.split(" ").includes(name().replace(/\p{Cf}/gu, "").toLowerCase());
  // Now: those that are offered later count once they are unfolded.
  const isFolded = ({ element }) => Boolean(element.closest("details.later:not([open])"));
  const toAsk = () => cards.filter((card) => {
    const { rule, normal, family, faint, later, part } = card.asked;
    return rule === undefined && !normal && !family && !faint && !(later && !card.answer.verdict && (part || isFolded(card)));
  });
  const text = (value, most) => String(value ?? "").slice(0, most).replace(/[\0\ud800-\udfff]/gu, "\ufffd");

  // ---- taking answers in: from this browser, another tab of it, or a file. What was answered here later stays

  const oneOf = (field, value) => [...field].some((input) => input.value === value) ? value : null;

  // Of a group also members that are drawn on demand.
  const mayMark = ({ asked }, id) => asked.shown.includes(id) || Boolean(asked.part) || (Boolean(asked.members_hash) && Boolean(byId("curves")?.textContent));

  // What is somebody else's never stands in the place of what was answered here.
  function takeOne(card, { verdict, kind, sure, comment, marked, at, by, follows }) {
    if (card.answer.at > at || (isOther(by) && !isOther(card.answer.by) && !isBlank(card.answer))) return 0;
    const fields = card.fields.elements;
    card.answer = {
      verdict: fields.verdict ? oneOf(fields.verdict, verdict) : null, kind: text(kind, fields.kind?.maxLength),
      sure: fields.sure ? oneOf(fields.sure, sure) : null, comment: text(comment, fields.comment.maxLength),
      marked: new Set(marked.filter((id) => mayMark(card, id))), at,
      by: by ? text(by, bar.labeller.maxLength) : null, follows: Boolean(follows && card.asked.family),
    };
    forget(card);
    paint(card);
    return 1;
  }

  function take(given, labeller, started) {
    const taken = given.reduce((sum, [card, answer]) => sum + takeOne(card, answer), 0);
    if (!name()) bar.labeller.value = text(labeller, bar.labeller.maxLength);
    if (taken && started < times.started) times.started = started;
    offerKinds();
    return taken;
  }

  // ---- keeping in this browser, which may show the report in several tabs

  // With answers that were erased: another tab must not bring them back.
  function keep() {
    merge();
    const given = cards.filter(({ answer }) => answer.at);
    const all = given.map(({ id, answer }) => ({ id, ...answer, marked: [...answer.marked] }));
    try {
      localStorage.setItem(KEPT, JSON.stringify({ times, labeller: bar.labeller.value, cards: all }));
      canKeep = true;
    } catch {
      canKeep = false;
      say("cannot_keep");
    }
  }

  // What is kept and newer than what is here; how many answers that were. `own`: by this page, else by one beside it.
  function mergeOne(text, own) {
    try {
      const kept = JSON.parse(text);
      if (!kept) return 0;
      const all = kept.cards.map((one) => [cards.find(({ id }) => id === one.id), one]);
      const taken = take(all.filter(([card, one]) => card && one.at > (card.answer.at ?? "")), kept.labeller, kept.times.started);
      if (own) for (const name of ["changed", "saved"]) if (kept.times[name] > times[name]) times[name] = kept.times[name];
      if (!own) beside(kept.times, taken);
      return taken;
    } catch {
      return 0;  // nothing is kept here, or it is no longer what it was: the reader begins anew
    }
  }

  // The index saves what its parts ask as well; of what it has saved a part need not warn.
  function beside({ saved }, taken) {
    if (hasParts && taken) times.changed = after(times.saved);
    if (!hasParts && saved > times.changed) times.saved = after(times.changed);
  }

  function merge(given = null) {
    const read = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
    const taken = mergeOne(given ?? read(KEPT), true);
    return form.beside?.reduce((sum, id) => sum + mergeOne(read(keyOf(id)), false), taken) ?? taken;
  }

  // By another tab: a name that was corrected there is not put back from here.
  function heard(kept) {
    merge(kept);
    const there = JSON.parse(kept);
    if (document.activeElement !== bar.labeller) bar.labeller.value = there?.labeller || bar.labeller.value;
    // It may have written without knowing yet what was answered here: that is kept once more.
    const known = new Map(there?.cards?.map(({ id, at }) => [id, at]));
    if (there && cards.some(({ id, answer: { at } }) => at > (known.get(id) ?? ""))) keep();
  }

  function warn(event) {
    if (!unsaved() || (within && canKeep)) return;
    event.preventDefault();
    event.returnValue = true;  // what Chromium heeded before 119
  }

  // To where the reader was; and where nothing can be kept, the reader is warned before the first answer.
  function back() {
    try {
      const place = localStorage.getItem(PLACE);
      localStorage.setItem(PLACE, place ?? "");
      if (!place) localStorage.removeItem(PLACE);
      const card = cards.find(({ id }) => id === place);
      if (!card || location.hash || !answered().length) return;
      openAround(card.element);
      card.element.scrollIntoView();
      card.element.focus({ preventScroll: true });
      become(card);  // also where the window has no focus yet
    } catch {
      say("cannot_keep");
    }
  }

  function restore() {
    merge();
    if (answered().length) say("restored", answered().length);
    back();
  }

  // ---- saving to a file

  function save() {
    if (!name() || isReserved()) return ask(name() ? "reserved" : "who", name());
    merge();
    const labeller = text(name(), bar.labeller.maxLength), saved_at = now(), given = answered();
    const file = answersFile.written(given, { labeller, started_at: times.started, saved_at });
    const href = URL.createObjectURL(new Blob([file], { type: "application/json" }));
    const download = `answers-${form.report.name}-${labeller.replace(/[^\p{L}\p{N}.-]+/gu, "_").slice(0, 60)}.json`;
    made("a", { href, download }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    times.saved = after(times.changed);
    keep();
    say("saved", download);
    sayUnnamed();
  }

  // ---- opening a file, of which all is checked before anything is taken

  async function open(file) {
    const given = file.size > LARGEST ? null : await file.text().then(JSON.parse).catch(() => null);
    const all = await packedCurves.all(), wrong = answersFile.whatIsWrong(given, cards, all);
    if (wrong) return say(wrong, file.name) ?? null;
    merge();
    const { started, answers } = answersFile.answersIn(given, cards), ours = answers.filter(answersFile.isOurs(given, all));
    const taken = take(ours, given.labeller, started), inFile = new Set(ours.map(([card]) => card));
    inFile.forEach(passOn);
    const same = ours.every(([card, { at }]) => card.answer.at === at) && answered().every((card) => inFile.has(card));
    if (same) times.saved = after(times.changed);
    else if (taken) times.changed = after(times.saved);
    keep();
    return taken;
  }

  // One after the other, as far as they are whole.
  async function openAll(files) {
    let sum = 0;
    for (const file of files) {
      const taken = await open(file);
      if (taken === null) return;
      sum += taken;
    }
    say("opened", sum);
  }

  // ---- what is seen

  function say(what, value = "") {
    bar.querySelector(".said").textContent = filled(bar.dataset[what], value);
  }

  // After what was said: malfunctions without a name, with a way to the first of them.
  function sayUnnamed() {
    const [first, ...more] = unnamed();
    if (!first) return;
    const jump = made("a", { href: `${first.asked.part ?? ""}#${first.id}` }, filled(bar.dataset.unnamed, more.length + 1));
    jump.addEventListener("click", () => {
      openAround(first.element);
      setTimeout(() => first.fields.elements.kind.focus());
    });
    bar.querySelector(".said").append(" ", jump);
  }

  function ask(what, value) {
    document.querySelector("dialog[open]")?.close();
    say(what, value);
    bar.labeller.focus();
  }

  function paint(card) {
    const { element, fields, answer } = card, { verdict, sure, kind, comment } = fields.elements;
    if (verdict) {
      for (const input of verdict) input.checked = input.value === answer.verdict;
      for (const input of sure) input.checked = input.value === answer.sure;
      kind.value = answer.kind;
      answer.kind = kind.value;  // a field has its own idea of line breaks
      thumb(card);
    }
    comment.value = answer.comment;
    answer.comment = comment.value;
    card.was = copied(answer);
    element.classList.toggle("answered", Boolean(answer.verdict));
    fields.querySelector(".clear").hidden = isBlank(answer);
    element.dispatchEvent(new CustomEvent("marked", { bubbles: true }));
    paintMarks(card);
    progress();
  }

  function paintMarks({ answer, minis, ids }) {
    minis.forEach((mini, i) => {
      const out = answer.marked.has(ids[i]);
      mini.closest("li").classList.toggle("marked", out);
      mini.nextElementSibling.setAttribute("aria-pressed", out);
    });
  }

  function thumb({ asked, answer, fields }) {
    const said = answer.verdict && fields.querySelector(`[value=${answer.verdict}]`).dataset.short;
    const text = said ? `${SYMBOLS[answer.verdict] ?? "✓"} ${answer.verdict === "malfunction" && answer.kind || said}` : "";
    for (const place of document.querySelectorAll(`[data-group="${asked.name}"]`)) {
      place.querySelector(".state").textContent = text;
      if (answer.verdict) place.dataset.verdict = answer.verdict;
      else delete place.dataset.verdict;
    }
  }

  function progress() {
    const all = toAsk(), done = all.filter(({ answer }) => answer.verdict).length;
    const meter = bar.querySelector("progress");
    meter.max = Math.max(all.length, 1);
    meter.value = done;
    bar.querySelector(".done").textContent = filled(filled(meter.dataset.text, done, "{n}"), all.length, "{of}");
  }

  function offerKinds() {
    const given = cards.map(({ answer }) => answer.kind.trim()).filter(Boolean);
    const names = [...new Set([...form.kinds, ...given])].sort((a, b) => a.localeCompare(b));
    byId("kinds").replaceChildren(...names.map((value) => made("option", { value })));
  }

  // ---- answering

  const before = [];  // steps of [card, its answer until then], the last one at the end
  let typing = null;  // the field that the last step was typed in: what is typed on there is the same step
  const copied = (answer) => ({ ...answer, marked: new Set(answer.marked) });
  const said = ({ verdict, kind, sure }) => ({ verdict, kind, sure });
  const saysAlike = (one, other) => JSON.stringify(said(one)) === JSON.stringify(said(other));

  // Of a card whose answer came from elsewhere nothing that was here before comes back.
  function forget(card) {
    before.splice(0, before.length, ...before.map((step) => step.filter(([one]) => one !== card)).filter((step) => step.length));
    typing = null;
  }

  // The last answer as it was before, and whose it was; of several groups that were answered at once all.
  function undo() {
    const step = before.pop() ?? [], [first] = step;
    typing = null;
    for (const [card, answer] of step) {
      card.answer = copied(answer);
      settle(card);
    }
    if (step.length > 1) return byId("glance").scrollIntoView();
    if (!first) return;
    openAround(first[0].element.parentElement);
    first[0].element.scrollIntoView();
    first[0].element.focus({ preventScroll: true });
  }

  // `field`: where it was typed.
  function changed(card, { field = null, follows = card.answer.follows && saysAlike(card.answer, card.was) } = {}) {
    if (!field || field !== typing) before.push([[card, card.was]]);
    typing = field;
    Object.assign(card.answer, { by: null, follows });
    settle(card);
  }

  function settle(card) {
    card.answer.at = after(card.was.at);
    times.changed = after(times.saved);
    bar.querySelector(".said").textContent = "";
    paint(card);
    passOn(card);
    keep();
  }

  // To the rows that took over what was answered here. Several kinds are not taken over.
  function passOn(card) {
    const says = said(card.answer.verdict === "mixed" ? blank() : card.answer);
    for (const row of cards) {
      if (!row.answer.follows || familyOf(row) !== card || saysAlike(row.answer, says)) continue;
      Object.assign(row.answer, says, { at: after(row.answer.at), by: card.answer.by });
      paint(row);
    }
  }

  function read(card, field) {
    const { verdict, sure, kind, comment } = card.fields.elements;
    Object.assign(card.answer, { comment: text(comment.value, comment.maxLength) });
    if (verdict) Object.assign(card.answer, {
      verdict: verdict.value || null, sure: sure.value || null, kind: text(kind.value, kind.maxLength),
    });
    changed(card, { field: field.matches("[type=radio]") ? null : field });
  }

  function decide(card, verdict) {
    card.answer.verdict = card.answer.verdict === verdict ? null : verdict;
    changed(card);
    if (card.answer.verdict !== "malfunction") return card.element.focus({ preventScroll: true });
    openAround(card.element);  // of a row the field is folded away
    card.fields.elements.kind.focus();
  }

  const familyOf = ({ asked }) => cards.find((card) => asked.family && card.asked.name === asked.family);

  // A row under a card takes over what is answered there, now and later.
  function same(card) {
    const { answer } = familyOf(card);
    if (!answer.verdict) return say("family_first", card.asked.family);
    if (answer.verdict === "mixed") return say("family_mixed", card.asked.family);
    Object.assign(card.answer, said(answer));
    changed(card, { follows: true });
  }

  function quick(card, { dataset: { verdict, kind } }) {
    Object.assign(card.answer, { verdict, kind });
    changed(card);
  }

  // Several groups are one: each gets this answer, as if it had been given there.
  function together(chosen, answer) {
    before.push(chosen.map((card) => [card, card.was]));
    typing = null;
    for (const card of chosen) {
      Object.assign(card.answer, answer, { by: null, follows: false });
      settle(card);
    }
    offerKinds();
    if (chosen.length > 1) say("together", chosen.length);
  }

  function mark(mini) {
    const card = cards.find(({ minis }) => minis.includes(mini));
    if (!card) return;
    const id = card.ids[card.minis.indexOf(mini)];
    if (!card.answer.marked.delete(id)) card.answer.marked.add(id);
    changed(card);
    if (byId("large").open) showMark(mini);
  }

  // All answers to this report, in every tab.
  function erase() {
    merge();
    const given = answered();
    if (!given.length || !confirm(filled(bar.dataset.erase, given.length))) return;
    for (const card of given) {
      card.answer = { ...blank(), at: after(card.answer.at) };
      paint(card);
    }
    before.length = 0;
    times.started = now();
    times.changed = times.saved = after(times.saved);
    offerKinds();
    keep();
    say("erased");
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
    const card = { id: element.id, asked, element, minis: [], ids: [], answer: blank(), was: blank() };
    const place = element.querySelector(".ask");  // beside the curve
    (place ?? element).insertBefore(byId(template).content.cloneNode(true), place?.firstChild ?? null);
    card.fields = element.querySelector("form.answer");
    card.fields.setAttribute("aria-label", element.dataset.title);
    card.fields.addEventListener("input", ({ target }) => read(card, target));
    card.fields.addEventListener("change", () => { typing = null; offerKinds(); });
    card.fields.addEventListener("submit", (event) => event.preventDefault());
    card.fields.querySelector(".clear").addEventListener("click", () => { card.answer = { ...blank(), at: card.answer.at }; changed(card); });
    element.querySelectorAll("[data-verdict]").forEach((button) => button.addEventListener("click", () => quick(card, button)));
    element.querySelector(".same")?.addEventListener("click", () => same(card));
    asked.shown.forEach((id, i) => adopt(card, minis[i], id));  // where none is asked about, they stand beside it
    element.addEventListener("focusin", () => become(card));
    element.addEventListener("pointerdown", () => become(card));
    cards.push(card);
  }

  // A small curve that can be marked.
  function adopt(card, mini, id) {
    mini.after(card.fields.querySelector("template").content.cloneNode(true));
    const button = mini.nextElementSibling;
    button.setAttribute("aria-label", filled(button.dataset.label, mini.querySelector("bdi").textContent));
    button.addEventListener("click", () => mark(mini));
    card.minis.push(mini);
    card.ids.push(id);
  }

  // A group whose card is in another file: it is answered there, or on the sheet.
  function addElsewhere(asked) {
    const element = document.querySelector(`.glance [data-group="${CSS.escape(asked.name)}"]`) ?? made("li");
    const fields = byId("answer").content.querySelector("form").cloneNode(true);
    cards.push({ id: `group-${asked.name}`, asked, element, fields, minis: [], ids: [], answer: blank(), was: blank() });
  }

  function become(card) {
    answering.current?.element.classList.remove("current");
    answering.current = card;
    card.element.classList.add("current");
    try {
      if (answered().length) localStorage.setItem(PLACE, card.id);
    } catch {
      // nothing is kept here, which the page has said
    }
  }

  function start() {
    form.groups.forEach((asked) => (asked.part ? addElsewhere(asked) : add(asked, byId(`group-${asked.name}`), "answer")));
    form.rules.forEach((asked) => add(asked, byId(`rule-${asked.rule}`), "objection"));
    bar.querySelector(".progress").hidden = toAsk().length === 0;  // the index of several parts
    document.querySelectorAll("details.later").forEach((later) => later.addEventListener("toggle", progress));
    bar.hidden = false;
    document.documentElement.classList.add("answering");
    bar.addEventListener("click", ({ target }) => { if (target.closest("[data-save]")) save(); });
    bar.addEventListener("submit", (event) => event.preventDefault());
    bar.labeller.addEventListener("change", () => {
      keep();
      if (isReserved()) say("reserved", name());
    });
    bar.saved.addEventListener("change", async () => {
      if (bar.saved.files.length) await openAll([...bar.saved.files]);
      bar.saved.value = "";  // the same file may be opened again
    });
    const button = made("button", { type: "button", class: "mark" });
    byId("large").querySelector(".turn").before(button);
    button.addEventListener("click", () => mark(answering.large));
    byId("large").addEventListener("shown", ({ detail }) => showMark(detail));
    byId("keys").querySelector("[data-erase]").addEventListener("click", erase);
    addEventListener("beforeunload", warn);
    addEventListener("storage", ({ key, newValue }) => { if (key === KEPT) heard(newValue); else if (form.beside?.map(keyOf).includes(key)) merge(); });
    addEventListener("pageshow", ({ persisted }) => { if (persisted) merge(); });  // back from another file
    document.addEventListener("click", ({ target }) => { within = Boolean(target.closest('a[href*=".html"]')); });
    restore();
    offerKinds();
    progress();
  }
  Object.assign(answering, { adopt, decide, familyOf, mark, paintMarks, same, save, together, undo });
  if (form) start();
}
