// Dropped files are sent at once, with progress; what the studio answers takes the page's place.
"use strict";

function wire() {
  const form = document.querySelector("[data-drop]");
  if (!form) return;
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
    request.open("POST", location.href);
    request.setRequestHeader("Accept", "text/html, application/json");
    bar.hidden = false;
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.addEventListener("load", () => {
      if (request.status === 401) return tell(JSON.parse(request.responseText).detail);
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      if (request.status < 400) show(page);
      else tell(page.querySelector(".note.error")?.textContent ?? "The studio did not take this: nothing was added.");
    });
    request.addEventListener("error", () => {
      tell("The studio did not answer: nothing was added. Is it still running?");
    });
    request.send(said(form));
  }

  function tell(sentence) {
    bar.hidden = true;
    form.querySelector("button").disabled = false;
    form.querySelector(".note")?.remove();
    const note = document.createElement("div");
    note.className = "note error";
    note.setAttribute("role", "alert");
    note.textContent = sentence;
    form.append(note);
  }
}

function show(page) {
  document.querySelector("main").replaceWith(page.querySelector("main"));
  wire();
}

wire();
