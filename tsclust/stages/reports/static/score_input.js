// Text -> recordings: numbers as they are pasted, or a table with one recording a row, or one value a row.
const reading = {};
{
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, WITH_COMMA = /^[+-]?(\d+,\d*|\d*,\d+)(e[+-]?\d+)?$/i;
  const MISSING = /^(nan|null|na|n\/a|none|\\n|-)?$/i, ENDLESS = /^([+-]?)inf(inity)?$/i;
  const IDS = ["series_id", "id"], VALUES = ["values", "value"], LISTED = /^[[{(].*[\]})]$/s;
  const ORDER = /^(t|time|ts|timestamp|index|position|pos|sample|step|n|x|seconds|ms|order)$/i;
  const FEWEST = 8;  // numbers that make a row without a head a recording

  class InputError extends Error {
    constructor(key, words = {}) {
      super(key);
      Object.assign(this, { key, words });
    }
  }

  // A number, NaN for a missing one, undefined for anything else. comma: 1,5 is one and a half.
  function number(text, comma) {
    const bare = text.trim();
    if (NUMBER.test(bare)) return Number(bare);
    if (comma && WITH_COMMA.test(bare)) return Number(bare.replace(",", "."));
    if (MISSING.test(bare)) return NaN;
    const endless = ENDLESS.exec(bare);
    return endless ? (endless[1] === "-" ? -Infinity : Infinity) : undefined;
  }

  function numberOf(text, comma, line) {
    const found = number(text, comma);
    if (found === undefined) throw new InputError("no_number", { line, text: text.trim().slice(0, 40) });
    return found;
  }

  // ---- cells

  const bare = (line) => /["[{(]/.test(line) ? line.replace(/"[^"]*"|[[{(][^\]})]*[\]})]/g, "") : line;

  // What stands between cells: a tab, a semicolon, a comma, spaces, or "" where each line is one cell.
  function between(lines) {
    const some = lines.slice(0, 50).map(({ text }) => bare(text));
    if (some.every((text) => text.includes("\t"))) return "\t";
    if (some.some((text) => text.includes(";"))) return ";";
    if (someCommas(some) && rising(some)) throw new InputError("ambiguous", { line: lines[0].line, text: lines[0].text.trim().slice(0, 40) });
    if (spaced(some) || someCommas(some)) return /\S\s+\S/.test(some.at(-1).trim()) ? " " : "";
    if (some.some((text) => text.includes(","))) return isNamed(some) ? "" : ",";
    return some.every((text) => /^\S+(\s+\S+)+$/.test(text.trim())) ? " " : "";
  }

  // 1,5 2,5 3: numbers with a decimal comma and spaces between.
  const spaced = (some) => some.every((text) => {
    const words = text.trim().split(/\s+/);
    return words.length > 1 && words.every((word) => NUMBER.test(word) || WITH_COMMA.test(word) && /\d,\d/.test(word));
  });
  // 1,5 below 2,5 below 3,5: a recording of two values is none.
  const someCommas = (some) => some.length >= FEWEST && some.every((text) => WITH_COMMA.test(text.trim()) || NUMBER.test(text.trim()))
    && some.some((text) => /\d,\d/.test(text));

  // 0,10 above 1,13 above 2,16: a time and a value as well as decimal commas.
  const rising = (some) => some.every((text, i) => /\d,\d/.test(text) && (i === 0 || parseInt(text, 10) > parseInt(some[i - 1], 10)));

  // A name above them, without a comma: those below are decimal ones.
  const isNamed = (some) => some.length > 1 && !some[0].includes(",") && number(some[0], true) === undefined && some[0].trim() !== "";

  function cells(text, gap) {
    if (gap === "") return [text.trim()];
    if (gap === " ") return text.trim().split(/\s+/);
    return /["[{(]/.test(text) ? quoted(text, gap) : text.split(gap);
  }

  // A gap in quotes or in brackets is none.
  function quoted(text, gap) {
    const found = [""];
    let inside = false, deep = 0;
    for (let i = 0; i < text.length; i++) {
      const c = text[i];
      if (c === '"' && inside && text[i + 1] === '"') found[found.length - 1] += text[++i];
      else if (c === '"') inside = !inside;
      else if (c === gap && !inside && deep <= 0) found.push("");
      else {
        if (!inside) deep += /[[{(]/.test(c) - /[\]})]/.test(c);
        found[found.length - 1] += c;
      }
    }
    return found;
  }

  // What may be the numbers of a list in one cell: [1, 2], {1,2}, 1 2, 1,5;2,5. comma: 1,5 is one and a half.
  function pieces(text) {
    const inner = text.trim().replace(/^[[{(]|[\]})]$/g, "").trim();
    if (inner === "") return { all: [], comma: true };
    const spaces = spaced([inner]), gap = inner.includes(";") ? ";" : spaces ? /\s+/ : inner.includes(",") ? "," : /\s+/;
    return { all: inner.split(gap), comma: gap !== "," };
  }

  function list(text, line) {
    const { all, comma } = pieces(text);
    return all.map((one) => numberOf(one, comma, line));
  }

  // Without brackets several numbers and nothing else: neither a date with a time nor "Hall 3 4".
  function isList(text) {
    if (LISTED.test(text.trim())) return true;
    const { all, comma } = pieces(text);
    return all.length > 1 && number(text, true) === undefined && all.every((one) => number(one, comma) !== undefined) && all.some((one) => NUMBER.test(one.trim()) || WITH_COMMA.test(one.trim()));
  }

  // ---- layouts

  // carried: names of the columns by which a model tells recordings apart.
  function read(text, carried) {
    if (text.includes("\0")) throw new InputError("no_text");
    const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/).map((one, i) => ({ text: one, line: i + 1 })).filter((one) => one.text.trim() !== "");
    if (!lines.length) throw new InputError("empty");
    const gap = between(lines), comma = gap !== ",", rows = lines.map((one) => ({ line: one.line, cells: cells(one.text, gap) }));
    const isHead = rows[0].cells.some((cell) => number(cell, comma) === undefined && !LISTED.test(cell.trim()));
    return isHead ? table(rows, comma, carried) : plain(rows, comma);
  }

  const recording = (id, values, carriedBy = {}) => ({ id, values: Float64Array.from(values), carried: carriedBy });

  // Without a head: a recording a row where rows are long, else one value a row.
  function plain(rows, comma) {
    if (rows.some(({ cells: all }) => all.some((cell) => LISTED.test(cell.trim())))) {
      return { series: rows.map(({ line, cells: all }, i) => recording(String(i + 1), all.flatMap((cell) => list(cell, line)))), ignored: [] };
    }
    const widths = rows.map(({ cells: all }) => all.length), numbers = rows.map(({ line, cells: all }) => all.map((cell) => numberOf(cell, comma, line)));
    if (rows.length === 1 || widths.every((width) => width >= FEWEST)) return { series: numbers.map((one, i) => recording(String(i + 1), one)), ignored: [] };
    if (widths.every((width) => width === 1)) return { series: [recording("1", numbers.flat())], ignored: [] };
    const rising = widths.every((width) => width === 2) && numbers.every(([at], i) => i === 0 || at > numbers[i - 1][0]);
    if (rising) return { series: [recording("1", numbers.map(([, value]) => value))], ignored: ["1"] };
    throw new InputError("no_head", { line: rows.find(({ cells: all }) => all.length < FEWEST).line });
  }

  const same = (one, other) => one.trim().toLowerCase() === other.toLowerCase();

  function table([head, ...rows], comma, carried) {
    const names = head.cells.map((name) => name.trim()), at = (wanted) => names.findIndex((name) => wanted.some((one) => same(name, one)));
    const twice = names.find((name, i) => name && names.indexOf(name) < i);
    if (twice !== undefined) throw new InputError("twice", { column: twice });
    if (!rows.length) throw new InputError("only_head");
    const long = rows.find(({ cells: all }) => all.length > names.length && all.slice(names.length).some((cell) => cell.trim()));
    if (long) throw new InputError("too_many", { line: long.line, cells: long.cells.length, columns: names.length });
    const places = { id: at(IDS), carried: carried.map((name) => [name, at([name])]).filter(([, place]) => place >= 0) };
    const taken = new Set([places.id, ...places.carried.map(([, place]) => place)]);
    const others = names.map((_, i) => i).filter((i) => !taken.has(i));
    const found = one(rows, others, names) ?? numbered(names, others) ?? lasting(rows, others, names, comma);
    if (!found) throw new InputError("no_values", { columns: names.filter(Boolean).join(", ").slice(0, 200) });
    const told = (row) => ({
      id: places.id >= 0 ? (row.cells[places.id] ?? "").trim() : null,
      carriedBy: Object.fromEntries(places.carried.map(([name, place]) => [name, (row.cells[place] ?? "").trim()])),
    });
    const used = new Set([...taken, ...(found.used ?? found.places)]);
    const ignored = names.filter((name, i) => name && !used.has(i)), missing = carried.filter((name) => !places.carried.some(([there]) => there === name));
    const series = found.form === "list" ? rows.map((row, i) => asList(row, i, found.places[0], told(row)))
      : found.form === "wide" ? rows.map((row, i) => asRow(row, i, found.places, told(row), comma)) : below(rows, found, told, comma);
    return { series, ignored, missing, numbered: places.id < 0 };
  }

  // A column of lists.
  function one(rows, others, names) {
    const ofLists = (i) => rows.slice(0, 20).every(({ cells: all }) => isList(all[i] ?? ""));
    const place = others.find((i) => VALUES.includes(names[i].toLowerCase()) && ofLists(i)) ?? others.find(ofLists);
    return place === undefined ? null : { form: "list", places: [place] };
  }

  // v1, v2, ...: those of most numbers with the same beginning.
  function numbered(names, others) {
    const sets = new Map();
    for (const i of others) {
      const found = /^(.*?)(\d+)$/.exec(names[i]);
      if (found) sets.set(found[1], [...(sets.get(found[1]) ?? []), [Number(found[2]), i]]);
    }
    const most = [...sets.values()].sort((a, b) => b.length - a.length)[0] ?? [];
    return most.length < FEWEST ? null : { form: "wide", places: most.sort((a, b) => a[0] - b[0]).map(([, i]) => i) };
  }

  // A value a row: the column `value`, or the only one of numbers; in the order of a column that is called like a time.
  function lasting(rows, others, names, comma) {
    const ofNumbers = others.filter((i) => rows.slice(0, 200).every(({ cells: all }) => number(all[i] ?? "", comma) !== undefined));
    const called = (i) => names[i].replace(/\s*[[(].*$/, "").toLowerCase();  // without a unit
    const times = ofNumbers.filter((i) => !VALUES.includes(called(i)) && (ORDER.test(called(i)) || ofNumbers.length === 2 && i === ofNumbers[0] && rises(rows, i, comma)));
    const order = times[0], rest = ofNumbers.filter((i) => i !== order);
    const value = others.find((i) => VALUES.includes(called(i))) ?? (rest.length === 1 ? rest[0] : undefined);
    return value === undefined ? null : { form: "long", places: [value], order, called: names[order], used: [value, order] };
  }

  // From row to row, as a time does; where it falls, another recording begins.
  const rises = (rows, i, comma) => {
    const all = rows.slice(0, 200).map(({ cells: row }) => number(row[i] ?? "", comma)), falls = all.filter((at, n) => n > 0 && at <= all[n - 1]).length;
    return all.length >= FEWEST && falls <= all.length / FEWEST;
  };

  // A recording a row has the number of its row where no column names it; one that a column leaves without a name is refused.
  function named(id, i, line) {
    if (id === "") throw new InputError("blank_id", { line });
    return id ?? String(i + 1);
  }
  const asList = (row, i, place, { id, carriedBy }) => recording(named(id, i, row.line), list(row.cells[place] ?? "", row.line), carriedBy);

  // Cells that are empty at the end are no values: recordings differ in length.
  function asRow(row, i, places, { id, carriedBy }, comma) {
    const all = places.map((place) => row.cells[place] ?? "");
    while (all.length && all.at(-1).trim() === "") all.pop();
    return recording(named(id, i, row.line), all.map((cell) => numberOf(cell, comma, row.line)), carriedBy);
  }

  // Raises where rows of several recordings would become one: there is no telling them apart afterwards.
  function below(rows, { places: [place], order, called }, told, comma) {
    const all = new Map();
    for (const row of rows) {
      const { id, carriedBy } = told(row), { line } = row, name = named(id, 0, line);
      if (!all.has(name)) all.set(name, { carriedBy, values: new Map() });
      const { carriedBy: first, values } = all.get(name), at = order === undefined ? values.size : numberOf(row.cells[order] ?? "", comma, line);
      const apart = Object.keys(first).find((column) => first[column] !== carriedBy[column]);
      if (apart !== undefined) throw new InputError("two_names", { line, id: brief(name), column: apart, one: brief(first[apart]), other: brief(carriedBy[apart]) });
      if (!Number.isFinite(at)) throw new InputError("blank_order", { line, column: called });
      if (values.has(at)) throw new InputError("repeated", { line, id: brief(name), column: called, at });
      values.set(at, numberOf(row.cells[place] ?? "", comma, line));
    }
    return [...all].map(([id, { carriedBy, values }]) => recording(id, [...values].sort(([a], [b]) => a - b).map(([, value]) => value), carriedBy));
  }
  const brief = (text) => text.slice(0, 40);

  // The text of a carried column as the model knows it: 007 is 7 where it is a whole number. type: what Arrow calls it.
  function canonical(text, type) {
    if (/^u?int\d+$/.test(type) && /^[+-]?\d+(\.0*)?$/.test(text)) return String(BigInt(text.replace(/\..*|\+/g, "")));
    if (/^(double|float|halffloat)$/.test(type) && NUMBER.test(text)) return Number.isInteger(Number(text)) ? `${Number(text)}.0` : String(Number(text));
    return type === "bool" ? text.toLowerCase() : text;
  }
  Object.assign(reading, { read, canonical, InputError });
}
