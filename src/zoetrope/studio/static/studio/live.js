// Jobs as they move: progress in place, the table again when one changes its state, log lines as they come.
"use strict";

const work = document.getElementById("work");

if (work) {
  const log = document.getElementById("log");
  const states = new Map();
  const stream = new EventSource(work.dataset.live);
  stream.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    let moved = false;
    for (const job of told.jobs) {
      moved ||= states.get(job.id) !== job.state;
      states.set(job.id, job.state);
      const row = work.querySelector(`[data-job="${job.id}"]`);
      if (!row) continue;
      row.querySelector("[data-stage]").textContent = job.stage;
      const bar = row.querySelector("progress");
      bar.max = job.total || 1;
      bar.value = job.done;
    }
    if (moved) htmx.ajax("GET", location.pathname, { target: "#work", swap: "innerHTML" });
    for (const line of told.lines) log.append(`${line.text}\n`);
    while (log.childNodes.length > 500) log.firstChild.remove();
    if (told.lines.length) log.scrollTop = log.scrollHeight;
  });
}
