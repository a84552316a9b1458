"use strict";
// The page stands without a script: here a member is shown large. What the other scripts share stands here too.
const byId = (id) => document.getElementById(id);
const filled = (text, value, gap = "{}") => text.replace(gap, () => value);  // whatever stands in it
const parsed = (id) => JSON.parse(byId(id)?.textContent ?? "null");

// What was packed into the page to save room: zipped, in base 85 as Python writes it, with "," for "<".
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";
function unpackedBytes(id) {
  const text = byId(id).textContent.trim(), many = Math.ceil(text.length / 5), digit = new Uint8Array(128).fill(84);
  const bytes = new Uint8Array(4 * many), view = new DataView(bytes.buffer);
  for (let i = 0; i < DIGITS.length; i++) digit[DIGITS.charCodeAt(i)] = i;
  for (let i = 0; i < many; i++) {
    let four = 0;
    for (let j = 5 * i; j < 5 * i + 5; j++) four = four * 85 + (j < text.length ? digit[text.charCodeAt(j)] : 84);
    view.setUint32(4 * i, four);
  }
  const whole = bytes.subarray(0, Math.floor(text.length * 4 / 5));
  return new Response(new Blob([whole]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
const unpacked = async (id) => new TextDecoder().decode(await unpackedBytes(id));

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
  return filledIn(document.createElement(tag), attributes, children);
}

const drawn = (tag, attributes = {}, ...children) =>
  filledIn(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function filledIn(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

