// Ctrl+Enter draws from anywhere in the form; what is tried is drawn in place, and the words stay to be changed.
"use strict";

const form = document.querySelector(".trying form");

form?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button.primary");
  form.querySelectorAll(".errorlist, .note.error").forEach((each) => each.remove());
  button.disabled = true;
  try {
    const answer = await fetch(location.href, { method: "POST", body: new FormData(form) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok) {
      const fresh = page.getElementById("tried");
      document.getElementById("tried").replaceWith(fresh);
      htmx.process(fresh);
    } else refuse(page.querySelector(".errorlist, .note.error")?.textContent ?? "It was not taken.");
  } catch {
    refuse("The studio did not answer: nothing was drawn. Is it still running?");
  }
  button.disabled = false;
});

// Not tell(), which is the whole site's: this note stands in the form.
function refuse(sentence) {
  const note = document.createElement("div");
  note.className = "note error";
  note.setAttribute("role", "alert");
  note.textContent = sentence.trim();
  form.prepend(note);
}
