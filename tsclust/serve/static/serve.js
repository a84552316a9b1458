"use strict";
// Forms send what they have and go where the answer leads; a page of a job follows it.
const root = document.documentElement.dataset.root, texts = JSON.parse(document.body.dataset.texts);
const tell = (place, text) => { place.textContent = text; place.hidden = !text; };
function tellError(place, problem) {
  problems.tell(place, problem, texts);
  place.hidden = false;
}
const stageName = (stage) => texts.stages[stage] ?? texts.stages[stage.split(":")[0]] ?? stage;

async function ask(address, options, place) {
  tell(place, "");
  try {
    const answer = await fetch(root + address, options), found = await answer.json();
    if (answer.ok) return found;
    tellError(place, found);
  } catch { tell(place, texts.unreachable); }
  return null;
}
const asJson = (what) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what) });
const follow = (job) => { if (job) location.href = `${root}/pages/jobs/${job.id}`; };

for (const form of document.querySelectorAll("form[data-to]")) {
  const place = form.querySelector("[role=alert]"), button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = new FormData(form), to = form.dataset.to;
    button.disabled = true;
    if (to === "upload") {
      const busy = form.querySelector("[role=status]");
      tell(busy, texts.sending);
      follow(await ask("/jobs", { method: "POST", body: given }, place));
      tell(busy, "");
    } else if (to === "answers") {
      const file = given.get("file"), options = { method: "POST", headers: { "Content-Type": "application/json" }, body: file };
      const taken = await ask(`/workspaces/${encodeURIComponent(form.dataset.workspace)}/answers`, options, place);
      if (taken) tell(form.querySelector("[role=status]"), taken.notes.join(" · "));
    } else {
      const said = Object.fromEntries(given);
      for (const name of ["within"]) if (name in said) said[name] = Number(said[name]);
      if ("sweep" in said) said.sweep = true;
      follow(await ask("/jobs", asJson(said), place));
    }
    button.disabled = false;
  });
}

// As people write it, in the time of where they are.
const asTime = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
for (const place of document.querySelectorAll("time")) place.textContent = asTime.format(new Date(place.dateTime));
for (const place of document.querySelectorAll("[data-problem]")) tellError(place, JSON.parse(place.dataset.problem));

const drop = document.querySelector(".drop");
if (drop) {
  const file = drop.querySelector("input[type=file]");
  for (const name of ["dragover", "dragleave", "drop"]) drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) file.files = event.dataTransfer.files;
  });
}

const shown = document.querySelector("[data-job]");
if (shown) {
  const at = (name) => shown.querySelector(`[data-at=${name}]`), bar = shown.querySelector("progress");
  const place = at("error"), cancel = at("cancel"), number = new Intl.NumberFormat(document.documentElement.lang);
  const show = (job) => {
    at("state").textContent = texts[job.state];
    const unit = texts.units[job.unit] ?? job.unit;
    const parts = [stageName(job.stage), job.total ? `${number.format(job.done)} / ${number.format(job.total)} ${unit}` : ""];
    if (job.rate) parts.push(`${number.format(Math.round(job.rate))} ${texts.per_second}`);
    if (job.left) parts.push(`${Math.ceil(job.left)} s ${texts.left}`);
    at("progress").textContent = job.ended_at ? "" : parts.filter(Boolean).join(" · ");
    if (job.ended_at) bar.value = job.state === "done" ? 1 : 0;
    else if (job.total) bar.value = job.done / job.total;
    else bar.removeAttribute("value");
    if (job.error) tellError(place, { ...job.error, detail: `${job.error.error}. ${job.error.next}` });
    else tell(place, "");
    cancel.hidden = Boolean(job.ended_at);
    at("report").hidden = !job.report;
    at("details").hidden = !job.results.length;
    at("results").replaceChildren(...job.results.flatMap((one) => one.notes.map((note) => {
      const line = document.createElement("li");
      line.textContent = `${stageName(one.command)}: ${note}`;
      return line;
    })));
  };
  show(JSON.parse(shown.dataset.job));
  const id = shown.dataset.id, events = new EventSource(`${root}/jobs/${id}/events`);
  events.addEventListener("job", (event) => {
    const job = JSON.parse(event.data);
    show(job);
    if (job.ended_at) events.close();
  });
  cancel.addEventListener("click", () => ask(`/jobs/${id}/cancel`, { method: "POST" }, place));
}
