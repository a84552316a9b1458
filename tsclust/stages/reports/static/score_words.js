// What is unusual of a series, in the words that tsclust uses: facts.py, unusual.py and language.py of tsclust, whose limits and
// texts come with the page.
class Wording {
  constructor(tables) {
    Object.assign(this, tables);
    this.plurals = new Intl.PluralRules(document.documentElement.lang);
  }

  // ---- numbers

  // With exactly so many decimals; half to even, as Python rounds what lies in the middle exactly.
  digits(value, decimals) {
    const size = Math.abs(value), exact = size.toFixed(Math.min(100, decimals + 60)), cut = exact.length - (Math.min(100, decimals + 60) - decimals);
    if (!/^50*$/.test(exact.slice(cut))) return size.toFixed(decimals);
    const down = exact.slice(0, cut).replace(/\.$/, "");
    return Number(down.at(-1)) % 2 ? size.toFixed(decimals) : down;
  }

  fixed(value, decimals) {
    if (!Number.isFinite(value)) return "–";
    const { decimal, group } = this.texts.numbers, [whole, rest] = this.digits(value, decimals).split(".");
    const text = whole.replace(/\B(?=(\d{3})+$)/g, group) + (rest ? decimal + rest : "");
    return (value < 0 && /[1-9]/.test(text) ? "−" : "") + text;
  }

  number(value, digits = 3) {
    if (value && Number.isFinite(value) && !(Math.abs(value) >= 1e-5 && Math.abs(value) < 1e9)) {
      return value.toExponential(digits - 1).replace(/e([+-])(\d)$/, "e$10$2").replace(".", this.texts.numbers.decimal);
    }
    return this.rounded(value, this.decimals(value, digits));
  }

  rounded(value, decimals) {
    const text = this.fixed(value, decimals);
    if (!decimals) return text;
    const short = text.replace(/0+$/, "");
    return short.endsWith(this.texts.numbers.decimal) ? short.slice(0, -1) : short;
  }

  decimals(value, digits) {
    if (!value || !Number.isFinite(value)) return 0;
    return Math.min(Math.max(0, digits - 1 - Number(Math.abs(value).toExponential().split("e")[1])), 12);
  }

  round(value, decimals) {
    return Math.sign(value) * Number(this.digits(value, decimals));
  }

  share(share) {
    const percent = share * 100, rest = 100 - percent;
    const n = rest > 1e-9 && rest <= 0.5 ? this.rounded(percent, this.decimals(rest, 1))
      : percent >= 10 ? this.fixed(percent, 0) : this.number(percent, 2);
    return this.filled(this.texts.numbers.percent, { n });
  }

  plural(n, what) {
    return this.texts.plurals[what][this.plurals.select(n)] ?? this.texts.plurals[what].other;
  }

  counted(n, what) {
    return `${Number.isInteger(n) ? this.fixed(n, 0) : this.number(n)}\u00a0${this.plural(n, what)}`;
  }

  lasting(samples) {
    if (this.seconds) return `${this.number(samples * this.seconds, 2)}\u00a0${this.texts.numbers.second}`;
    return this.counted(this.round(samples, samples >= 10 ? 0 : 1), "sample");
  }

  filled(text, words) {
    return text.replace(/\{(\w+)\}/g, (_, name) => words[name]).replaceAll("  ", " ");
  }

  // ---- a sentence for a fact

  sentence(u) {
    const { worded, whole, features, sentences } = this.texts;
    if (Object.hasOwn(worded, u.feature)) {
      const [thing, more, less] = worded[u.feature];
      return this.filled(sentences.worded, { thing, how: u.away > 0 ? more : less });
    }
    if (Object.hasOwn(whole, u.feature) && u.times !== null) return this.byFactor("", "", u.times, whole[u.feature]);
    const [thing, measure, less] = features[u.feature] ?? [u.feature, ""], level = this.named_levels.includes(u.feature);
    if (less) return this.filled(sentences.longer, { thing, more: u.value > u.usual ? measure : less, n: this.lasting(Math.abs(u.value - u.usual)) });
    if (this.to_peak.includes(u.feature)) return this.filled(sentences.of_peak, { thing, measure, value: this.share(u.value), usual: this.share(u.usual) });
    if (u.times !== null && Math.abs(u.times - 1) >= 0.1) return this.byFactor(thing, measure, u.times, sentences, level ? "level_" : "");
    if (u.unit === "value" && level) return this.by(thing, measure, u.value - u.usual);
    if (u.feature === "highest_at") return this.filled(sentences.at, { thing, value: this.lasting(u.value), usual: this.lasting(u.usual) });
    return this.instead(u, thing, measure);
  }

