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

  function draw(plotly, { name, advised, data, layout }) {
    const colour = (of) => getComputedStyle(document.documentElement).getPropertyValue(of).trim();
    const [{ x, y }] = data;
    const axis = { gridcolor: colour("--rule"), linecolor: colour("--zero"), zeroline: false, automargin: true, exponentformat: "none", separatethousands: true };
    const mark = { x: advised, y: y[x.indexOf(advised)], text: `k = ${advised}`, ay: -34, ax: 22, arrowcolor: colour("--quiet") };
    const line = { line: { color: colour("--typical"), width: 2 }, marker: { size: x.map((k) => (k === advised ? 11 : 5)) } };
    plotly.react(`figure-${name}`, [{ ...data[0], ...line }], {
      ...layout,
      xaxis: { ...axis, ...layout.xaxis }, yaxis: { ...axis, rangemode: "tozero" },
      annotations: advised === null ? [] : [mark],
      font: { color: colour("--ink"), family: getComputedStyle(document.body).fontFamily },
      margin: { t: 56, r: 16, b: 48, l: 56 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    }, { displayModeBar: false, responsive: true });
  }

  async function drawOverview() {
    try {
      const plotly = await unpacked();
      const drawAll = () => JSON.parse(figures.textContent).forEach((figure) => draw(plotly, figure));
      drawAll();
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
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
