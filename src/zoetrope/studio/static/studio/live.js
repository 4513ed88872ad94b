// Jobs as they move: progress in place, the page's part again when one changes its state, log lines as they come.
"use strict";

const live = document.querySelector("[data-live]");

if (live) {
  const log = document.getElementById("log");
  const only = Number(live.dataset.only);
  const states = new Map();
  const titles = new Map();
  let since = live.dataset.since;
  let last = Number(log.lastElementChild?.dataset.line ?? 0);
  let stream, silence;

  function move(job) {
    titles.set(job.id, job.title);
    const row = live.querySelector(`[data-job="${job.id}"]`);
    const moved = job.state !== (states.get(job.id) ?? row?.dataset.state);
    states.set(job.id, job.state);
    if (row && !moved) {
      row.querySelector("[data-stage]").textContent = job.stage;
      // What is done without having counted shows none.
      const bar = row.querySelector("progress");
      if (bar) Object.assign(bar, { max: job.total || 1, value: job.done });
      const count = row.querySelector("[data-count]");
      if (count) count.textContent = job.total ? `${job.done} of ${job.total}` : "";
    }
    return moved;
  }

  function say(line) {
    last = Math.max(last, line.id);
    const shown = document.createElement("span");
    const title = only ? "" : (titles.get(line.job_id) ?? "");
    // As the server writes the lines before: the database's own time.
    shown.textContent = `${line.at.slice(11, 19)} ${title && `${title}: `}${line.text}\n`;
    log.append(shown);
  }

  function hear(event) {
    since = event.lastEventId;
    const told = JSON.parse(event.data);
    const ours = told.jobs.filter((job) => !only || job.id === only);
    if (ours.filter(move).length) htmx.ajax("GET", location.href, { target: live, swap: "innerHTML" });
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const lines = told.lines.filter((line) => line.id > last && (!only || line.job_id === only));
    lines.forEach(say);
    while (log.childNodes.length > 500) log.firstChild.remove();
    // Whoever scrolled up to read stays there.
    if (lines.length && atEnd) log.scrollTop = log.scrollHeight;
  }

  // A browser opens six connections to a site, in all its tabs: only the tab that is seen listens.
  function listen() {
    stream?.close();
    if (document.hidden) return;
    stream = new EventSource(`${live.dataset.live}?since=${since}`);
    stream.addEventListener("message", hear);
    stream.addEventListener("open", () => {
      clearTimeout(silence);
      silence = null;
      tell("");
    });
    stream.addEventListener("error", () => {
      // An answer that is no stream, as to somebody who is logged out, ends it: the page asks once more by itself.
      if (stream.readyState === EventSource.CLOSED) {
        htmx.ajax("GET", location.href, { target: live, swap: "innerHTML" });
        setTimeout(listen, 5000);
        return;
      }
      silence ??= setTimeout(() => tell("The studio does not answer: see that it still runs."), 5000);
    });
  }

  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pagehide", () => stream?.close());
  log.scrollTop = log.scrollHeight;
  listen();
}