  by(thing, measure, more) {
    const value = this.number(Math.abs(more), 2) + (this.unit ? `\u00a0${this.unit}` : "");
    return this.filled(this.texts.sentences[more > 0 ? "higher" : "lower"], { thing, measure, value });
  }

  byFactor(thing, measure, times, said, of = "") {
    if (times < this.limits.FROM_TIMES) {
      return this.filled(said[of + (times < 1 ? "less" : "more")], { thing, measure, share: this.share(Math.abs(times - 1)) });
    }
    const n = Math.min(this.round(times, this.decimals(times, 2)), this.limits.MOST_TIMES);
    return this.filled(said[n === this.limits.MOST_TIMES ? "over" : "times_more"], { thing, measure, n: this.number(n), times: this.plural(n, "times") });
  }

  instead(u, thing, measure) {
    const decimals = this.decimals(Math.max(Math.abs(u.value), Math.abs(u.usual)), 2);
    const of = (more) => [u.value, u.usual].map((one) => this.rounded(one, decimals + more));
    const [same, as] = of(0), [value, usual] = same === as ? of(1) : [same, as];
    const unit = this.unit && u.unit === "value" && Object.hasOwn(this.texts.features, u.feature) ? `\u00a0${this.unit}` : "";
    return this.filled(this.texts.sentences.instead, { thing, measure, value: value + unit, usual });
  }

  // ---- which facts are stated

  // features: [name, unit]; x, center, spread and z of each.
  sentences(features, x, center, spread, z) {
    const size = Object.fromEntries(features.map(([name], i) => [name, center[i]]));
    const every = new Map(features.map(([feature, unit], i) => {
      const times = center[i] > this.least(feature, unit, spread[i], size) && center[i] > 0 && x[i] / center[i] > 0 ? x[i] / center[i] : null;
      return [feature, { feature, unit, value: x[i], usual: center[i], times, away: z[i] }];
    }));
    return new Facts(every, this).stated().map((one) => this.sentence(one));
  }

  least(feature, unit, spread, size) {
    const peak = size.peak_height ?? 0, { NEAR_ZERO } = this.limits;
    if (0 > this.limits.OFFSET * (size.peak_height ?? Infinity)) return Infinity;
    const of = { value: peak, "value x samples": peak * (size.run_length ?? 0) };
    const most = NEAR_ZERO * (feature.endsWith("_to_peak") ? 1 : of[unit] ?? Infinity);
    return most > 2 * spread ? most : 2 * spread;
  }
}

// How a plateau moves; `at` gives a feature, NaN for one that there is not.
class Plateau {
  constructor(at, limits) {
    const others = ["peak_position", "decay_time", "return_time"].map((name) => at(name) || 0);
    this.samples = at("run_length") - (others[0] + others[1] + others[2]);
    this.range = at("side_rise") + at("side_fall");
    this.turns = this.range > 0 ? at("side_roughness") * this.samples / this.range : 0;
    const sine = 2 * Math.SQRT2 * at("side_std");
    this.swing = at("side_std") >= 0 && sine < this.range ? sine : this.range;
    const drift = at("side_slope") * this.samples;
    this.drift = Math.min(Math.max(drift, -this.range), this.range);
    Object.assign(this, { regular: at("side_oscillation"), step: at("side_step"), stepwise: !(at("step_or_line") < limits.STEPWISE), limits });
  }

  get way() {
    const { TURNS, REGULAR, MOST } = this.limits, most = MOST * this.range;
    if (this.turns >= TURNS) return this.regular >= REGULAR ? "plateau_swing" : "side_roughness";
    const [jumps, drifts] = [this.step, this.drift].map((one) => Math.abs(one) >= most && most > 0);
    if (jumps && this.stepwise) return this.step > 0 ? "step_up" : "step_down";
    return drifts ? (this.drift > 0 ? "level_rises" : "level_falls") : "";
  }

