"use strict";
// What went wrong, in the language of the page: by the sentence of the service, whose values it keeps, else by the code.
const problems = {};
{
  const NUMBER = /\{(\d)\}/g, special = /[.*+?^$()|[\]\\]/g;
  let known = null;

  // {} in the English sentence is a value, {1} in ours the first of them; undefined where there is none.
  function said(text, sentences) {
    known ??= Object.entries(sentences).map(([english, own]) => [new RegExp(`^${english.replace(special, "\\$&").replaceAll("{}", "(.*?)")}$`, "is"), own]);
    for (const [english, own] of known) {
      const found = english.exec(text);
      if (found) return own.replace(NUMBER, (_, at) => found[at]);
    }
    return undefined;
  }

  // {own: what is said, rest: English that stays beside it, "" for nothing}. What nobody has translated stays English.
  function inWords({ code, status, error, next, detail }, texts) {
    const what = said(error ?? "", texts.problems), then = said(next ?? "", texts.problems);
    const own = what ?? texts.errors[code] ?? texts.errors[`http ${status}`];
    if (own === undefined) return { own: "", rest: detail };
    return { own: [own.replace(/\.$/, ""), what && then].filter(Boolean).join(". "), rest: what && then ? "" : detail };
  }

  // Into an element: what stays English is marked as such, and folded away where the rest says enough.
  function tell(place, problem, texts) {
    const { own, rest } = inWords(problem, texts), english = document.createElement(own ? "p" : "span");
    Object.assign(english, { lang: "en", textContent: rest });
    place.replaceChildren(own || english);
    if (!own || !rest) return;
    const more = document.createElement("details"), summary = document.createElement("summary");
    summary.textContent = texts.in_detail;
    more.append(summary, english);
    place.append(more);
  }
  Object.assign(problems, { tell });
}
