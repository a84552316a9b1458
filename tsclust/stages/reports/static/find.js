// Finding a series by its id, or by anything that is known of it.
{
  const FIRST = 20, field = byId("find"), list = byId("found"), words = byId("large").dataset, lang = document.documentElement.lang;
  const members = parsed("members");

  // [card, texts, how to its small curve, what it is found by] of all series that the page has.
  async function everything() {
    const all = await membersOf.ready, there = new Set(Object.keys(all?.cards ?? {}));
    const packed = Object.entries(all?.cards ?? {}).flatMap(([id, [, sample]]) =>
      sample.map((n) => [byId(id), packedCurves.cells(all, n), () => membersOf.mini(byId(id), n), packedCurves.known(all, n)]));
    const drawnOnly = Object.entries(members.cards).filter(([id]) => !there.has(id)).flatMap(([id, rows]) =>
      rows.map((texts, i) => [byId(id), texts, () => byId(id)?.querySelector(`.mini[data-at="${i}"]`), texts]));
    return [...packed, ...drawnOnly].filter(([card]) => card);
  }
  let once = null;

  function go(card, mini) {
    openAround(card);
    card.scrollIntoView();
    card.focus({ preventScroll: true });
    mini?.dispatchEvent(new CustomEvent("showLarge", { bubbles: true }));
  }

  function item([card, [id, ...texts], mini]) {
    const button = made("button", { type: "button" }, made("b", {}, made("bdi", {}, id)), ` ${card.dataset.title} `, made("small", {}, made("bdi", {}, texts.join(" · "))));
    button.addEventListener("click", () => go(card, mini()));
    return made("li", {}, button);
  }

  async function search() {
    const all = await (once ??= everything()), wanted = field.value.trim().toLowerCase(), parts = wanted.split(/\s+/);
    if (!wanted) return list.replaceChildren();
    const fits = all.filter(([, , , known]) => {
      const text = known.join("\n").toLowerCase();
      return parts.every((part) => text.includes(part));
    });
    const rank = ([, [id]]) => (id.toLowerCase() === wanted ? 0 : id.toLowerCase().startsWith(wanted) ? 1 : 2);
    fits.sort((a, b) => rank(a) - rank(b));
    const series = new Set(all.map(([, [id]]) => id)).size.toLocaleString(lang);
    const more = fits.length > FIRST ? [made("li", { class: "quiet" }, filled(words.found_more, (fits.length - FIRST).toLocaleString(lang), "{n}"))] : [];
    const none = fits.length ? [] : [made("li", { class: "quiet" }, filled(words.found_none, series, "{n}"))];
    list.replaceChildren(...fits.slice(0, FIRST).map(item), ...more, ...none);
  }

  field?.addEventListener("input", search);
  field?.addEventListener("keydown", (event) => {
    if (event.key === "Enter") list.querySelector("button")?.click();
    if (event.key === "Escape") { field.value = ""; list.replaceChildren(); }
    if (event.key === "Enter") event.preventDefault();
  });
}
