// Keeping the answers: in this browser, for all tabs and files of a report, and in a file that is saved and opened.
{
  const form = parsed("form"), bar = byId("bar"), { after, answered, ask, blank, cards, name, now, paint, passOn, say, take, text, times } = answering;
  const keyOf = (id) => `tsclust-answers-${id}`, KEPT = keyOf(form?.report.id), PLACE = `${KEPT}-place`, LARGEST = 20_000_000;
  const hasParts = Boolean(form?.groups.some(({ part }) => part));  // an index: their cards are in other files
  let canKeep = false, within = false;  // on the way to another file of the same report
  const unsaved = () => times.changed > times.saved;

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
      answering.become(card);  // also where the window has no focus yet
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
    if (!name() || answering.isReserved()) return ask(name() ? "reserved" : "who", name());
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
    answering.sayUnnamed();
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

  // All answers to this report, in every tab.
  function erase() {
    merge();
    const given = answered();
    if (!given.length || !confirm(filled(bar.dataset.erase, given.length))) return;
    for (const card of given) {
      card.answer = { ...blank(), at: after(card.answer.at) };
      paint(card);
    }
    answering.forgetAll();
    times.started = now();
    times.changed = times.saved = after(times.saved);
    answering.offerKinds();
    keep();
    say("erased");
  }

  // Where the reader is, once there is something to come back to.
  function keepPlace(card) {
    try {
      if (answered().length) localStorage.setItem(PLACE, card.id);
    } catch {
      // nothing is kept here, which the page has said
    }
  }

  function listen() {
    addEventListener("beforeunload", warn);
    addEventListener("storage", ({ key, newValue }) => { if (key === KEPT) heard(newValue); else if (form.beside?.map(keyOf).includes(key)) merge(); });
    addEventListener("pageshow", ({ persisted }) => { if (persisted) merge(); });  // back from another file
    document.addEventListener("click", ({ target }) => { within = Boolean(target.closest('a[href*=".html"]')); });
    restore();
  }
  Object.assign(answering, { erase, keep, keepPlace, listen, openAll, save });
}
