// The gate: one key a decision. A decision shows at once and is recorded behind it, in order; a refusal brings it back.
"use strict";

const READY = 8;
const gate = document.getElementById("gate");

if (gate) {
  const part = (name) => gate.querySelector(`[data-${name}]`);
  const waiting = JSON.parse(document.getElementById("waiting").textContent);
  const may = gate.dataset.may === "yes";
  const address = (sha256, side) => gate.dataset.picture.replace("SHA", sha256).replace(/1$/, side);
  const chosen = new Set();
  const ready = new Map();
  const done = [];
  let at = 0;
  let queue = Promise.resolve();
  let reasons = false;

  const current = () => waiting[at];
  const many = () => !part("many").hidden;

  function show() {
    const entry = current();
    gate.hidden = !waiting.length;
    document.getElementById("done").hidden = waiting.length > 0;
    if (!entry) return;
    part("shown").src = address(entry.sha256, 1280);
    part("shown").alt = entry.caption || "no caption";
    part("caption").textContent = entry.caption || "No caption yet.";
    part("position").textContent = `${at + 1} of ${waiting.length}`;
    part("from").textContent = `· ${entry.origin}${entry.round ? `, round ${entry.round}` : ""}`;
    const next = waiting.slice(at + 1, at + 4);
    // Pictures decoded beside the page's first one were shown late when their turn came: they wait until it is painted.
    part("shown").decode().catch(() => {}).then(() => {
      requestAnimationFrame(() => requestAnimationFrame(() => prepare(next)));
    });
    if (many()) grid();
  }

  // The next ones are there, and decoded, before they are asked for; whoever goes back finds the last ones too.
  function prepare(next) {
    for (const { sha256 } of next) {
      if (ready.has(sha256)) continue;
      const image = new Image();
      image.src = address(sha256, 1280);
      image.decode().catch(() => ready.delete(sha256));
      ready.set(sha256, image);
    }
    for (const sha256 of [...ready.keys()].slice(0, -READY)) ready.delete(sha256);
  }

  function grid() {
    part("many").replaceChildren(
      ...waiting.map((entry) => {
        const item = document.createElement("li");
        item.tabIndex = 0;
        item.dataset.sha256 = entry.sha256;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(chosen.has(entry.sha256)));
        const image = new Image();
        image.loading = "lazy";
        image.alt = entry.caption || "no caption";
        image.src = address(entry.sha256, 320);
        item.append(image);
        return item;
      }),
    );
  }

  function decide(said) {
    if (!may) return tell("Deciding takes the role reviewer in this space.");
    const pictures = many() ? [...chosen] : [current()?.sha256].filter(Boolean);
    if (!pictures.length) return tell(many() ? "Choose pictures first." : "");
    const taken = waiting
      .map((entry, index) => ({ entry, index }))
      .filter(({ entry }) => pictures.includes(entry.sha256));
    const decision = { taken, step: 0 };
    done.push(decision);
    for (const { entry } of taken) waiting.splice(waiting.indexOf(entry), 1);
    at = Math.min(at, Math.max(0, waiting.length - 1));
    chosen.clear();
    tell("");
    show();
    queue = queue.then(() => ask({ ...said, pictures }))
      .then((answer) => (decision.step = answer.step))
      .catch((error) => bringBack(decision, error.message));
  }

  function bringBack(decision, sentence) {
    if (done.includes(decision)) done.splice(done.indexOf(decision), 1);
    for (const { entry, index } of decision.taken) waiting.splice(index, 0, entry);
    at = decision.taken[0].index;
    tell(sentence);
    show();
  }

  function undo() {
    // At the press, so that a second one means the decision before.
    const decision = done.pop();
    if (!decision) return tell("Nothing was decided here that could be taken back.");
    const place = done.length;
    queue = queue.then(() => takeBack(decision)).catch((error) => {
      // What the studio refuses for good must not stand before the decisions that came earlier.
      if (error.status !== 400) done.splice(place, 0, decision);
      tell(error.message);
    });
  }

  async function takeBack(decision) {
    // One that was never recorded is back already.
    if (!decision.step) return;
    await ask({ do: "undo", step: decision.step });
    bringBack(decision, "Taken back.");
  }

  async function ask(body) {
    let answer;
    try {
      answer = await fetch(gate.dataset.decide, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrf(), "HX-Request": "true" },
        body: JSON.stringify(body),
      });
    } catch {
      throw new Error("The studio did not answer: this decision was not recorded. Is it still running?");
    }
    if (answer.redirected || answer.status === 401) throw new Error("You are logged out: log in, then try again.");
    if (!answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const told = page.querySelector(".note")?.textContent ?? "This decision was not recorded: load the page again.";
      throw Object.assign(new Error(told), { status: answer.status });
    }
    const told = await answer.json();
    document.getElementById("left").textContent = told.left;
    return told;
  }

  function tell(sentence) {
    part("told").textContent = sentence;
  }

  function ways(shown) {
    reasons = shown === "reasons";
    part("reasons").hidden = shown !== "reasons";
    part("correction").hidden = shown !== "correction";
    if (shown) part(shown).scrollIntoView({ block: "nearest" });
    if (shown === "correction") gate.querySelector("#instruction").focus();
  }

  const act = {
    keep: () => decide({ do: "keep" }),
    reject: () => ways("reasons"),
    correct: () => (many() ? tell("Correct one picture at a time.") : ways("correction")),
    skip: () => move(1),
    undo,
    grid: () => {
      part("many").hidden = many() ? true : false;
      for (const one of ["stage", "caption", "about"]) part(one).hidden = many();
      tell(many() ? "Choose with a click or the space bar, then keep or reject them." : "");
      gate.querySelector("[data-do=grid]").setAttribute("aria-pressed", String(many()));
      show();
    },
  };

  function move(by) {
    if (!waiting.length) return;
    at = (at + by + waiting.length) % waiting.length;
    ways("");
    show();
  }

  gate.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.do) act[button.dataset.do]();
    else if (button?.dataset.reason) reject(button.dataset.reason);
    else if (event.target.closest("[data-stage]")) zoom();
    else toggle(event.target.closest("[data-sha256]"));
  });

  function reject(reason) {
    ways("");
    decide({ do: "reject", reason });
  }

  function zoom() {
    const stage = part("stage");
    stage.classList.toggle("zoomed");
    stage.scrollTo((stage.scrollWidth - stage.clientWidth) / 2, (stage.scrollHeight - stage.clientHeight) / 2);
  }

  function toggle(item) {
    if (!item) return;
    const sha256 = item.dataset.sha256;
    chosen.has(sha256) ? chosen.delete(sha256) : chosen.add(sha256);
    item.setAttribute("aria-selected", String(chosen.has(sha256)));
    tell(`${chosen.size} chosen.`);
  }

  part("correction").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = gate.querySelector("#instruction");
    const instruction = field.value.trim();
    field.value = "";
    ways("");
    if (instruction) decide({ do: "correct", instruction });
  });

  const keys = { k: act.keep, r: act.reject, c: act.correct, s: act.skip, u: undo, g: act.grid, z: zoom };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return ways("");
    if (event.target.closest?.("input, textarea, select, summary")) return;
    const number = Number(event.key);
    if (reasons && number >= 1) {
      part("reasons").querySelectorAll("button")[number - 1]?.click();
    } else if (event.key === "ArrowRight" && !many()) move(1);
    else if (event.key === "ArrowLeft" && !many()) move(-1);
    else if (event.key === " " && event.target.dataset?.sha256) {
      event.preventDefault();
      toggle(event.target);
    } else if (keys[event.key.toLowerCase()] && !event.repeat) {
      event.preventDefault();
      keys[event.key.toLowerCase()]();
    }
  });

  show();
}
