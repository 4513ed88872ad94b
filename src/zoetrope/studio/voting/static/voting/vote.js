// Choosing: one key a screen. The next screen shows at once, decoded before; the answer is recorded behind it, in order.
"use strict";

const page = document.getElementById("vote");
const part = (name) => page.querySelector(`[data-${name}]`);
const pick = document.getElementById("pick");
const may = page.dataset.may === "yes";
const size = Number(page.dataset.size);
const address = (sha256) => page.dataset.picture.replace("SHA", sha256);
const ready = new Map();
let screens = [];
let since = 0;
let queue = Promise.resolve();
let waiting = 0;

function show() {
  const screen = screens[0];
  page.querySelectorAll("[data-do=unsure], [data-do=bad]").forEach((button) => (button.disabled = !screen));
  document.getElementById("over").hidden = Boolean(screen) || waiting > 0;
  part("screen").replaceChildren(
    ...(screen ?? []).map((each, place) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.key = each.key;
      const key = document.createElement("kbd");
      key.textContent = place + 1;
      button.append(picture(each), key);
      item.append(button);
      return item;
    }),
  );
  since = performance.now();
  // What comes after is fetched once this one is painted.
  requestAnimationFrame(() => requestAnimationFrame(() => screens.slice(1).flat().forEach(picture)));
}

function picture({ key, sha256 }) {
  if (!ready.has(key)) {
    const image = new Image(512, 512);
    image.alt = "A picture to choose";
    image.src = address(sha256);
    image.decode().catch(() => {});
    ready.set(key, image);
  }
  return ready.get(key);
}

function take(told) {
  const votes = `${told.votes} ${told.votes === 1 ? "vote" : "votes"}`;
  if (told.left !== undefined) {
    // Two LoRAs: who leads is not told while pairs are left.
    part("sure").textContent = `${votes}, ${told.left} ${told.left === 1 ? "pair" : "pairs"} left.`;
    return;
  }
  const sure = `${votes}: ${told.sure} % sure${told.enough ? ", that is enough." : `, about ${told.more} more.`}`;
  part("sure").textContent = told.votes ? sure : "Choose the best of these; which model drew them is not shown.";
  // Not before it is sure: whoever sees who leads votes for the leader.
  pick.hidden = !told.enough;
  if (pick.hidden) return;
  pick.querySelector("img").src = address(told.pick.sha256);
  const form = pick.querySelector("form");
  if (form?.elements.candidate) form.elements.candidate.value = told.pick.key;
  const { again, alike } = told.steady;
  pick.querySelector("[data-steady]").textContent = again ? `Of ${again} that came twice you chose ${alike} alike.` : "";
}

function answer(said) {
  if (!may) return tellHere("Voting takes the role reviewer in this space.");
  const screen = screens.shift();
  if (!screen) return;
  tellHere("");
  const members = screen.map((each) => each.key);
  const body = { ...said, members, milliseconds: Math.round(performance.now() - since) };
  waiting += 1;
  show();
  queue = queue
    .then(() => ask({ ...body, ahead: ahead() }))
    .then((told) => arrived(told))
    .catch((error) => {
      tellHere(error.message);
      // What was not heard is asked again; what was refused, because somebody else rejected it, is not.
      if (error.status !== 400) screens.unshift(screen);
      else if (!screens.length) location.reload();
      show();
    })
    .finally(() => {
      waiting -= 1;
      if (!screens.length) show();
    });
}

const ahead = () => screens.map((screen) => screen.map((each) => each.key));

function arrived(told) {
  const empty = !screens.length;
  screens.push(...told.screens);
  take(told);
  if (empty) show();
  else screens.slice(1).flat().forEach(picture);
}

function undo() {
  if (!may) return;
  queue = queue
    .then(() => ask({ do: "undo", ahead: ahead() }))
    .then((told) => {
      if (told.back.length > 1) screens.unshift(told.back);
      take(told);
      show();
      tellHere("Taken back.");
    })
    .catch((error) => tellHere(error.message));
}

async function ask(body) {
  let reply;
  try {
    reply = await fetch(page.dataset.answer, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf(), "HX-Request": "true" },
      body: JSON.stringify({ ...body, size, step: Number(page.dataset.step) }),
    });
  } catch {
    throw new Error("The studio did not answer: this vote was not recorded. Is it still running?");
  }
  if (reply.redirected || reply.status === 401) throw new Error("You are logged out: log in, then try again.");
  if (!reply.ok) {
    const said = new DOMParser().parseFromString(await reply.text(), "text/html");
    const told = said.querySelector(".note")?.textContent ?? "This vote was not recorded: load the page again.";
    throw Object.assign(new Error(told), { status: reply.status });
  }
  return reply.json();
}

function tellHere(sentence) {
  part("told").textContent = sentence;
  part("told").className = sentence && "note";
}

const best = (place) => screens[0]?.[place] && answer({ do: "best", chosen: screens[0][place].key });
const keys = {
  n: () => answer({ do: "unsure" }),
  k: () => page.querySelector("[data-do=bad]") && answer({ do: "bad" }),
  u: undo,
  Enter: () => !pick.hidden && goOn(),
  ArrowLeft: () => screens[0]?.length === 2 && best(0),
  ArrowRight: () => screens[0]?.length === 2 && best(1),
};

// Nobody lets through what is out of sight: the first Enter shows the pick and stands on its button.
function goOn() {
  const button = pick.querySelector("form button.primary");
  const { top, bottom } = (button ?? pick).getBoundingClientRect();
  if (top >= 0 && bottom <= innerHeight) return button?.click();
  pick.scrollIntoView({ block: "nearest" });
  button?.focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  if (typing(event.target) || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && event.target.closest?.("button, a")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (/^[1-4]$/.test(key)) best(Number(key) - 1);
  else if (key in keys) keys[key]();
  else return;
  event.preventDefault();
});

page.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.key) best(screens[0].findIndex((each) => each.key === Number(button.dataset.key)));
  else if (button?.dataset.do) ({ unsure: keys.n, bad: keys.k, undo })[button.dataset.do]();
});

const first = JSON.parse(document.getElementById("told-now").textContent);
screens = first.screens;
take(first);
show();
