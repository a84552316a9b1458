{
  const dialog = byId("large"), members = parsed("members");
  const [title, position] = dialog.querySelector("h2").children;
  let minis = [], at = 0, shownIn = null;
  // Where in the data of its card each stands: they may be put in another order.
  document.querySelectorAll(".minis").forEach((list) => list.querySelectorAll(".mini").forEach((mini, i) => { mini.dataset.at ??= i; }));

  // Names and values come from the data and may be written either way.
  function told(values) {
    const row = (name, i) => made("div", {}, made("dt", {}, made("bdi", {}, name)), made("dd", {}, made("bdi", {}, values[i])));
    return made("dl", {}, ...members.columns.map(row));
  }

  // The card's own axes and bands, with this member's curve in the place of the typical one; as far zoomed into as the one before.
  function show(index) {
    at = (index + minis.length) % minis.length;
    const mini = minis[at], card = mini.closest(".card"), first = mini.dataset.at !== undefined && Number(mini.dataset.at) === 0;
    const chart = card.querySelector(".chart") ?? card.querySelector("template").content.querySelector(".chart");
    const copy = chart.cloneNode(true), plot = copy.querySelector(".plot"), before = dialog.querySelector(".large .plot");
    copy.querySelectorAll("[id]").forEach((one) => one.removeAttribute("id"));
    copy.querySelectorAll(".overlay, .zoom, .laid").forEach((one) => one.remove());
    zooming.renew(plot, chart.querySelector(".plot"));
    plot.querySelector(".typical").setAttribute("d", mini.querySelector(".line").getAttribute("d"));
    plot.querySelector(".own").setAttribute("d", mini.querySelector(".own")?.getAttribute("d") ?? "");
    if ("own" in card.dataset && !first) plot.querySelectorAll(".normal, .band").forEach((one) => one.remove());  // of another machine
    dialog.querySelector(".large").replaceChildren(copy);
    zooming.tools(copy);
    if (before && shownIn === card) zooming.like(plot, before);
    shownIn = card;
    tell(mini, card);
    title.textContent = card.dataset.title;
    position.textContent = filled(filled(position.dataset.position, at + 1, "{n}"), minis.length, "{of}");
    dialog.dispatchEvent(new CustomEvent("shown", { detail: mini }));
  }

  // What is known of it; and its curve as it was packed, which is finer than a small one.
  async function tell(mini, card) {
    const about = dialog.querySelector(".about"), drawn = members.cards[card.id]?.[Number(mini.dataset.at)];
    about.replaceChildren(...(drawn ? [told(drawn)] : []));
    const all = await packedCurves.all(), n = Number(mini.dataset.series ?? NaN), plot = dialog.querySelector(".plot");
    if (!all || Number.isNaN(n) || minis[at] !== mini) return;
    const stops = JSON.parse(plot.dataset.stops), own = all.own[n];
    plot.querySelector(".typical").setAttribute("d", packedCurves.path(packedCurves.points(all, n, stops)));
    if (own >= 0) plot.querySelector(".own").setAttribute("d", packedCurves.path(packedCurves.points(all, own, stops)));
    if (!drawn) about.replaceChildren(told(packedCurves.cells(all, n)));
  }

  function open(mini) {
    minis = [...mini.closest(".minis").querySelectorAll(".mini")];
    show(minis.indexOf(mini));
    dialog.showModal();
  }

  document.addEventListener("showLarge", ({ target }) => open(target));
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button?.matches(".mini")) open(button);
    else if (button?.dataset.step) show(at + Number(button.dataset.step));
    else if (button?.matches("[data-close]") || target.matches("dialog")) target.closest("dialog").close();
  });
  dialog.addEventListener("keydown", (event) => {
    if (!event.altKey && !event.ctrlKey && !event.metaKey && zooming.key(dialog.querySelector(".plot"), event.key)) return event.preventDefault();
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && !event.altKey && !event.ctrlKey && !event.metaKey) show(at + step);  // Alt ← is the browser's
  });

  // A link leads to its group, also where that is folded away.
  document.addEventListener("click", ({ target }) => {
    const to = target.closest('a[href^="#group-"]');
    if (to) openAround(byId(to.hash.slice(1)));
  });
  const here = named(location.hash);
  if (here?.closest("details.later, .row")) {
    openAround(here);
    here.scrollIntoView();
  }

  // On paper nothing can be unfolded.
  const folded = [...document.querySelectorAll("#appendix, details.later")];
  let was = [];
  addEventListener("beforeprint", () => { was = folded.map(({ open }) => open); folded.forEach((one) => { one.open = true; }); });
  addEventListener("afterprint", () => folded.forEach((one, i) => { one.open = was[i]; }));
}
