"use strict";
// The page stands without this: here a member is shown large, and the overview drawn when it is opened.
(() => {
  const dialog = document.querySelector("dialog");
  const [title, position] = dialog.querySelector("h2").children;
  let minis = [], at = 0;

  // The card's own axes and bands, with this member's curve in the place of the typical one.
  function show(index) {
    at = (index + minis.length) % minis.length;
    const mini = minis[at], block = mini.closest(".card");
    const axes = block.querySelector(".chart") ?? block.querySelector("template").content.querySelector(".chart");
    const plot = axes.cloneNode(true);
    plot.querySelectorAll("[id]").forEach((copy) => copy.removeAttribute("id"));
    plot.querySelector(".typical").setAttribute("d", mini.querySelector(".line").getAttribute("d"));
    plot.querySelector(".own").setAttribute("d", mini.querySelector(".own")?.getAttribute("d") ?? "");
    const about = mini.nextElementSibling.cloneNode(true);
    about.hidden = false;
    dialog.querySelector(".large").replaceChildren(plot);
    dialog.querySelector(".about").replaceChildren(about);
    title.textContent = block.dataset.title;
    position.textContent = position.dataset.position.replace("{n}", at + 1).replace("{of}", minis.length);
  }

  function open(mini) {
    minis = [...mini.closest(".minis").querySelectorAll(".mini")];
    show(minis.indexOf(mini));
    dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.matches(".mini")) open(button);
    else if (button?.dataset.step) show(at + Number(button.dataset.step));
    else if (button?.matches("[data-close]") || event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) show(at + step);
  });

  const overview = document.getElementById("overview");  // not there in the page of the features
  const wait = overview?.querySelector(".wait");
  const figures = document.getElementById("figures");  // not there in a page without charts

  // plotly.js, unpacked from the page itself; the page's Content-Security-Policy knows its hash.
  async function unpacked() {
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    return window.Plotly;
  }

  // Axes and texts have the page's colours, light or dark; bars and points have the figure's own.
  function template() {
    const colour = (of) => getComputedStyle(document.documentElement).getPropertyValue(of).trim();
    const axis = { gridcolor: colour("--rule"), linecolor: colour("--zero") };
    const font = { color: colour("--ink"), family: getComputedStyle(document.body).fontFamily };
    return { layout: { font, xaxis: axis, yaxis: axis, paper_bgcolor: "transparent", plot_bgcolor: "transparent" } };
  }

  // Also anew, in other colours: then as the reader has left it.
  function draw(plotly, { name, data, layout }) {
    const place = document.getElementById(`figure-${name}`);
    const now = { ...(place.layout ?? layout), template: template() };
    plotly.react(place, place.data ?? data, now, { displayModeBar: false, responsive: true });
  }

  function choose(plotly, select, { name, menu }) {
    const { height, data, layout } = menu[select.selectedIndex], place = document.getElementById(`figure-${name}`);
    if (height) place.style.height = `${height}px`;
    plotly.update(place, data, { ...layout, autosize: true });
  }

  async function drawOverview() {
    try {
      const plotly = await unpacked(), all = JSON.parse(figures.textContent);
      const drawAll = () => all.forEach((figure) => draw(plotly, figure));
      drawAll();
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
      overview.addEventListener("change", ({ target }) => choose(plotly, target, all[target.dataset.figure]));
      wait.remove();
    } catch {
      wait.textContent = wait.dataset.failed;
      overview.querySelector(".figures").remove();
    }
  }
  if (figures) overview.addEventListener("toggle", drawOverview, { once: true });

  // On paper nothing can be unfolded.
  const appendix = document.getElementById("appendix");
  let was = false;
  addEventListener("beforeprint", () => { was = appendix.open; appendix.open = true; });
  addEventListener("afterprint", () => { appendix.open = was; });
})();
