// From group to group, and everything by keyboard: the page lists the keys.
{
  // ---- from group to group

  function goTo(card) {
    openAround(card.element);
    card.element.scrollIntoView();
    card.element.focus({ preventScroll: true });
  }

  const saving = () => byId("bar").querySelector("[data-save]");

  // A row is passed by, unless its card mixes several kinds: then it may be one of them.
  function isAsked(card) {
    if (card.asked.part) return false;
    const family = answering.familyOf(card);
    return !family || family.answer.verdict === "mixed";
  }

  // Through the groups, then the rules, to the end of all: Save. `open`: to the next group without an answer.
  // Save is pressed in between as well: it stands between the card that one was at and the next.
  function turn(step, open = false) {
    const { current } = answering, cards = answering.cards.filter((card) => isAsked(card) || card === current);
    const at = cards.indexOf(current), back = document.activeElement === saving() ? at + 1 : at;
    const on = step > 0 ? cards.slice(at + 1) : cards.slice(0, Math.max(back, 0)).reverse();
    const next = on.find(({ asked, answer }) => !open || (asked.rule === undefined && !answer.verdict));
    if (next) goTo(next);
    else if (step > 0) saving().focus();
  }

  // ---- keys: letters depend on the keyboard's language, these do not

  const isText = (target) => target.matches("textarea, select, input:not([type=radio])");
  const ownArrows = (target) => isText(target) || target.matches("[type=radio]") || target.closest(".scroll, .figures, .plot.zoomed");

  // On the sheet of single series a key is all that is asked: it goes on to the next.
  function decided(card, verdict) {
    answering.decide(card, verdict);
    if (card.asked.sheet && card.answer.verdict) turn(1);
  }

  // What is answered already Enter does not replace.
  const isToCopy = (card) => card?.asked.family && !card.answer.verdict;

  // The chart that is seen: a card may have another view of it.
  function inChart(current, key) {
    if (current && ["+", "=", "-", "0"].includes(key)) openAround(current.element);  // of a row it is folded away
    const plot = [...current?.element.querySelectorAll(".plot") ?? []].find((one) => one.checkVisibility({ visibilityProperty: true }));
    return Boolean(plot) && zooming.key(plot, key);
  }

  function inCard(event, digit) {
    const mini = event.target.closest(".mini");
    const { current } = answering, verdicts = current?.fields.elements.verdict;
    if (digit && verdicts) event.repeat || decided(current, verdicts[digit - 1].value);  // held, it would flicker
    else if (event.key === "Delete" && mini) answering.mark(mini);
    else if (!event.target.closest("button, label, summary, a") && inChart(current, event.key)) return true;
    else if (event.key === "Enter" && isToCopy(current) && event.target === current.element) answering.same(current);
    else return false;
    return true;
  }

  function inDialog(key) {
    const marks = key === "Delete" && byId("large").open;
    if (marks) answering.mark(answering.large);
    return marks;
  }

  function inField(field, key) {
    const inside = answering.current?.element.contains(field);
    const on = inside && key === "Enter" && !field.matches("textarea"), out = inside && key === "Escape";
    if (on) turn(1);
    if (out) answering.current.element.focus();
    return on || out;
  }

  // Whether the key means something here.
  function pressed(event) {
    const { target, key, shiftKey } = event, step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (document.querySelector("dialog[open]")) return inDialog(key);
    if (isText(target)) return inField(target, key);
    if (key === "?") byId("keys").showModal();
    else if (key === "/" && byId("find")) byId("find").focus();
    else if (step && !ownArrows(target)) turn(step, shiftKey);
    else return Boolean(target.closest(".card")) && inCard(event, !shiftKey && /^(?:Digit|Numpad)([1-5])$/.exec(event.code)?.[1]);
    return true;
  }

  // The letter on the key; by its place where the keyboard writes other than Latin letters.
  const letterOf = ({ key, code }) => (/^[a-z]$/i.test(key) ? key : code.replace(/^Key/, "")).toLowerCase();
  const isUndo = (event) => letterOf(event) === "z" && !event.shiftKey && !isText(event.target);

  function onKey(event) {
    const { ctrlKey, metaKey, altKey } = event, ctrl = ctrlKey || metaKey;
    if (ctrl && !altKey && letterOf(event) === "s") event.repeat || answering.save();
    else if (ctrl && !altKey && isUndo(event) && !document.querySelector("dialog[open]")) answering.undo();
    else if (ctrl || altKey || !pressed(event)) return;
    event.preventDefault();
  }

  if (answering.save) {
    document.addEventListener("keydown", onKey);
    byId("bar").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button?.dataset.turn) turn(Number(button.dataset.turn));
      else if (button?.matches("[data-keys]")) byId("keys").showModal();
    });
  }
}
