// Counters as the other end counts, the fold as a phone folds, and crops that are dragged.
"use strict";

const form = document.getElementById("post");
const WORD = "[\\p{L}\\p{N}_]";
const TAGS = new RegExp(`(?<!${WORD}|&)(?:[#\uff03\ufe5f][^\\s#@\uff03\ufe5f\uff20]+)+`, "gu");
const MENTIONS = new RegExp(`(?<!${WORD})(?:[@\\uff20]${WORD}(?:${WORD}|\\.)*)+`, "gu");

// How many there are, also where they touch.
function signs(runs, said) {
  return ((said.match(runs) ?? []).join("").match(/[#\uff03\ufe5f@\uff20]/g) ?? []).length;
}

function text() {
  const tags = form.elements.hashtags.value.split(/[\s,]+/).map((each) => each.replace(/^#+/, "")).filter(Boolean);
  const small = tags.map((tag) => tag.toLowerCase());
  const once = tags.filter((_, place) => small.indexOf(small[place]) === place);
  return [form.elements.caption.value.trim(), once.map((tag) => `#${tag}`).join(" ")].filter(Boolean).join("\n\n");
}

function count() {
  const said = text();
  const letters = [...said];
  const found = { characters: letters.length, hashtags: signs(TAGS, said), mentions: signs(MENTIONS, said) };
  document.querySelectorAll("[data-counter]").forEach((counter) => {
    const number = found[counter.dataset.counter];
    counter.querySelector("b").textContent = number;
    counter.classList.toggle("over", number > Number(counter.dataset.most));
  });
  fold(letters);
}

function fold(letters) {
  const part = document.querySelector("[data-fold]");
  if (!part) return;
  const most = Number(part.dataset.fold);
  part.querySelector("[data-shown]").textContent = letters.slice(0, most).join("");
  part.querySelector("[data-hidden]").textContent = letters.slice(most).join("");
  part.querySelector("[data-rest]").hidden = letters.length <= most;
}

function croppable(item) {
  const [width, height] = item.dataset.ratio.split("/").map(Number);
  const sides = ["left", "top", "width", "height"].map((side) => item.querySelector(`[name$="-${side}"]`));
  const box = document.createElement("div");
  box.className = "box";
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "The part that is shown: arrows move it, plus and minus change its size");
  item.querySelector("[data-shapes]").hidden = false;
  const numbers = () => sides.map((input) => Number(input.value) || 0);
  const draw = () => {
    const [left, top, wide, high] = numbers();
    Object.assign(box.style, { left: `${left}%`, top: `${top}%`, width: `${wide}%`, height: `${high}%` });
  };
  const put = (left, top, wide, high) => {
    const most = (value, size) => Math.max(0, Math.min(value, 100 - size));
    [most(left, wide), most(top, high), wide, high].forEach((value, place) => (sides[place].value = Math.round(value * 100) / 100));
    draw();
  };
  const shape = (ratio) => {
    if (!ratio) return put(0, 0, 100, 100);
    const wide = Math.min(100, (100 * ratio * height) / width);
    const high = Math.min(100, (100 * width) / ratio / height);
    put((100 - wide) / 2, (100 - high) / 2, wide, high);
  };
  const size = (factor) => {
    const [left, top, wide, high] = numbers();
    const by = Math.min(factor, 100 / wide, 100 / high);
    if (Math.min(wide, high) * by < 10) return;
    put(left - (wide * (by - 1)) / 2, top - (high * (by - 1)) / 2, wide * by, high * by);
  };
  item.querySelectorAll("[data-shape]").forEach((button) => button.addEventListener("click", () => shape(Number(button.dataset.shape))));
  sides.forEach((input) => input.addEventListener("input", draw));
  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const factor = { "+": 1.05, "=": 1.05, "-": 1 / 1.05 }[event.key];
    if (!step && !factor) return;
    event.preventDefault();
    if (factor) return size(factor);
    const [left, top, wide, high] = numbers();
    put(left + step[0], top + step[1], wide, high);
  });
  box.addEventListener("pointerdown", (event) => {
    const [left, top, wide, high] = numbers();
    const frame = box.parentElement.getBoundingClientRect();
    const from = [event.clientX, event.clientY];
    box.setPointerCapture(event.pointerId);
    box.onpointermove = (now) =>
      put(left + (100 * (now.clientX - from[0])) / frame.width, top + (100 * (now.clientY - from[1])) / frame.height, wide, high);
    box.onpointerup = () => (box.onpointermove = null);
  });
  // The frame is there as long as somebody crops.
  const details = item.querySelector("details");
  const show = () => (details.open ? item.querySelector(".frame").append(box) : box.remove());
  details.addEventListener("toggle", show);
  draw();
}

// What a writer wrote is put into the form: nothing else that was said there is lost.
function take(variant) {
  form.elements.caption.value = variant.dataset.variant;
  form.elements.hashtags.value = variant.dataset.tags;
  form.elements.written.value = variant.elements.ticket.value;
  const alts = form.querySelectorAll("[name$='-alt']");
  if (alts.length === 1 && !alts[0].value) alts[0].value = variant.dataset.alt;
  form.dispatchEvent(new Event("input"));
  form.elements.caption.focus();
}

if (form) {
  // A page that came back with a fault holds words that nobody has saved.
  let unsaved = Boolean(form.querySelector(".errors, .errorlist"));
  form.addEventListener("input", () => (unsaved = true));
  form.addEventListener("submit", () => (unsaved = false));
  addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
  document.addEventListener("submit", (event) => {
    const variant = event.target.closest("[data-variant]");
    if (!variant) return;
    event.preventDefault();
    take(variant);
  });
  form.addEventListener("input", count);
  document.addEventListener("htmx:afterSettle", count);
  form.querySelectorAll("[data-crop]").forEach(croppable);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(form.querySelector("[value=save]"));
  });
  count();
}
