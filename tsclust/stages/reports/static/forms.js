// The forms in the cards, and the bar: put together once the page stands.
{
  const form = parsed("form"), bar = byId("bar"), { blank, cards, changed, mark, name, offerKinds, progress, quick, read, same, say, toAsk } = answering;

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
    card.fields.addEventListener("change", () => { answering.typed(); offerKinds(); });
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
    answering.keepPlace(card);
  }

  function start() {
    form.groups.forEach((asked) => (asked.part ? addElsewhere(asked) : add(asked, byId(`group-${asked.name}`), "answer")));
    form.rules.forEach((asked) => add(asked, byId(`rule-${asked.rule}`), "objection"));
    bar.querySelector(".progress").hidden = toAsk().length === 0;  // the index of several parts
    document.querySelectorAll("details.later").forEach((later) => later.addEventListener("toggle", progress));
    bar.hidden = false;
    document.documentElement.classList.add("answering");
    bar.addEventListener("click", ({ target }) => { if (target.closest("[data-save]")) answering.save(); });
    bar.addEventListener("submit", (event) => event.preventDefault());
    bar.labeller.addEventListener("change", () => {
      answering.keep();
      if (answering.isReserved()) say("reserved", name());
    });
    bar.saved.addEventListener("change", async () => {
      if (bar.saved.files.length) await answering.openAll([...bar.saved.files]);
      bar.saved.value = "";  // the same file may be opened again
    });
    const button = made("button", { type: "button", class: "mark" });
    byId("large").querySelector(".turn").before(button);
    button.addEventListener("click", () => mark(answering.large));
    byId("large").addEventListener("shown", ({ detail }) => showMark(detail));
    byId("keys").querySelector("[data-erase]").addEventListener("click", answering.erase);
    answering.listen();
    offerKinds();
    progress();
  }
  Object.assign(answering, { adopt, become, showMark });
  if (form) start();
}
