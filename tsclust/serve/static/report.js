"use strict";
// A report opened from the service: a button sends the answers there, and what others have answered is seen here.
{
  const { answers: address, may, texts } = parsed("service"), form = parsed("form"), bar = byId("bar");
  const { after, answered, cards, isBlank, isReserved, name, say, text, times } = answering;
  const EVERY = 2_000, LATER = 10_000, TRIES = 5;  // milliseconds between two looks, and after one that failed
  const PATIENCE = 120_000, IMPORT = 900_000;  // milliseconds for an answer of the service; for an import
  const SLOW = 8_000;  // milliseconds after which the page says that it waits
  const LEAVING = 60_000;  // bytes: browsers refuse to send more than 64 KiB while a page is left
  const NAME = "tsclust-name";  // for the next report
  const saveFile = answering.save;
  const live = made("p", { class: "live" });
  let version = "", kept = [], sent = "", byItself = false, busy = false, told = "";

  // ---- what others have answered

  const alike = (text) => text.normalize("NFC").trim().replace(/\s+/g, " ").toLowerCase();
  const isMe = (who) => Boolean(name()) && alike(who) === alike(name());
  const isKind = ({ verdict }) => ["malfunction", "normal", "bad_recording"].includes(verdict);
  // As the import sees it: a malfunction without a name agrees with all that have one.
  const differ = (one, other) => isKind(one) && isKind(other) && (one.verdict !== other.verdict
    || (one.verdict === "malfunction" && alike(one.kind) && alike(other.kind) && alike(one.kind) !== alike(other.kind)));

  // Of somebody's files about one report the one saved last counts.
  const keyOf = ({ labeller, file }) => `${alike(labeller)} ${file.report.id}`;
  function lastSaved(files) {
    const last = new Map();
    for (const one of files) if ((last.get(keyOf(one))?.file.saved_at ?? "") < one.file.saved_at) last.set(keyOf(one), one);
    return [...last.values()];
  }

  // My own name in another browser is looked at by itself.
  function filesOfOthers() {
    const last = lastSaved(kept.filter(({ mine }) => !mine));
    return kept.filter((one) => !one.mine && (isMe(one.labeller) || last.includes(one)));
  }

  // Card -> what others say of it: the last word of each.
  function others() {
    const found = new Map(cards.map((card) => [card, new Map()]));
    for (const { labeller, file } of filesOfOthers()) for (const [card, answer] of answersFile.answersIn(file, cards).answers) {
      const who = answer.by ?? labeller, of = found.get(card), key = alike(who);
      if (!of || (isMe(who) && !isMe(labeller))) continue;
      if (!(of.get(key)?.at > answer.at)) of.set(key, { ...answer, who });
    }
    return found;
  }

  const short = (card, { verdict }) => card.fields.querySelector(`[value="${verdict}"]`)?.dataset.short ?? "";
  function inWords(card, answer) {
    const named = answer.verdict === "malfunction" && answer.kind ? `${short(card, answer)}: ${answer.kind}` : short(card, answer);
    const marked = answer.marked.length ? filled(texts.marked, answer.marked.length) : "";
    return [named, answer.comment, marked].filter(Boolean).join(" · ");
  }

  function line(card, answer) {
    const here = card.answer.verdict ? [card.answer] : [], isOther = here.some((mine) => differ(mine, answer));
    const who = made("b", {}, made("bdi", {}, isMe(answer.who) ? filled(texts.elsewhere, answer.who) : answer.who));
    const item = made("li", {}, who, ": ", made("bdi", {}, inWords(card, answer)));
    if (isOther) item.append(" ", made("strong", {}, texts.otherwise));
    item.classList.toggle("otherwise", isOther);
    return item;
  }

  // In the card, and in short where it is seen at a glance, or folded away.
  function show(card, all) {
    card.others?.remove();
    card.others = made("ul", { class: "others", "aria-label": texts.others_say }, ...all.map((answer) => line(card, answer)));
    if (all.length) card.fields.append(card.others);
    const apart = all.some((one) => [card.answer, ...all].some((other) => differ(one, other)));
    card.apart = apart;
    if (!card.asked.name) return;
    for (const place of document.querySelectorAll(`.glance [data-group="${CSS.escape(card.asked.name)}"] a, .row[data-group="${CSS.escape(card.asked.name)}"] > header`)) {
      place.querySelector(".they")?.remove();
      const first = all[0], text = first && `${first.who}: ${first.verdict === "malfunction" && first.kind || short(card, first)}`;
      if (first) place.append(made("small", { class: "they" }, apart ? "≠ " : "", made("bdi", {}, all.length > 1 ? filled(texts.experts, all.length) : text)));
      place.querySelector(".they")?.classList.toggle("otherwise", apart);
    }
  }

  function showAll() {
    const found = others(), people = new Map();
    for (const [card, of] of found) {
      const all = [...of.values()].filter((one) => one.verdict || one.comment || one.marked.length);
      const was = JSON.stringify([all, card.answer.verdict, card.answer.kind, name()]);
      if (card.shown !== was) show(card, all);
      card.shown = was;
      for (const { who } of all) people.set(alike(who), [who, (people.get(alike(who))?.[1] ?? 0) + 1]);
    }
    showState([...people.values()]);
  }

  // One line for all: what is sent, who else answers, and where they contradict each other.
  function showState(people) {
    const apart = cards.filter((card) => card.apart), state = [may ? told : texts.look];
    if (people.length) state.push(filled(texts.others, people.map(([who, n]) => `${who} (${n})`).join(", ")));
    const text = state.filter(Boolean).join(" · "), mark = `${text} ${apart.length}`;
    if (live.dataset.is === mark) return;
    live.dataset.is = mark;
    live.replaceChildren(text);
    if (!apart.length) return;
    const next = made("button", { type: "button" }, filled(texts.apart, apart.length));
    next.addEventListener("click", () => goToNext());
    live.append(text ? " · " : "", next);
  }

  function goToNext() {
    const apart = cards.filter((card) => card.apart), at = apart.indexOf(answering.current), card = apart[(at + 1) % apart.length];
    if (card.asked.part) { location.href = `${card.asked.part}#${card.id}`; return; }
    openAround(card.element);
    card.element.scrollIntoView();
    card.element.focus({ preventScroll: true });
  }

  // What stands under my name at the service, and nothing here: another browser of mine, or this one has forgotten. Of
  // what was saved before there are answers that were withdrawn since.
  function adopt() {
    if (!name()) {
      const mine = kept.find((one) => one.mine && one.file.report.id === form.report.id);
      if (mine) bar.labeller.value = mine.labeller;
    }
    let taken = 0;
    for (const { labeller, file } of lastSaved(kept.filter((one) => isMe(one.labeller)))) {
      const { started, answers } = answersFile.answersIn(file, cards);
      const blank = answers.filter(([card, { at }]) => card && isBlank(card.answer) && !(card.answer.at >= at));
      const given = blank.map(([card, answer]) => [card, { ...answer, by: isMe(answer.by) ? null : answer.by }]);
      if (given.length) taken += answering.take(given, labeller, started);
    }
    if (taken) answering.keep();
  }

  // ---- asking the service

  const signature = ({ labeller, groups, series, objections }) => JSON.stringify([labeller, groups, series, objections]);

  // Who waits longer than usual is told so; after `patience` it is as if nobody had answered.
  async function ask(query, patience, options) {
    const late = setTimeout(() => { told = texts.slow; showAll(); }, SLOW);
    try {
      return await fetch(`${address}?${query}`, { ...options, signal: AbortSignal.timeout(patience) });
    } finally {
      clearTimeout(late);
    }
  }

  async function look() {
    const answer = await ask(`model=${form.report.model}`, PATIENCE, { headers: version ? { "If-None-Match": version } : {} });
    if (answer.status === 304) return showAll();
    if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status, said: await answer.json() });
    const first = !version;
    kept = (await answer.json()).answers;
    version = answer.headers.get("ETag");
    adopt();
    const mine = kept.find((one) => one.mine && one.file.report.id === form.report.id && isMe(one.labeller));
    if (first && mine) [sent, byItself] = [signature(mine.file), true];
    if (first && mine && state() === sent) times.saved = after(times.changed);  // nothing is lost by leaving
    showAll();
  }

  // ---- sending

  function file() {
    times.sent = after(times.sent);
    return JSON.stringify(JSON.parse(written(times.started, times.sent)));  // as short as it can be
  }
  const written = (started_at, saved_at) => answersFile.written(answered(), { labeller: text(name(), bar.labeller.maxLength), started_at, saved_at });
  const state = () => signature(JSON.parse(written("", "")));
  const isDue = () => may && byItself && name() && !isReserved() && document.activeElement !== bar.labeller && state() !== sent;

  // What others have sent meanwhile is looked at first: nobody answers over what they have not seen.
  async function post(draft, keepalive = false) {
    for (let go = 0; go < TRIES; go++) {
      const now = state(), headers = { "Content-Type": "application/json", ...(version && { "If-Match": version }) };
      const body = file(), options = { method: "POST", headers, body, keepalive: keepalive && new Blob([body]).size <= LEAVING };
      const answer = await ask(`own=true&draft=${draft}`, draft ? PATIENCE : IMPORT, options);
      if (answer.status === 412) { await look(); continue; }
      const said = await answer.json();
      if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status, said });
      [sent, byItself] = [now, true];
      if (version) accepted(JSON.parse(body), answer.headers.get("ETag") ?? version);
      times.saved = after(times.changed);
      answering.keep();
      told = filled(texts.sent_at, new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
      return said;
    }
    throw new Error("others are quicker");
  }

  // What I have sent is the only change since `version`: it need not be fetched.
  function accepted(mine, now) {
    const one = { labeller: mine.labeller, mine: true, file: mine };
    kept = [one, ...kept.filter((other) => !other.mine || keyOf(other) !== keyOf(one))];
    version = now;
  }

  function refused({ status, said }) {
    if (status === 401) {
      const login = made("a", { href: address.replace(/\/workspaces\/[^/]+\/answers$/, "/login"), target: "_blank" }, texts.login);
      told = texts.logged_out;
      bar.querySelector(".said").replaceChildren(texts.logged_out, " ", login);
    } else if (status) {
      if (status !== 429 && status < 500) byItself = false;  // it would be refused again
      told = "";
      const why = made("span");
      problems.tell(why, said ?? { status, detail: String(status) }, texts);
      bar.querySelector(".said").replaceChildren(texts.refused, " ", why);
    } else told = texts.unreachable;
    showAll();
  }

  async function alone(act) {
    while (busy) await new Promise((done) => setTimeout(done, 50));
    busy = true;
    try { return await act(); } finally { busy = false; }
  }

  async function send() {
    if (!name() || isReserved()) return answering.ask(name() ? "reserved" : "who", name());
    if (!answered().length && !sent) return say("nothing");
    say("sending");
    try {
      const said = await alone(async () => { await look(); return post(false); });
      say(said.imported ? "sent" : "waits", answered().length);
      answering.keep();
      answering.sayUnnamed();
      showAll();
    } catch (error) {
      refused(error);
      if (!error.status) say("unsent");
    }
  }

  async function go() {
    for (;;) {
      let pause = EVERY;
      try {
        await alone(async () => {
          if (isDue()) await post(true);
          if (!document.hidden) await look();
        });
        if ([texts.unreachable, texts.slow, texts.logged_out].includes(told)) told = "";
      } catch (error) {
        refused(error);
        pause = LATER;
      }
      await new Promise((done) => setTimeout(done, pause));
    }
  }

  // ---- putting it together

  function start() {
    Object.assign(bar.dataset, { nothing: texts.nothing, sent: texts.sent, waits: texts.waits, sending: texts.sending, unsent: texts.unsent, who: texts.who, unnamed: texts.unnamed });
    for (const place of document.querySelectorAll("header p, header li")) {
      const found = texts.instead.find(([was]) => was === place.textContent.trim());
      if (found) place.textContent = found[1];
    }
    bar.querySelector(".said").after(live);
    if (!name()) try { bar.labeller.value = localStorage.getItem(NAME) ?? ""; } catch { /* nothing is kept here */ }
    bar.labeller.addEventListener("change", () => {
      try { localStorage.setItem(NAME, name()); } catch { /* nothing is kept here */ }
      adopt();
      showAll();
    });
    document.addEventListener("marked", () => showAll());
    if (may) offer();
    go();
  }

  function offer() {
    const save = bar.querySelector("[data-save]"), button = made("button", { type: "button", class: "main", "data-save": "" }, texts.send);
    save.classList.remove("main");
    save.removeAttribute("data-save");
    save.classList.add("to-file");
    save.addEventListener("click", saveFile);
    save.after(button);
    answering.save = send;
    addEventListener("pagehide", () => { if (isDue()) post(true, true).catch(() => {}); });
  }
  if (form && bar) start();
}
