// The answers: a form in every card, kept in this browser, saved to a file, and opened from one to go on.
const answering = { cards: [], current: null, large: null };  // large: the small curve that is shown large
{
  const form = parsed("form"), bar = byId("bar"), { cards } = answering;
  const SYMBOLS = { malfunction: "▲", bad_recording: "✕", dont_know: "?", mixed: "≠" };
  const now = () => new Date().toISOString();
  const times = { started: now(), changed: "", saved: "" };  // of the first answer, of the last, and of the last file
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

  const forgetAll = () => { before.length = 0; };

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
    answering.keep();
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
    if (byId("large").open) answering.showMark(mini);
  }
  Object.assign(answering, {
    after, answered, ask, blank, changed, decide, familyOf, forgetAll, isBlank, isReserved, mark, name, now, offerKinds, paint, paintMarks, passOn,
    progress, quick, read, same, say, sayUnnamed, take, text, times, toAsk, together, typed: () => { typing = null; }, undo,
  });
}
