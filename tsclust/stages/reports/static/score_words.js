// What is unusual of a series, in the words that tsclust uses: unusual.py and language.py of tsclust, whose limits and
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
