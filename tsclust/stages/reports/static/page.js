"use strict";
// The page stands without a script: here a member is shown large. What the other scripts share stands here too.
const byId = (id) => document.getElementById(id);
const filled = (text, value, gap = "{}") => text.replace(gap, () => value);  // whatever stands in it
const parsed = (id) => JSON.parse(byId(id)?.textContent ?? "null");

// Text that was packed into the page to save room.
async function unpacked(id) {
  const text = atob(byId(id).textContent), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// What is folded away around an element is unfolded, so that it can be seen, and of a row what it shows by itself.
function openAround(element) {
  for (let at = element?.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
  const own = element?.querySelector(":scope > details.alone");
  if (own) own.open = true;
}

// What an address names; one that is not written as addresses are names nothing.
function named(hash) {
  try {
    return byId(decodeURIComponent(hash.slice(1)));
  } catch {
    return null;
  }
}

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

{
  const dialog = byId("large"), members = parsed("members");
  const [title, position] = dialog.querySelector("h2").children;
  let minis = [], at = 0;

  // Names and values come from the data and may be written either way.
  function told(values) {
    const row = (name, i) => made("div", {}, made("dt", {}, made("bdi", {}, name)), made("dd", {}, made("bdi", {}, values[i])));
    return made("dl", {}, ...members.columns.map(row));
  }

  // The card's own axes and bands, with this member's curve in the place of the typical one.
  function show(index) {
    at = (index + minis.length) % minis.length;
    const mini = minis[at], card = mini.closest(".card");
    const axes = card.querySelector(".chart") ?? card.querySelector("template").content.querySelector(".chart");
    const plot = axes.cloneNode(true);
    plot.querySelectorAll("[id]").forEach((copy) => copy.removeAttribute("id"));
    plot.querySelector(".typical").setAttribute("d", mini.querySelector(".line").getAttribute("d"));
    plot.querySelector(".own").setAttribute("d", mini.querySelector(".own")?.getAttribute("d") ?? "");
    if ("own" in card.dataset && at > 0) plot.querySelectorAll(".normal, .band").forEach((one) => one.remove());  // of another machine
    dialog.querySelector(".large").replaceChildren(plot);
    dialog.querySelector(".about").replaceChildren(told(members.cards[card.id][Number(mini.dataset.at ?? at)]));
    title.textContent = card.dataset.title;
    position.textContent = filled(filled(position.dataset.position, at + 1, "{n}"), minis.length, "{of}");
    dialog.dispatchEvent(new CustomEvent("shown", { detail: mini }));
  }

  function open(mini) {
    minis = [...mini.closest(".minis").querySelectorAll(".mini")];
    show(minis.indexOf(mini));
    dialog.showModal();
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button?.matches(".mini")) open(button);
    else if (button?.dataset.step) show(at + Number(button.dataset.step));
    else if (button?.matches("[data-close]") || target.matches("dialog")) target.closest("dialog").close();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && !event.altKey && !event.ctrlKey && !event.metaKey) show(at + step);  // Alt ← is the browser's
  });

  // A link leads to its group, also where that is folded away.
  document.addEventListener("click", ({ target }) => {
    const to = target.closest('a[href^="#group-"]');
    if (to) openAround(byId(to.hash.slice(1)));
  });
  const here = named(location.hash);
  if (here?.closest("details.later, .row")) {
    openAround(here);
    here.scrollIntoView();
  }

  // On paper nothing can be unfolded.
  const folded = [...document.querySelectorAll("#appendix, details.later")];
  let was = [];
  addEventListener("beforeprint", () => { was = folded.map(({ open }) => open); folded.forEach((one) => { one.open = true; }); });
  addEventListener("afterprint", () => folded.forEach((one, i) => { one.open = was[i]; }));
}
