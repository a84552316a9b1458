// The overview's charts: drawn by plotly.js when it is opened.
{
  const overview = byId("overview"), wait = overview?.querySelector(".wait");

  // The page's Content-Security-Policy knows the hash of what is unpacked here.
  async function library() {
    document.head.append(made("script", {}, await unpacked("plotly")));
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
    const place = byId(`figure-${name}`);
    const now = { ...(place.layout ?? layout), template: template() };
    plotly.react(place, place.data ?? data, now, { displayModeBar: false, responsive: true });
  }

  function choose(plotly, select, { name, menu }) {
    const { height, data, layout } = menu[select.selectedIndex], place = byId(`figure-${name}`);
    if (height) place.style.height = `${height}px`;
    plotly.update(place, data, { ...layout, autosize: true });
  }

  async function drawAll() {
    try {
      const plotly = await library(), all = JSON.parse(await unpacked("figures"));
      const again = () => all.forEach((figure) => draw(plotly, figure));
      for (const figure of all) {
        draw(plotly, figure);
        await new Promise(requestAnimationFrame);  // the page stays alive between two of them
      }
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
      overview.addEventListener("change", ({ target }) => choose(plotly, target, all[target.dataset.figure]));
      wait.remove();
    } catch {
      wait.textContent = wait.dataset.failed;
      overview.querySelector(".figures").remove();
    }
  }
  if (wait) overview.addEventListener("toggle", drawAll, { once: true });
}