  by(way) {
    const size = { plateau_swing: this.swing, step_up: this.step, step_down: -this.step, level_rises: this.drift, level_falls: -this.drift };
    return 0 > (size[way] ?? 0) ? 0 : size[way] ?? 0;
  }
}

class Facts {
  constructor(every, wording) {
    Object.assign(this, { every, ...wording, wording });
    [this.now, this.usual] = ["value", "usual"].map((which) => new Plateau((name) => every.get(name)?.[which] ?? NaN, wording.limits));
  }

  stated() {
    const { STANDS_OUT, SENTENCES } = this.limits, able = [...this.features(), ...this.tops(), ...this.moves(), ...this.whole()];
    const found = this.ofTopics(able.filter((one) => Math.abs(one.away) >= STANDS_OUT && this.isSeen(one))), left = [];
    const rank = ({ feature }) => this.order.includes(feature) ? this.order.indexOf(feature) : this.order.length;
    for (const one of found.sort((a, b) => rank(a) - rank(b) || Math.abs(b.away) - Math.abs(a.away))) {
      if (!left.some((cause) => this.brings(cause, one))) left.push(one);
    }
    const ofPeak = ["peak_height", "peak_position", "peak_width", "decay_time"], peaks = this.havePeaks();
    const shown = left.filter(({ feature }) => peaks || !ofPeak.includes(feature));  // others may come of them
    return shown.sort((a, b) => Math.abs(b.away) - Math.abs(a.away)).slice(0, SENTENCES);
  }

  features() {
    const silent = new Set(["step_or_line", "side_step", "side_slope", "side_oscillation"]);
    if (!this.ways().includes("side_roughness")) ["side_roughness", "roughness_to_peak"].forEach((name) => silent.add(name));
    if (this.isShort()) [...this.every.keys()].filter((name) => /^(side_|step_)/.test(name) || this.isToPeak(name)).forEach((name) => silent.add(name));
    if (!(this.valueNow("return_time") >= this.limits.RETURN)) silent.add("return_level");
    return [...this.every.values()].filter(({ feature }) => !silent.has(feature));
  }

  isToPeak(name) {
    return this.to_peak.includes(name);
  }

  // Whether the highest value stands out of the plateau; where there is hardly one, whether it is narrow and early.
  hasPeak(at, plateau) {
    const { PEAK, REACH, NARROW, PLATEAU } = this.limits;
    if (plateau.samples < PLATEAU) return !["peak_width", "peak_position"].some((name) => at(name) > NARROW * at("run_length"));
    return !(at("peak_height") < PEAK * (at("side_mean") + REACH * at("side_std")));
  }

  havePeaks() {
    return this.hasPeak((name) => this.valueNow(name), this.now) && this.hasPeak((name) => this.usualOf(name), this.usual);
  }

  // What is stated of the highest value where it is no peak, or normally is none.
  tops() {
    const least = { highest: 0, highest_at: this.limits.FAR * this.usualOf("run_length") };
    const there = [["peak_height", "highest"], ["peak_position", "highest_at"]].filter(([name]) => this.every.has(name));
    const seen = there.map(([name, feature]) => ({ ...this.every.get(name), feature }));
    return this.havePeaks() ? [] : seen.filter((one) => Math.abs(one.value - one.usual) >= least[one.feature]);
  }

  isShort() {
    return this.now.samples < this.limits.PLATEAU || this.usual.samples < this.limits.PLATEAU;
  }

  ways() {
    if (this.isShort()) return [];
    const [now, usual] = this.by(this.usual.way);
    return [...new Set([this.now.way, ...(now < usual ? [this.usual.way] : [])])];
  }

  by(way) {
    if (way === "side_roughness") return [this.valueNow(way), this.usualOf(way)];
    return [this.now.by(way), this.usual.by(way)];
  }

  moves() {
    return this.ways().filter((way) => Object.hasOwn(this.signs, way)).map((way) => {
      const away = Math.max(0, ...this.signs[way].map((name) => Math.abs(this.every.get(name)?.away ?? 0))), [value, usual] = this.by(way);
      return { feature: way, value, usual, times: null, away: value > usual ? away : -away, unit: "value" };
    });
  }

