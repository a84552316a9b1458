// Zooming into a chart, and moving it: by wheel, drag, two fingers and keys. The axes follow.
const zooming = {};
{
  const DEEPEST = 40, STEP = 1.5, SHARE = 0.2, CLOSE = 7;
  const views = new WeakMap();  // plot -> what is seen of it, and what all of it is: [left, top, wide, high]
  const svgOf = (plot) => plot.querySelector("svg");
  const boxOf = (svg) => svg.getAttribute("viewBox").split(" ").map(Number);

  function stateOf(plot) {
    if (!views.has(plot)) {
      const home = boxOf(svgOf(plot)), texts = [...plot.querySelectorAll(":scope > span")];
      views.set(plot, { first: home, home, now: home, texts, grid: plot.querySelector(".grid").getAttribute("d") });
    }
    return views.get(plot);
  }

  // ---- axes

  // Multiples of 1, 2 or 5 times a power of ten, about so many.
  function ticks(low, high, about) {
    const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= rough * (1 - 1e-9));
    const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
  }

  // [per cent from the top, value], of the roomiest stretch of the scale first.
  function rows(stops, [, top, , high]) {
    const found = [], at = (value) => 100 * (packedCurves.units(stops, value) - top) / high;
    const value = (unit, [[low, bottom], [up, over]]) => low + (unit - bottom) / (over - bottom) * (up - low);
    const inside = stops.slice(1).map((stop, i) => [stops[i], stop]).map((stretch, i, all) => {
      const [[, bottom], [, over]] = stretch;
      const from = i ? Math.min(bottom, top + high) : top + high, to = i < all.length - 1 ? Math.max(over, top) : top;
      return { room: from - to, low: value(from, stretch), high: value(to, stretch) };
    }).filter(({ room }) => room > 0).sort((a, b) => b.room - a.room);
    for (const { room, low, high: up } of inside)
      for (const tick of ticks(low, up, Math.max(2, Math.round(5 * room / high))))
        if (found.every(([other]) => Math.abs(other - at(tick)) >= CLOSE)) found.push([at(tick), tick]);
    return found.filter(([where]) => where >= 0 && where <= 100);
  }

  function columns([left, , wide], seconds) {
    const scale = Number(seconds ?? 1);
    return ticks(left * scale, (left + wide) * scale, 6)
      .filter((tick) => seconds || Number.isInteger(tick)).map((tick) => [100 * (tick / scale - left) / wide, tick]);
  }

  function axes(plot, now) {
    const down = rows(JSON.parse(plot.dataset.stops), now), across = columns(now, plot.dataset.seconds);
    const span = (name, side) => ([at, value]) => made("span", { class: name, style: `${side}:${at.toFixed(2)}%` }, packedCurves.number(value, 4));
    plot.querySelector(".grid").setAttribute("d", down.map(([at]) => `M${now[0]} ${now[1] + at * now[3] / 100}h${now[2]}`).join(""));
    return [...down.map(span("down", "top")), ...across.map(span("across", "left"))];
  }

  // ---- what is seen

  const within = (value, low, high) => Math.min(Math.max(value, low), high);

  function show(plot, [left, top, wide, high]) {
    const state = stateOf(plot), { home } = state;
    const w = within(wide, home[2] / DEEPEST, home[2]), h = within(high, home[3] / DEEPEST, home[3]);
    state.now = [within(left, home[0], home[0] + home[2] - w), within(top, home[1], home[1] + home[3] - h), w, h];
    const asDrawn = state.now.every((one, i) => one === state.first[i]);
    svgOf(plot).setAttribute("viewBox", state.now.join(" "));
    plot.querySelectorAll(":scope > span").forEach((text) => text.remove());
    plot.append(...(asDrawn ? state.texts : axes(plot, state.now)));
    if (asDrawn) plot.querySelector(".grid").setAttribute("d", state.grid);
    plot.classList.toggle("zoomed", zooming.isZoomed(plot));
    plot.parentElement.querySelector("[data-zoom='0']")?.toggleAttribute("hidden", !zooming.isZoomed(plot));
  }

  // By a factor around a place, in shares of what is seen.
  function by(plot, factor, x = 0.5, y = 0.5) {
    const [left, top, wide, high] = stateOf(plot).now, { home } = stateOf(plot);
    const w = within(wide / factor, home[2] / DEEPEST, home[2]), h = within(high / factor, home[3] / DEEPEST, home[3]);
    show(plot, [left + (wide - w) * x, top + (high - h) * y, w, h]);
  }

  // Where the curve is in the middle of what is seen, from top to bottom: there it is zoomed into where nobody points.
  function middleOf(plot) {
    const [left, top, wide, high] = stateOf(plot).now, curve = plot.querySelector(".typical");
    let low = 0, up = curve.getTotalLength();
    if (!up) return 0.5;
    while (up - low > 1) {
      const middle = (low + up) / 2;
      if (curve.getPointAtLength(middle).x < left + wide / 2) low = middle;
      else up = middle;
    }
    return within((curve.getPointAtLength(low).y - top) / high, 0, 1);
  }

  function move(plot, x, y) {
    const [left, top, wide, high] = stateOf(plot).now;
    show(plot, [left + x * wide, top + y * high, wide, high]);
  }

  const isZoomed = (plot) => stateOf(plot).now.some((one, i) => one !== stateOf(plot).home[i]);
  const reset = (plot) => show(plot, stateOf(plot).home);

  // All of it is now this much, or again what was drawn.
  function extend(plot, box) {
    const state = stateOf(plot);
    state.home = box ?? state.first;
    show(plot, state.home);
  }

  // A copy of a plot as it was drawn, wherever the reader has gone in it.
  function renew(copy, plot) {
    const state = stateOf(plot);
    delete copy.dataset.listens;
    copy.classList.remove("zoomed");
    svgOf(copy).setAttribute("viewBox", state.first.join(" "));
    copy.querySelector(".grid").setAttribute("d", state.grid);
    copy.querySelectorAll(":scope > span").forEach((text) => text.remove());
    copy.append(...state.texts.map((text) => text.cloneNode(true)));
  }

  // As far into one as into the other.
  const like = (plot, other) => { if (isZoomed(other)) show(plot, stateOf(other).now); };

  // ---- mouse and fingers

  const fingers = new Map();  // of the plot that is touched: pointer -> where it is
  const placeIn = (plot, { clientX, clientY }) => {
    const box = svgOf(plot).getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  const middle = (places) => [0, 1].map((i) => places.reduce((sum, place) => sum + place[i], 0) / places.length);
  const apart = (places) => places.length > 1 ? Math.hypot(places[0][0] - places[1][0], places[0][1] - places[1][1]) : 1;

  function dragged(plot, event) {
    if (!fingers.has(event.pointerId)) return;
    const was = [...fingers.values()];
    fingers.set(event.pointerId, placeIn(plot, event));
    const now = [...fingers.values()], [from, to] = [middle(was), middle(now)];
    if (now.length > 1) by(plot, apart(now) / Math.max(apart(was), 0.01), ...to);
    if (isZoomed(plot)) move(plot, from[0] - to[0], from[1] - to[1]);
  }

  function pressed(plot, event) {
    if (event.pointerType === "mouse" && (event.button || !isZoomed(plot))) return;
    fingers.set(event.pointerId, placeIn(plot, event));
    if (isZoomed(plot) || fingers.size > 1) plot.setPointerCapture(event.pointerId);
  }

  // In a card only with Ctrl, which is what two fingers on a touchpad send, too: else the page could not be scrolled.
  function wheeled(plot, event) {
    if (!event.ctrlKey && !plot.closest("dialog")) return;
    event.preventDefault();
    by(plot, STEP ** (-event.deltaY / 100), ...placeIn(plot, event));
  }

  function listen(plot) {
    plot.dataset.listens = "";
    plot.addEventListener("wheel", (event) => wheeled(plot, event), { passive: false });
    plot.addEventListener("pointermove", (event) => dragged(plot, event));
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) plot.addEventListener(end, ({ pointerId }) => fingers.delete(pointerId));
    plot.addEventListener("dblclick", (event) => by(plot, STEP * STEP, ...placeIn(plot, event)));
  }

  // As soon as somebody is there: what listens to the wheel costs smoothness.
  const plotOf = (target) => target.closest?.(".plot[data-stops]");
  for (const begin of ["pointerover", "pointerdown"]) document.addEventListener(begin, (event) => {
    const plot = plotOf(event.target);
    if (plot && !("listens" in plot.dataset)) listen(plot);
    if (plot && begin === "pointerdown") pressed(plot, event);
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-zoom]");
    if (button) zooming.key(button.closest(".chart").querySelector(".plot"), button.dataset.zoom);
  });

  // ---- keys

  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  // Whether the key means something to this chart; arrows do while it is zoomed and has the focus.
  zooming.key = (plot, key) => {
    const zoomed = isZoomed(plot), has = document.activeElement === plot && zoomed;
    if (key === "+" || key === "=") by(plot, STEP, 0.5, middleOf(plot));
    else if (key === "-") by(plot, 1 / STEP);
    else if (key === "0" || (key === "Escape" && (has || (zoomed && !plot.closest("dialog"))))) reset(plot);
    else if (MOVES[key] && has) move(plot, ...MOVES[key].map((one) => one * SHARE));
    else return false;
    if (isZoomed(plot)) plot.focus({ preventScroll: true });
    else if (has) plot.closest(".card, dialog")?.focus({ preventScroll: true });
    return true;
  };
  Object.assign(zooming, { extend, isZoomed, like, renew, reset });

  // ---- buttons, where there is a script

  const words = byId("large").dataset;
  zooming.tools = (chart) => {
    const button = (key, text, label) => made("button", { type: "button", tabindex: "-1", "data-zoom": key, "aria-label": label, title: label }, text);
    const tools = made("span", { class: "zoom" }, button("+", "+", words.zoom_in), button("-", "\u2212", words.zoom_out), button("0", "\u21ba", words.zoom_reset));
    tools.lastChild.hidden = true;
    chart.querySelector(".plot").tabIndex = -1;
    chart.querySelector(".axis:last-of-type").append(tools);
  };
  document.querySelectorAll(".card .chart").forEach(zooming.tools);
}
