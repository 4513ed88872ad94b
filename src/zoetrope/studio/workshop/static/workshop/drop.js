// Dropped files are sent at once, with progress.
"use strict";

const form = document.querySelector("[data-drop]");

if (form) {
  const input = form.querySelector("input[type=file]");
  const bar = form.querySelector("progress");
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    });
  }
  form.addEventListener("drop", (event) => {
    input.files = event.dataTransfer.files;
    send();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.files.length) send();
    else input.click();
  });

  function send() {
    const request = new XMLHttpRequest();
    request.open("POST", form.action || location.href);
    bar.hidden = false;
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.addEventListener("load", () => {
      // Success leads back here; a mistake is a page of its own with its sentence.
      if (request.status < 400) location.assign(request.responseURL);
      else tell(new DOMParser().parseFromString(request.responseText, "text/html"));
    });
    request.addEventListener("error", () => tell(null));
    request.send(new FormData(form));
  }

  function tell(page) {
    bar.hidden = true;
    form.querySelector("button").disabled = false;
    const note = page?.querySelector(".note.error") ?? document.createElement("div");
    if (!page) note.textContent = "The studio did not answer: nothing was added. Is it still running?";
    note.className = "note error";
    form.querySelector(".note")?.remove();
    form.append(note);
  }
}
