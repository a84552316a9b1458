// The sheet of all groups: several that are one are selected, by keys, mouse or drag, and answered at once.
{
  const sheet = byId("glance")?.parentElement, words = byId("large").dataset, chosen = new Set();
  const items = () => [...sheet.querySelectorAll(".glance li")];
  const nameOf = (item) => item.dataset.group;
  const cardsOf = (names) => answering.cards.filter(({ asked }) => names.has(asked.name));
  let panel = null;

  function show() {
    for (const item of items()) {
      item.classList.toggle("picked", chosen.has(nameOf(item)));
      item.querySelector(".pick").setAttribute("aria-pressed", chosen.has(nameOf(item)));
    }
    panel.hidden = !chosen.size;
    panel.querySelector("legend").textContent = filled(words.picked, [...chosen].join(", "));
  }

  function pick(name, on = !chosen.has(name)) {
    if (on) chosen.add(name);
    else chosen.delete(name);
    byId("bar").querySelector(".said").textContent = "";  // it would be in the way
    show();
  }

  function clear() {
    chosen.clear();
    panel.reset();
    show();
  }

  // ---- the answer to all that are selected

  function begin(verdict, kind = "") {
    panel.querySelector(`[value="${verdict}"]`).checked = true;
    const field = panel.elements.kind;
    if (kind) field.value = kind;
    if (verdict === "malfunction") field.focus();
    else panel.querySelector(".main").focus();
  }

  function give() {
    const verdict = panel.elements.verdict.value, kind = panel.elements.kind.value.slice(0, panel.elements.kind.maxLength).trim();
    if (verdict === "malfunction" && !kind) return panel.elements.kind.focus();
    if (!verdict) return panel.querySelector("[name=verdict]").focus();
    const first = sheet.querySelector(`[data-group="${CSS.escape([...chosen][0])}"] a`);
    answering.together(cardsOf(chosen), { verdict, kind: verdict === "malfunction" ? kind : "" });
    clear();
    first.focus();
  }

  function panelOf() {
    const form = byId("answer").content.querySelector("form").cloneNode(true);
    form.querySelectorAll(".certain, .comment, .clear, template").forEach((one) => one.remove());
    form.classList.add("together");
    const done = made("button", { type: "submit", class: "main" }, words.together_button), none = made("button", { type: "button" }, words.pick_none);
    none.addEventListener("click", clear);
    form.append(made("p", { class: "buttons" }, done, none));
    form.addEventListener("submit", (event) => { event.preventDefault(); give(); });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { clear(); event.preventDefault(); }
    });
    return form;
  }

  // ---- drag: what is dragged and what it is dropped on are one

  let dragged = null;
  const itemAt = (target) => target.closest?.(".glance li");

  function drop(item) {
    if (!dragged || dragged === nameOf(item)) return;
    if (!chosen.has(dragged)) chosen.clear();
    [nameOf(item), dragged].forEach((name) => pick(name, true));
    const [card] = cardsOf(new Set([nameOf(item)])), answer = card?.answer;
    begin(answer?.verdict ?? "malfunction", answer?.kind);
  }

  function listen(list) {
    list.addEventListener("dragstart", ({ target, dataTransfer }) => {
      dragged = itemAt(target) ? nameOf(itemAt(target)) : null;
      dataTransfer.effectAllowed = "link";
      dataTransfer.setData("text/plain", dragged ?? "");
    });
    list.addEventListener("dragover", (event) => {
      const item = itemAt(event.target);
      items().forEach((one) => one.classList.toggle("over", one === item && nameOf(one) !== dragged));
      if (dragged && item) event.preventDefault();
    });
    list.addEventListener("dragend", () => { dragged = null; items().forEach((one) => one.classList.remove("over")); });
    list.addEventListener("drop", (event) => { event.preventDefault(); drop(itemAt(event.target)); });
  }

  // ---- keys on a thumbnail: Space selects it, a digit answers what is selected, or it alone

  function onKey(event) {
    const item = itemAt(event.target), digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code)?.[1];
    if (!item || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === " ") pick(nameOf(item));
    else if (event.key === "Escape" && chosen.size) clear();
    else if (digit) {
      if (!chosen.size) pick(nameOf(item), true);
      begin(panel.elements.verdict[digit - 1].value);
      if (digit !== "1") give();
    } else return;
    event.preventDefault();
  }

  function start() {
    for (const item of items()) {
      const label = filled(words.pick, nameOf(item)), button = made("button", { type: "button", class: "pick", tabindex: "-1", "aria-pressed": "false", "aria-label": label, title: label });
      button.addEventListener("click", () => pick(nameOf(item)));
      item.append(button);
    }
    panel = panelOf();
    sheet.append(panel);
    sheet.querySelectorAll(".glance").forEach(listen);
    sheet.addEventListener("keydown", onKey);
    show();
  }
  if (sheet && answering.together && byId("answer") && items().length > 1) start();
}
