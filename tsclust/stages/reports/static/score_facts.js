// Which facts are stated of a series: facts.py and plateau.py of tsclust, whose limits come with the page.

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
    const shown = left.filter((one) => this.isSaid(one, left)).map((one) => this.called(one));  // of what is not, others may come
    return shown.sort((a, b) => Math.abs(b.away) - Math.abs(a.away)).slice(0, SENTENCES);
  }

  // Not what there is no peak for, nor once more how much higher all of a plateau is.
  isSaid(one, others) {
    if (this.havePeaks()) return true;
    const isSame = (top) => top.feature === "highest" && this.isLevel(one) && Math.abs(this.along(top, one) - 1) <= this.limits.SAME;
    return !this.isOfPeak(one) && !others.some(isSame);
  }

  // Under the name of what the curve shows there.
  called(one) {
    const below = one.feature === "return_level" && one.usual < -this.limits.EDGE * this.usualOf("peak_height");
    return below ? { ...one, feature: "below_rest" } : one;
  }

  isOfPeak({ feature }) {
    return ["peak_height", "peak_position", "peak_width", "decay_time"].includes(feature);
  }

  isLevel({ feature }) {
    return ["side_mean", "p25", "p50", "p75"].includes(feature);
  }

  // How far it is from normal, as a share of how far another is.
  along(cause, one) {
    return (one.value - one.usual) / (cause.value - cause.usual || NaN);
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
  hasPeak(at, plateau, normally) {
    const { PEAK, REACH, NARROW, TOWERS, TURNS, PLATEAU } = this.limits;
    const position = at("peak_position"), most = NARROW * at("run_length");
    if (plateau.samples < PLATEAU) return !(position > most || at("peak_width") > most);
    const many = position - normally > most || plateau.turns >= TURNS;
    const level = at("side_mean"), rise = many ? TOWERS * at("side_rise") : 0;
    const least = [PEAK * (level + REACH * at("side_std")), level + rise];
    return !least.some((one) => at("peak_height") < one);
  }

  havePeaks() {
    const both = [[(name) => this.valueNow(name), this.now], [(name) => this.usualOf(name), this.usual]];
    return both.every(([at, plateau]) => this.hasPeak(at, plateau, this.usualOf("peak_position")));
  }

  // What is stated of the highest value where it is no peak, or normally is none: how high it is, and when 90 % of it are reached.
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
    if (this.isOfPeak(cause) && this.isLevel(one) && !this.havePeaks()) return false;
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
      const along = this.along(cause, one);
      return one.usual / (cause.usual || NaN) >= 0.5 && along >= 0 && along <= this.limits.EXPLAINED;
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
