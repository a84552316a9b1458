// How the features of a group are spread beside the normal ones: drawn when a card's list is opened.
{
  const WIDE = 240, HIGH = 60, HIGHEST = 35, FIRST = 8;
  let all;

  // Steps from left to right; a digit of base 36 is the height of one.
  function steps(digits) {
    const heights = [...digits].map((digit) => HIGH * (1 - parseInt(digit, 36) / HIGHEST)), wide = WIDE / heights.length;
    return `M0 ${HIGH}` + heights.map((y) => `V${y.toFixed(1)}h${wide}`).join("") + `V${HIGH}z`;
  }

  function chart([feature, low, high, group, normal], features) {
    const [phase, meaning, unit] = features[feature];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    for (const [look, digits] of [["normal", normal], ["band", group]]) {
      const path = document.createElementNS(svg.namespaceURI, "path");
      path.setAttribute("class", look);
      path.setAttribute("d", steps(digits));
      svg.append(path);
    }
    const ends = made("p", { class: "ends" }, made("span", {}, low), made("span", {}, unit), made("span", {}, high));
    return made("li", {}, made("h5", {}, phase), made("p", {}, made("bdi", {}, meaning)), svg, ends);
  }

  async function fill(details) {
    const list = details.querySelector("ul"), more = details.querySelector("button");
    try {
      const { features, cards } = await (all ??= unpacked("spreads").then(JSON.parse));
      const charts = cards[details.closest(".card").id].map((spread) => chart(spread, features));
      charts.slice(FIRST).forEach((item) => { item.hidden = true; });
      list.replaceChildren(...charts);
      more.hidden = charts.length <= FIRST;
      more.addEventListener("click", () => { charts.forEach((item) => { item.hidden = false; }); more.hidden = true; });
    } catch {
      list.replaceChildren(made("li", {}, list.dataset.failed));
    }
  }
  for (const details of document.querySelectorAll("details.spreads"))
    details.addEventListener("toggle", () => fill(details), { once: true });
}
