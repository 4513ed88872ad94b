// A caption that was not saved says so beside its field, and what was written stays there.
"use strict";

// Whoever logged in again in another tab has a new one.
document.addEventListener("htmx:configRequest", (event) => {
  event.detail.parameters.csrfmiddlewaretoken = csrf();
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.status !== 401) return;
  // htmx would go to the login, and the words would be gone.
  event.preventDefault();
  event.detail.target.textContent = "Not saved, you are logged out: log in in another tab, then change it again.";
});

for (const kind of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(kind, (event) => (event.detail.target.textContent = "Not saved."));
}