  // One statement where the peak and all levels stand out by about one factor.
  whole() {
    const { STANDS_OUT, ALIKE } = this.limits, levels = this.levels.filter((name) => this.every.has(name)).map((name) => this.every.get(name));
    const times = levels.filter((one) => one.times !== null && Math.abs(one.away) >= STANDS_OUT).map((one) => one.times);
    const peak = this.every.get("peak_height");
    if (!peak || levels.length < 2 || times.length < levels.length) return [];
    const sorted = [...times].sort((a, b) => a - b), half = Math.floor(sorted.length / 2);
    const middle = sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    if (times.some((one) => Math.abs(one / middle - 1) > ALIKE) || Math.abs(middle - 1) <= ALIKE) return [];
    const away = Math.sign(peak.away) * Math.max(...levels.map((one) => Math.abs(one.away)));
    return [{ feature: "whole_curve", value: peak.value, usual: peak.usual, times: middle, away, unit: "value" }];
  }

  isSeen(one) {
    const { EDGE, VISIBLE } = this.limits, name = one.feature, more = Math.abs(one.value - one.usual), peak = this.usualOf("peak_height");
    if (name === "side_skewness" || name === "side_kurtosis") {
      const strays = this.every.get(name === "side_skewness" && one.away > 0 ? "side_rise" : "side_fall");
      return (name === "side_skewness" || one.away > 0) && (!strays || this.isSeen(strays));
    }
    if (["p05", "p25", "p50", "p75", "p95"].includes(name)) return !(more < EDGE * peak);
    if (this.isToPeak(name)) return more >= VISIBLE;
    const twice = 2 * Math.abs(this.usualOf("side_mean")), low = twice < peak ? twice : peak, drawn = peak / 4 > low ? peak / 4 : low;
    return one.unit !== "value" || !(more < VISIBLE * drawn * (name === "side_rise" || name === "side_fall" ? 2 : 1));
  }

  brings(cause, one) {
    const listed = (table) => (table[cause.feature] ?? []).includes(one.feature);
    const certain = ["p05", "p95", "area"].includes(one.feature) || listed(this.certain);
    let likely = Math.abs(cause.away) >= this.limits.LIKELY_FROM * Math.abs(one.away) && listed(this.likely);
    if (cause.feature === "return_time" && one.feature === "side_fall") likely = likely && one.value <= this.limits.TAIL * this.valueNow("side_mean");
    return certain || likely || this.isScaled(cause, one) || this.explains(cause, one);
  }

  isScaled(cause, one) {
    if (cause.feature !== "whole_curve" || !cause.times || !one.usual || !one.unit.startsWith("value")) return false;
    return Math.abs(one.value / one.usual / cause.times - 1) <= 2 * this.limits.ALIKE;
  }

  explains(cause, one) {
    if (one.feature === "rest_level" && cause.feature === "side_mean") {
      const along = (one.value - one.usual) / (cause.value - cause.usual || NaN);
      return along >= 0 && along <= this.limits.EXPLAINED;
    }
    const jumps = ["step_up", "step_down", "level_rises", "level_falls"], { EXPLAINED } = this.limits;
    const share = jumps.includes(cause.feature) ? EXPLAINED : ["side_rise", "side_fall"].includes(cause.feature) ? EXPLAINED / 2 : 0;
    const more = one.value - one.usual, up = ["step_up", "level_rises", "side_rise"].includes(cause.feature) === cause.value > cause.usual;
    return one.feature === "side_mean" && more > 0 === up && Math.abs(more) <= share * Math.abs(cause.value - cause.usual);
  }

  // Of each topic the plainest that is at least half as far from normal as the farthest; what no topic has, too.
  ofTopics(found) {
    const there = new Map(found.map((one) => [one.feature, one])), known = new Set(this.topics.flat());
    const chosen = found.filter(({ feature }) => !known.has(feature));
    for (const topic of this.topics) {
      const all = topic.filter((name) => there.has(name)), plain = all.filter((name) => !this.isToPeak(name));
      const own = (plain.length ? plain : all).map((name) => there.get(name)), farthest = Math.max(0, ...own.map((one) => Math.abs(one.away)));
      chosen.push(...own.filter((one) => Math.abs(one.away) >= farthest / 2).slice(0, 1));
    }
    return chosen;
  }

  valueNow(name) {
    return this.every.get(name)?.value ?? NaN;
  }

  usualOf(name) {
    return this.every.get(name)?.usual ?? NaN;
  }
}
