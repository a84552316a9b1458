// A series as if it were of another machine: what charts/transfer.py does for the band, for each curve that is laid over it.
{
  const OFF = 3, MOVES = 0.03, SAMPLES = 480, known = new Map();  // usual curves: number of the curve -> what is known of it
  const clamped = (value, low, high) => Math.min(Math.max(value, low), high);

  // Straight between points, beyond the ends as at them.
  function interpolated(x, at, values) {
    if (x <= at[0]) return values[0];
    const i = at.findIndex((one) => one >= x);
    if (i < 0) return values.at(-1);
    return values[i - 1] + (x - at[i - 1]) / (at[i] - at[i - 1]) * (values[i] - values[i - 1]);
  }

  function median(values) {
    const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  function farthest(away, i) {
    const near = away.slice(Math.max(0, i - OFF), i + OFF + 1), high = Math.max(...near), low = Math.min(...near);
    return high >= -low ? high : low;
  }

  function usualOf(all, n) {
    const at = all.places[n], values = [...all.values[n]];
    const rest = at[0] < 0 ? median(values.filter((_, i) => at[i] < 0)) : values.at(-1);
    const away = values.map((value) => value - rest), sizes = away.map(Math.abs), largest = Math.max(...sizes);
    const run = [...at.keys()].filter((i) => sizes[i] > MOVES * largest && at[i] >= 0);
    const peak = at[sizes.indexOf(largest)], end = Math.max(run.length ? at[run.at(-1)] + 1 : at.at(-1), peak + 1);
    const size = run.length ? run.reduce((sum, i) => sum + sizes[i], 0) / run.length : 0;
    return { at, away, farthest: away.map((_, i) => farthest(away, i)), rest, peak, end, size, largest };
  }

  function usual(all, n) {
    if (!known.has(n)) known.set(n, usualOf(all, n));
    return known.get(n);
  }

  // A time in a run of the one -> the same time in a run of the other.
  function time(at, one, other) {
    const stops = [[0, 0], ...(Math.min(one.peak, other.peak) > 0 ? [[one.peak, other.peak]] : []), [one.end, other.end]];
    const inner = interpolated(at, stops.map(([x]) => x), stops.map(([, y]) => y));
    return inner + Math.min(at, 0) + Math.max(at - one.end, 0);
  }

  // A distance from rest `here`, at the time `then`, -> one from rest `there`, at the time `at`.
  function level(away, here, there, then, at) {
    const size = here.size && there.size ? there.size / here.size : 1, far = interpolated(then, here.at, here.farthest), up = far < 0 ? -1 : 1;
    const a = away * up, most = far * up, own = clamped(interpolated(then, here.at, here.away) * up, 0, most);
    const wanted = interpolated(at, there.at, there.away) * up, top = Math.max(interpolated(at, there.at, there.farthest) * up, wanted);
    if (most <= MOVES * here.largest) return up * (wanted + (a - own) * size);
    if (a < 0) return up * a * size;
    if (a < own) return up * a / (own > 0 ? own : 1) * wanted;
    if (a <= most) return up * (wanted + (a - own) / (most > own ? most - own : 1) * (top - wanted));
    return up * (top + (a - most) * size);
  }

  // [time there, time here] to draw a series at: all its samples; of a long one its points, and those of what is usual there.
  function moments(places, here, there) {
    const first = Math.min(places[0], 0), many = places.at(-1) + Math.max(there.end - here.end, 0) - first + 1;
    const both = (at) => [at, time(at, there, here)];
    if (many <= SAMPLES) return Array.from({ length: many }, (_, i) => both(first + i));
    const own = places.map((then) => [time(then, here, there), then]);
    return [...own, ...there.at.map(both)].sort(([one], [other]) => one - other);
  }

  // [x, value] of series n, as if it were of the machine, or regime, whose usual curve `to` is.
  packedCurves.transferred = (all, n, to) => {
    const here = usual(all, all.own[n]), there = usual(all, to), places = all.places[n], values = all.values[n];
    const seen = moments(places, here, there).filter(([, then]) => then >= places[0] && then <= places.at(-1));
    return seen.map(([at, then]) => [at, there.rest + level(interpolated(then, places, values) - here.rest, here, there, then, at)]);
  };
}
