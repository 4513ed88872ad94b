// Ctrl+Enter draws from anywhere in the form; what is tried is drawn in place, and the words stay to be changed.
"use strict";

const form = document.querySelector(".trying form");
const button = form?.querySelector("button.primary");

form?.addEventListener("keydown", (event) => {
  // A key that is held down, or pressed again while the first order is on its way, orders nothing more.
  if (event.repeat || button.disabled) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.disabled) return;
  form.querySelectorAll(".errorlist, .note.error").forEach((each) => each.remove());
  button.disabled = true;
  try {
    const headers = { Accept: "text/html, application/json" };
    const answer = await fetch(location.href, { method: "POST", body: said(form), headers });
    if (answer.status === 401) refuse((await answer.json()).detail);
    else take(answer.ok, new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    refuse("The studio did not answer: nothing was drawn. Is it still running?");
  }
  button.disabled = false;
});

function take(taken, page) {
  const fresh = taken && page.getElementById("tried");
  if (!fresh) return refuse(page.querySelector(".errorlist, .note.error")?.textContent ?? "It was not taken.");
  document.getElementById("tried").replaceWith(fresh);
  htmx.process(fresh);
}

// Not tell(), which is the whole site's: this note stands in the form.
function refuse(sentence) {
  const note = document.createElement("div");
  note.className = "note error";
  note.setAttribute("role", "alert");
  note.textContent = sentence.trim();
  form.prepend(note);
}
