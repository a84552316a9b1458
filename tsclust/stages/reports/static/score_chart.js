// A curve over what is normal for it.
const charting = {};
{
  const HEIGHT = 500, LONGEST = 4_000;  // units from top to bottom; points of a curve

  // Multiples of 1, 2 or 5 times a power of ten between two values.
  function ticks(low, high, about) {
    const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((one) => one >= rough * (1 - 1e-9)), found = [];
    for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i++) found.push(i * step);
    return { found, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
  }

  // Which samples of a curve are drawn: of a long one the lowest and the highest of each stretch.
  function thinned(values) {
    const many = values.length, found = [];
    if (many <= LONGEST) return [...values.keys()];
    for (let from = 0; from < many; from += Math.ceil(2 * many / LONGEST)) {
      let [low, high] = [from, from];
      for (let i = from; i < Math.min(from + Math.ceil(2 * many / LONGEST), many); i++) {
        if (Number.isNaN(values[i])) continue;  // a gap is no extreme, unless there is nothing else
        if (!(values[i] >= values[low])) low = i;
        if (!(values[i] <= values[high])) high = i;
      }
      found.push(...new Set([low, high].sort((a, b) => a - b)));
    }
    return found;
  }

  // points: [x, y], y null where nothing was recorded.
  function path(points) {
    let text = "", down = false;
    for (const [x, y] of points) {
      if (y !== null) text += `${down ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(1)}`;
      down = y !== null;
    }
    return text;
  }

  // values, the sample where the run starts; band: { at, low, middle, high }, null where there is none.
  function chart(values, start, band, { wording, label, axis, quantity }) {
    const seconds = wording.seconds || 1, shown = thinned(values), finite = shown.map((i) => values[i]).filter(Number.isFinite);
    const heights = [...finite, ...(band ? [...band.low, ...band.high] : [])];
    const ends = [0, -start, values.length - 1 - start, ...(band ? [band.at[0], band.at.at(-1)] : [])], left = Math.min(...ends), right = Math.max(...ends, left + 1);
    let low = heights.reduce((a, b) => Math.min(a, b), Infinity), high = heights.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!Number.isFinite(high - low) || low === high) [low, high] = Number.isFinite(low) && Math.abs(low) < 1e300 ? [low - 1, low + 1] : [0, 1];
    [low, high] = [low - (high - low) * 0.05, high + (high - low) * 0.05];
    const y = (value) => Number.isFinite(value) ? HEIGHT * (high - value) / (high - low) : null;
    const across = ticks(left * seconds, right * seconds, 6), down = ticks(low, high, 5);
    const line = (name, points) => drawn("path", { class: name, d: path(points) }), edge = (side) => Array.from(band.at, (x, i) => [x, y(side[i])]);
    const grid = down.found.map((tick) => `M${left} ${y(tick)}H${right}`).join("");
    const svg = drawn("svg", { viewBox: `${left} 0 ${right - left} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, drawn("path", { class: "grid", d: grid }));
    if (band) svg.append(drawn("path", { class: "normal", d: `${path(edge(band.high))}L${path(edge(band.low).reverse()).slice(1)}Z` }), line("own", edge(band.middle)));
    svg.append(line("typical", shown.map((i) => [i - start, y(values[i])])));
    const names = down.found.map((tick) => wording.fixed(tick, down.decimals));
    const plot = made("div", { class: "plot", style: `--label:${Math.max(...names.map((name) => name.length))}ch` }, svg);
    down.found.forEach((tick, i) => plot.append(made("span", { class: "down", style: `top:${y(tick) / HEIGHT * 100}%` }, names[i])));
    for (const tick of across.found) {
      plot.append(made("span", { class: "across", style: `left:${(tick / seconds - left) / (right - left) * 100}%` }, wording.fixed(tick, across.decimals)));
    }
    const title = quantity ? [made("p", { class: "axis" }, made("bdi", {}, quantity))] : [];
    return made("div", { class: "chart" }, ...title, plot, made("p", { class: "axis" }, made("span", {}), made("span", {}, axis)));
  }
  Object.assign(charting, { chart });
}
