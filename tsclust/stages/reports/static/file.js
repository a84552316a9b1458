// The file of answers: what stands in it, and whether one that is opened, which nobody has checked, is whole.
const answersFile = {};
{
  const form = parsed("form");

  // ---- writing

  // Whose it is stands in the answer where that is not who saves the file.
  const passedOn = ({ by }, labeller) => by && by !== labeller ? { labeller: by } : {};
  const said = ({ verdict, kind, sure, comment, at }) =>
    ({ verdict, kind: verdict === "malfunction" ? kind : "", sure, comment, answered_at: at });
  const aboutGroup = (labeller) => ({ asked, answer }) => ({
    group: asked.group, within: asked.within, k: asked.k, cluster: asked.cluster, size: asked.size,
    members_hash: asked.members_hash, ...said(answer), ...passedOn(answer, labeller), not_members: [...answer.marked],
  });
  const aboutSeries = (labeller) => ({ asked, answer }) =>
    ({ series_id: asked.series_id, ...said(answer), ...passedOn(answer, labeller) });
  const aboutRule = (labeller) => ({ asked, answer }) =>
    ({ rule: asked.rule, series_ids: [...answer.marked], comment: answer.comment, ...passedOn(answer, labeller) });

  // `given`: cards with an answer; labeller, started_at and saved_at in this order.
  function written(given, { labeller, started_at, saved_at }) {
    const all = {
      format: form.format, version: form.version, report: form.report, lang: document.documentElement.lang,
      labeller, started_at, saved_at,
      groups: given.filter(({ asked }) => asked.members_hash).map(aboutGroup(labeller)),
      series: given.filter(({ asked }) => asked.series_id !== undefined).map(aboutSeries(labeller)),
      objections: given.filter(({ asked }) => asked.rule !== undefined).map(aboutRule(labeller)),
    };
    return JSON.stringify({ ...all, checksum: checksum(JSON.stringify(all)) }, null, 1) + "\n";
  }

  // CRC-32, as zlib has it: it tells a file that was changed or cut off on its way.
  function checksum(of) {
    let crc = -1;
    for (const byte of new TextEncoder().encode(of)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
    }
    return ((crc ^ -1) >>> 0).toString(16).padStart(8, "0");
  }

  // ---- reading

  const isTime = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && Number.isFinite(Date.parse(value));
  const isName = (labeller) => labeller === undefined || labeller === null || typeof labeller === "string";
  const isAnswer = ({ verdict, kind, sure, answered_at, labeller }) =>
    isName(labeller) && (verdict === null || form.verdicts.includes(verdict)) && typeof kind === "string"
    && (sure === null || form.sure.includes(sure)) && isTime(answered_at);
  const isIds = (ids) => Array.isArray(ids) && ids.every((id) => typeof id === "string");

  function isWhole({ checksum: told, ...rest }) {
    const { report, labeller, started_at, saved_at, groups, series, objections } = rest;
    return told === checksum(JSON.stringify(rest)) && typeof report.id === "string" && typeof labeller === "string"
      && isTime(started_at) && isTime(saved_at) && series.every(isAnswer)
      && groups.every((one) => isAnswer(one) && isIds(one.not_members))
      && objections.every((one) => typeof one.rule === "string" && isIds(one.series_ids) && isName(one.labeller));
  }

  // A clock that was ahead would outlive every correction.
  function past(at) {
    const then = new Date(at).toISOString(), now = new Date().toISOString();
    return then < now ? then : now;
  }

  // When it was begun; for every answer in it [the card it is about, if there is one; the answer].
  function answersIn({ groups, series, objections, started_at, saved_at, labeller }, cards) {
    const names = ["members_hash", "k", "cluster", "rule", "series_id"];
    const answers = [...groups, ...series, ...objections].map((given) => [
      cards.find(({ asked }) => names.every((name) => asked[name] === given[name])),
      {
        ...given, marked: given.not_members ?? given.series_ids ?? [], at: past(given.answered_at ?? saved_at),
        by: given.labeller ?? labeller,
      },
    ]);
    return { started: past(started_at), answers };
  }

  // Of a file that is whole: whether it can come from this page. Another report may share some of the groups.
  function whatIsStrange(given, cards, all) {
    const { answers } = answersIn(given, cards), twice = new Set(answers.map(([card]) => card ?? {})).size < answers.length;
    if (twice || answers.some(([, { comment }]) => typeof comment !== "string")) return "no_answers";
    if (given.report.id === form.report.id) return answers.every(isShown(all)) ? null : "strange";
    return answers.some(isOurs(given, all)) ? null : "other_report";
  }

  // all: what is packed into the page, where that could be unpacked.
  const isThere = (all, { id: card, asked }, id) => asked.shown.includes(id) || asked.part || all?.cards[card]?.[1].includes(all.index.get(id));
  const isShown = (all) => ([card, { marked }]) => card && marked.every((id) => isThere(all, card, id));
  // A group is known by its members; a rule of the same name may have rejected other series in a report of other groups,
  // but not in one that arranged the same ones otherwise.
  const isOurs = ({ report }, all) => ([card, answer]) => card
    && (report.id === form.report.id || report.model === form.report.model || card.asked.rule === undefined
      || (answer.marked.length > 0 && isShown(all)([card, answer])));

  // The name of what the page says of it; null where nothing is wrong.
  function whatIsWrong(given, cards, all) {
    if (given?.format !== form.format) return "no_answers";
    if (given.version !== form.version) return "other_version";
    try {
      if (!isWhole(given)) return "no_answers";
    } catch {
      return "no_answers";
    }
    return whatIsStrange(given, cards, all);
  }
  Object.assign(answersFile, { written, answersIn, isOurs, whatIsWrong });
}
