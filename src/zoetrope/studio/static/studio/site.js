// Keyboard help, theme, menus, what went wrong: what every page needs. Anything else lies with its app.
"use strict";

const help = document.getElementById("keys");

function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable]");
}

document.addEventListener("keydown", (event) => {
  if (event.key === "?" && !typing(event.target) && help) {
    event.preventDefault();
    help.open ? help.close() : help.showModal();
  }
  if (event.key === "Escape") {
    document.querySelectorAll(".menu[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    // So that a page that begins in a field has its keys too.
    if (typing(event.target)) event.target.blur();
  }
});

document.addEventListener("click", (event) => {
  document.querySelectorAll(".menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  const wanted = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
  if (wanted !== undefined) setTheme(wanted);
  if (event.target.closest("[data-show-keys]")) help?.showModal();
  const copied = event.target.closest("[data-copy]");
  if (copied) {
    navigator.clipboard.writeText(document.getElementById(copied.dataset.copy).textContent.trim());
    copied.textContent = "Copied";
  }
});

function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  localStorage.setItem("theme", name);
}

// On a narrow screen the tab of this page, or its room, may lie beyond the edge.
for (const here of document.querySelectorAll(".tabs [aria-current], nav.rooms [aria-current]")) {
  here.scrollIntoView({ block: "nearest", inline: "center" });
}

// A page that waits for an answer says so, and a second click asks nothing twice.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const button = event.submitter;
  if (button) setTimeout(() => (button.disabled = true));
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("button[disabled]:not([data-stays])").forEach((button) => (button.disabled = false));
});

// What proves that this page asks; it changes with every login, also in another tab.
function csrf() {
  return document.cookie.match(/(?:^|; )zoetrope_csrf=([^;]*)/)?.[1] ?? "";
}

// What a form says, with the token of today.
function said(form) {
  const data = new FormData(form);
  data.set("csrfmiddlewaretoken", csrf());
  return data;
}

// What a part of a page that was asked for could not do.
function tell(sentence) {
  const told = document.getElementById("told");
  told.textContent = sentence;
  told.hidden = !sentence;
  told.className = sentence && "note error";
}

document.addEventListener("htmx:responseError", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  tell(answer.querySelector("[role=alert]:not(:empty)")?.textContent || "That did not work; the page, opened again, shows what holds.");
});
document.addEventListener("htmx:sendError", () => tell("The studio does not answer: see that it still runs."));
document.addEventListener("htmx:afterRequest", (event) => event.detail.successful && tell(""));

// Its own page for when the studio does not run, and static files from the last visit.
navigator.serviceWorker?.register("/service-worker.js");
