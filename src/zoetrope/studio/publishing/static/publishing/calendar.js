// Posts and pictures are dragged onto days, and moved by keys. Every move is a form that is sent, and its answer is shown.
"use strict";

let held = null;

function calendar() {
  return document.getElementById("calendar");
}

async function send(address, said) {
  const body = new URLSearchParams({ ...said, back: calendar().dataset.back, csrfmiddlewaretoken: csrf() });
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body });
  } catch {
    return tell("The studio does not answer: see that it still runs; nothing was changed.");
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) return tell(page.querySelector("[role=alert]:not(:empty)")?.textContent ?? "That did not work.");
  if (!page.getElementById("calendar")) return location.assign(answer.url);
  history.replaceState(null, "", answer.url);
  show(page, said.post);
}

// The new days take the old ones' place; the pictures below stay where they are as long as none was used.
function show(page, post) {
  const strip = calendar().querySelector("#strip");
  const at = window.scrollY;
  calendar().replaceWith(page.getElementById("calendar"));
  if (post) calendar().querySelector("#strip").replaceWith(strip);
  else htmx.process(calendar());
  document.getElementById("told").hidden = true;
  // What was told of the page before is over.
  document.querySelectorAll("main > .note, .messages .note").forEach((note) => calendar().contains(note) || note.remove());
  window.scrollTo(0, at);
  calendar().querySelector(`[data-post="${post}"] a`)?.focus({ preventScroll: true });
}

function moved(post, day) {
  send(calendar().dataset.move, { post, day });
}

document.addEventListener("dragstart", (event) => {
  held = event.target.closest?.("[data-post], [data-kept]");
  if (!held) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", held.dataset.post ?? held.dataset.kept);
  held.classList.add("dragged");
});

document.addEventListener("dragend", () => {
  held?.classList.remove("dragged");
  document.querySelectorAll(".over").forEach((day) => day.classList.remove("over"));
  held = null;
});

document.addEventListener("dragover", (event) => {
  const day = event.target.closest?.("[data-day]");
  document.querySelectorAll(".over").forEach((other) => other !== day && other.classList.remove("over"));
  if (!held || !day) return;
  event.preventDefault();
  day.classList.add("over");
});

document.addEventListener("drop", (event) => {
  const day = event.target.closest?.("[data-day]");
  if (!held || !day) return;
  event.preventDefault();
  const { post, kept } = held.dataset;
  if (kept) send(calendar().dataset.add, { kept, day: day.dataset.day });
  else if (held.closest("[data-day]") !== day) moved(post, day.dataset.day);
});

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

document.addEventListener("keydown", (event) => {
  if (typing(event.target) || event.ctrlKey || event.metaKey) return;
  const step = STEPS[event.key];
  const tile = event.target.closest?.("[data-post]");
  if (event.altKey && step && tile) {
    event.preventDefault();
    const day = tile.closest("[data-day]").dataset.day;
    // What has no time yet comes onto today.
    return moved(tile.dataset.post, day ? later(day, step) : new Date().toLocaleDateString("sv"));
  }
  if (event.altKey || document.querySelector("dialog[open]")) return;
  const there = { ArrowLeft: "[rel=prev]", ArrowRight: "[rel=next]", t: ".head nav a:nth-of-type(2)" }[event.key];
  if (there) calendar().querySelector(there)?.click();
});

function later(day, step) {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + step);
  return at.toISOString().slice(0, 10);
}
