// Curve and bands of a card as recorded, or as differences from what is normal for the same machine or regime.
{
  const KEY = "tsclust-view", APART = "apart", template = byId("view"), root = document.documentElement;
  let built = null;

  function filledChart(card, { box, stops, paths, ticks }) {
    const chart = card.querySelector(".chart").cloneNode(true), plot = chart.querySelector(".plot");
    chart.querySelectorAll("[id]").forEach((one) => one.removeAttribute("id"));
    chart.querySelectorAll(".overlay, .zoom, .laid, .plot > span, .view").forEach((one) => one.remove());
    delete plot.dataset.listens;
    plot.classList.remove("zoomed");
    plot.dataset.stops = JSON.stringify(stops);
    plot.style.setProperty("--label", `${Math.max(...ticks.filter(([side]) => side === "down").map(([, , text]) => text.length))}ch`);
    plot.querySelector("svg").setAttribute("viewBox", box);
    for (const [name, path] of Object.entries(paths)) plot.querySelector(`.${name}`).setAttribute("d", path);
    plot.append(...ticks.map(([side, at, text]) => made("span", { class: side, style: `${side === "down" ? "top" : "left"}:${at}%` }, text)));
    const said = template.content.querySelector(".axis").cloneNode(true);
    const first = chart.querySelector(".axis:first-child");
    if (first) first.replaceWith(said); else chart.prepend(said);
    chart.classList.add(APART);
    chart.querySelector(".axis:last-of-type span").hidden = !paths.knee;
    zooming.tools(chart);
    return chart;
  }

  // Behind the chart as recorded, which others look for first.
  async function build() {
    const all = JSON.parse(await unpacked(APART));
    for (const [id, one] of Object.entries(all)) {
      const card = byId(id), chart = card?.querySelector(".chart");
      if (chart) chart.after(filledChart(card, one));
    }
  }

  async function show(view) {
    if (view === APART) await (built ??= build());
    root.dataset.view = view;
    document.querySelectorAll("button.view").forEach((one) => one.setAttribute("aria-pressed", view === APART));
  }

  function choose(view) {
    try {
      localStorage.setItem(KEY, view);
    } catch { /* then it is not kept */ }
    return show(view).catch(() => show(""));
  }

  if (template && byId(APART)) {
    for (const card of document.querySelectorAll(".card[data-own]")) {
      const chart = card.querySelector(".chart"), button = template.content.querySelector("button").cloneNode(true);
      chart.before(button);
    }
    document.addEventListener("click", ({ target }) => {
      if (target.matches("button.view")) choose(root.dataset.view === APART ? "" : APART);
      else if (target.matches(".tools button[aria-pressed=true]")) show("");  // members are laid over what was recorded
    });
    let kept = "";
    try {
      kept = localStorage.getItem(KEY) ?? "";
    } catch { /* as if there was none */ }
    if (kept === APART) addEventListener("load", () => setTimeout(() => show(APART).catch(() => show(""))));
  }
}
