// The curves that are packed into the page: of each card up to 200 members, more than are drawn in it.
const packedCurves = {};
{
  const MISSING = 0xffffffff, words = byId("large").dataset, lang = document.documentElement.lang;

  // Whole numbers, of which the first bytes stand together, then the second ones, and so on.
  function values(planes, { lengths, quanta }) {
    const many = lengths.reduce((sum, one) => sum + one, 0);
    let from = 0;
    return lengths.map((length, n) => {
      let now = 0;
      const curve = Float64Array.from({ length }, (_, i) => {
        const at = from + i, code = planes[at] + planes[many + at] * 256 + planes[2 * many + at] * 65536 + planes[3 * many + at] * 16777216;
        if (code === MISSING) return NaN;
        now += code % 2 ? -(code + 1) / 2 : code / 2;
        return now * quanta[n];
      });
      from += length;
      return curve;
    });
  }

  // Samples after the start, one after the other where nothing else is said.
  function places({ lengths, first, at }) {
    return lengths.map((length, n) => {
      let now = first[n];
      return Array.from({ length }, (_, i) => (now += i ? at[n]?.[i - 1] ?? 1 : 0));
    });
  }

  async function read() {
    const bytes = await unpackedBytes("curves"), size = new DataView(bytes).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, size)));
    const all = { ...head, values: values(new Uint8Array(bytes, 4 + size), head), places: places(head) };
    return { ...all, index: new Map(all.ids.map((id, i) => [id, i])) };
  }

  let once = null;
  // All of them; null where there are none, or the browser cannot unpack them.
  packedCurves.all = () => (once ??= byId("curves")?.textContent ? read().catch(() => null) : Promise.resolve(null));

  // ---- what is carried, for people

  const day = (text) => {
    const [year, month, date] = text.split("-").map(Number);
    return filled(filled(filled(words.date, date, "DD"), year, "YYYY"), JSON.parse(words.months)[month - 1], "MM");
  };
  // As short as it can be read by everyone.
  packedCurves.day = (text) => {
    const [year, month, date] = text.split("-"), { day: form, short } = words;
    const days = filled(filled(form, date, "DD"), Number(date), "D");
    return filled(filled(filled(days, JSON.parse(short)[month - 1], "MMM"), month, "MM"), year, "YYYY");
  };
  const moment = ([text, zone]) => {
    const [date, time] = text.split(" ");
    return day(date) + (time ? `, ${time}` : "") + (zone ? ` ${zone}` : "");
  };
  // With so many significant digits; the very large and small by powers of ten, as in the rest of the page.
  packedCurves.number = (value, digits) => {
    const plain = new Intl.NumberFormat(lang, { maximumSignificantDigits: digits, useGrouping: true });
    if (!value || (Math.abs(value) >= 1e-5 && Math.abs(value) < 1e9)) return plain.format(value).replace("-", "\u2212");
    return value.toExponential(digits - 1).replace(".", plain.format(1.5)[1]).replace(/e([+-])(\d)$/, "e$10$2");
  };
  packedCurves.cell = (value) => {
    if (value === null) return words.nothing;
    if (Array.isArray(value)) return moment(value);
    if (typeof value !== "number") return value;
    return Number.isInteger(value) ? String(value) : packedCurves.number(value, 6);
  };
  packedCurves.cells = (all, n) => [packedCurves.name(all, n), ...all.columns.map((column) => packedCurves.cell(column[n]))];
  // What it is found by: times also as they stand under the small curves, and as 2024-03-12.
  packedCurves.known = (all, n) => {
    const times = all.columns.map((column) => column[n]).filter(Array.isArray);
    return [...packedCurves.cells(all, n), ...times.flatMap((time) => [packedCurves.day(time[0].slice(0, 10)), time[0]])];
  };
  packedCurves.name = (all, i) => all.texts[i] ?? all.ids[i];

  // ---- drawing

  // Units from the top, of a frame whose scale is [value, units] by which it is straight.
  function units(stops, value) {
    const at = Math.max(1, stops.findIndex(([stop]) => value <= stop)), n = value > stops.at(-1)[0] ? stops.length - 1 : at;
    const [[low, bottom], [high, top]] = [stops[n - 1], stops[n]];
    return bottom + (value - low) / (high - low) * (top - bottom);
  }

  // [x, units] of curve n; `to`: as if it were of the machine, or regime, whose usual curve that is.
  packedCurves.points = (all, n, stops, to = -1) => {
    const points = to >= 0 ? packedCurves.transferred(all, n, to) : all.places[n].map((x, i) => [x, all.values[n][i]]);
    return points.map(([x, value]) => [x, units(stops, value)]);
  };
  packedCurves.path = (points) => {
    let pen = false, path = "";
    for (const [x, y] of points) {
      if (Number.isFinite(y)) path += `${pen ? "L" : "M"}${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
      pen = Number.isFinite(y);
    }
    return path;
  };
  packedCurves.units = units;
}
