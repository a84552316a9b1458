// What a model says of a series: the arithmetic of tsclust score, in float64 and in the same order where that matters.
const scoring = {};
{
  // Half to even, as numpy has it.
  function rint(x) {
    const up = Math.round(x);
    return Math.abs(x % 1) === 0.5 && up % 2 !== 0 ? up - 1 : up;
  }
  const onGrid = (x) => rint(x * 1e6) / 1e6;  // six digits, as scores are kept
  const clip = (x, least, most) => Number.isNaN(x) ? x : Math.min(Math.max(x, least), most);

  // ---- features: numba's kernels, compiled to WebAssembly

  class Kernels {
    static async of(bytes) {
      const { instance } = await WebAssembly.instantiate(bytes, { env: { pow: Math.pow } });
      return new Kernels(instance.exports);
    }

    constructor(code) {
      this.code = code;
    }

    // All features of one series; NaN where one is not known.
    describe(values, sign, width) {
      const { reset, alloc, describe, memory } = this.code;
      reset();
      const [at, ends, out] = [8 * values.length, 16, 8 * width].map((size) => alloc(size));
      new Float64Array(memory.buffer, at, values.length).set(values);
      new BigInt64Array(memory.buffer, ends, 2).set([0n, BigInt(values.length)]);
      new Float64Array(memory.buffer, out, width).fill(NaN);
      describe(at, ends, BigInt(sign), out);
      return new Float64Array(memory.buffer, out, width).slice();  // memory may have grown: another buffer
    }
  }

  // ---- rules: a missing value is null, and a comparison with it is neither true nor false; NaN is above all numbers

  const below = (a, b) => !Number.isNaN(a) && (Number.isNaN(b) || a < b);
  const compared = {
    "<": below, ">": (a, b) => below(b, a), "<=": (a, b) => !below(b, a), ">=": (a, b) => !below(a, b),
    "=": (a, b) => !below(a, b) && !below(b, a), "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b,
  };
  function holds(condition, value) {
    if (typeof condition === "number") return condition;
    if (typeof condition === "string") return value(condition);
    const [how, one, other] = condition;
    if (how === "null") return holds(one, value) === null;
    const first = holds(one, value);
    if (how === "not") return first === null ? null : !first;
    if (how === "and" && first === false || how === "or" && first === true) return first;
    const second = holds(other, value);
    if (how === "and") return second === false ? false : first === null || second === null ? null : true;
    if (how === "or") return second === true ? true : first === null || second === null ? null : false;
    return first === null || second === null ? null : compared[how](first, second);
  }

  // ---- what is normal for a series

  class Reference {
    constructor(about, array, { between, clip: most }) {
      Object.assign(this, about, { between, most });
      for (const part of ["centers", "spreads", "offsets", "cells"]) this[part] = array(`${this.name}.${part}`);
      this.found = {};
      for (const part of ["center", "spread", "weights", "places"]) this.found[part] = array(`${this.name}.regimes.${part}`);
      this.rows = new Map(this.keys.map((key, row) => [key, row]));
    }

    // The row of its baseline: 0, that of all series, where the key is not known.
    ofKey(carried) {
      return this.rows.get(this.columns.map((name) => carried[name] ?? "").join(this.between)) ?? 0;
    }

    // The row that a series with features x and these carried columns is compared with.
    row(x, carried) {
      const row = this.ofKey(carried);
      if (!this.regimes) return row;
      if (!this.beside) return 1 + this.nearest(x);
      const d = x.length, moved = x.map((value, i) => value - this.offsets[row * d + i]);
      return this.cells[row * this.regimes + this.nearest(moved)];
    }

    nearest(x) {
      const { center, spread, weights, places } = this.found, d = x.length;
      const placed = x.map((value, i) => clip((value - center[i]) / spread[i], -this.most, this.most) * weights[i]);
      let best = Infinity, at = 0;
      for (let r = 0; r < this.regimes; r++) {
        let away = 0;
        for (let i = 0; i < d; i++) away += (placed[i] - places[r * d + i]) ** 2;
        if (away < best) [best, at] = [away, r];
      }
      return at;
    }
  }

  // ---- classifiers: scaled features (whole steps of the grid) -> a probability for each class

  function linear(array, d, grid) {
    const [mean, scale, weights, intercept] = ["mean", "scale", "weights", "intercept"].map((name) => array(`linear.${name}`));
    const c = intercept.length;
    return (steps) => {
      const total = Float64Array.from(intercept);
      for (let i = 0; i < d; i++) {
        const x = (steps[i] / grid - mean[i]) / scale[i];
        for (let j = 0; j < c; j++) total[j] += x * weights[i * c + j];
      }
      if (c === 1) {
        const second = 1 / (1 + Math.exp(-total[0]));
        return [1 - second, second];
      }
      const most = Math.max(...total), grown = [...total].map((one) => Math.exp(one - most));
      const sum = grown.reduce((a, b) => a + b);
      return grown.map((one) => one / sum);
    };
  }

  // Of all kinds, as its shares stand.
  function forest(array, kinds) {
    const [roots, feature, limit, left, right, shares] =
      ["roots", "feature", "limit", "left", "right", "shares"].map((name) => array(`forest.${name}`));
    return (steps) => {
      const total = new Float64Array(kinds);
      for (const root of roots) {
        let at = root;
        while (feature[at] >= 0) at += steps[feature[at]] <= limit[at] ? left[at] : right[at];
        const row = left[at] * kinds;
        for (let j = 0; j < kinds; j++) total[j] += shares[row + j];
      }
      return [...total].map((one) => one / roots.length);
    };
  }

  // ---- a model

  class Model {
    constructor(about, array, kernels) {
      Object.assign(this, about, { kernels, weights: array("weights"), references: array("references") });
      this.d = this.features.length;
      this.placeOf = new Map(this.names.map((name, at) => [name, at]));
      this.normalFor = new Reference(about.normal, array, about);
      this.typicalFor = new Reference(about.typical, array, about);
      const { form, classes } = about.classifier;
      const decide = form === "linear" ? linear(array, this.d, this.grid) : forest(array, this.kinds.length);
      this.shares = form === "forest" ? decide : (steps) => {
        const all = new Float64Array(this.kinds.length);
        decide(steps).forEach((share, at) => { all[classes[at]] = share; });
        return all;
      };
    }

    // values as recorded, NaN for a missing one; carried: column -> its text.
    score(values, carried) {
      const all = this.kernels.describe(values, this.sign, this.names.length), row = { all, start: all[this.start] || 0 };
      row.rejected = this.rejects(all, carried);
      row.x = this.compared.map((place) => all[place]);
      row.known = this.normalFor.columns.length === 0 || this.normalFor.ofKey(carried) > 0;
      row.normal = row.rejected ? this.normalFor.ofKey(carried) : this.normalFor.row(row.x, carried);
      return row.rejected ? { ...row, said: "impossible" } : { ...row, ...this.answer(row) };
    }

    // The first rule that rejects a series, undefined where none does.
    rejects(all, carried) {
      const kind = this.typicalFor.row(this.typical.compared.map((place) => all[place]), carried), many = this.typical.width;
      const value = (name) => {
        const at = this.placeOf.get(name);
        if (at !== undefined) return Number.isNaN(all[at]) ? null : all[at];
        const [which, place] = this.typical.places[name];
        return this.typicalFor[which === "typical" ? "centers" : "spreads"][kind * many + place];
      };
      return this.rules.find(({ when }) => holds(when, value) === true);
    }

    answer({ x, normal }) {
      const { centers, spreads } = this.normalFor, at = normal * this.d;
      const z = x.map((value, i) => (value - centers[at + i]) / spreads[at + i]);
      const steps = Int16Array.from(z, (one, i) => this.scaled(one, i));
      const warm = Array.from(this.shares(steps), (share) => Math.max(share, 0) ** this.warmth);
      const sum = Math.max(warm.reduce((a, b) => a + b), 1e-300), shares = warm.map((one) => one / sum);
      const kind = shares.reduce((best, share, i) => share > shares[best] ? i : best, 0), probability = onGrid(shares[kind]);
      const strange = this.strangeness(steps);
      const said = strange > 1 ? "none of these" : probability < this.threshold ? "don't know" : this.kinds[kind];
      return { z, shares, kind: this.kinds[kind], probability, novelty: strange, said };
    }

    // In whole steps of the grid.
    scaled(z, i) {
      const far = this.method === "exceedance" ? Math.sign(z) * Math.log1p(Math.max(Math.abs(z) - this.band, 0)) : z;
      return rint(clip(far * this.weights[i], -this.limit, this.limit) * this.grid);
    }

    // The distance to the nearest labelled series, in limits; sums of whole numbers, exact in any order.
    strangeness(steps) {
      const { limit, innermost } = this.novelty, d = this.d, points = this.references;
      let size = 0, nearest = Infinity;
      for (const step of steps) size += step * step;
      if (!(Math.sqrt(size / this.grid ** 2) + innermost > limit)) return 0;
      for (let at = 0; at < points.length; at += d) {
        let away = 0;
        for (let i = 0; i < d && away < nearest; i++) away += (steps[i] - points[at + i]) ** 2;
        if (away < nearest) nearest = away;
      }
      return onGrid(Math.fround(Math.sqrt(Math.fround(nearest / this.grid ** 2))) / limit);
    }
  }

  // The arrays of a model, by name, in what was packed: name -> [type, where, how many].
  const TYPES = { Float64: Float64Array, Float32: Float32Array, Int32: Int32Array, Int16: Int16Array, Uint16: Uint16Array, Int8: Int8Array };
  const arraysIn = (buffer, places) => (name) => {
    const [kind, at, many] = places[name] ?? ["Int8", 0, 0];
    return new TYPES[kind](buffer, at, many);
  };
  Object.assign(scoring, { Kernels, Model, arraysIn });
}
