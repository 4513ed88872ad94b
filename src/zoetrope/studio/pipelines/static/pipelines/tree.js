// The tree: arrows walk through it, a picture opens in place with what can be done to it.
"use strict";

const shown = document.getElementById("node");

const nodeOf = (item) => item?.querySelector(":scope > a.node");
const beside = (item, way) => {
  for (let next = item[way]; next; next = next[way]) if (nodeOf(next)) return nodeOf(next);
};
const walk = {
  ArrowRight: (item) => [...item.querySelectorAll(":scope > ol > li")].map(nodeOf).find(Boolean),
  ArrowLeft: (item) => nodeOf(item.parentElement.closest("li")),
  ArrowDown: (item) => beside(item, "nextElementSibling"),
  ArrowUp: (item) => beside(item, "previousElementSibling"),
};

document.addEventListener("keydown", (event) => {
  if (typing(event.target) || shown.open || event.ctrlKey || event.metaKey) return;
  if (event.key === "v") document.querySelector("[data-vote]")?.click();
  if (!(event.key in walk)) return;
  const node = event.target.closest?.(".tree a.node");
  const next = node ? walk[event.key](node.parentElement) : document.querySelector(".tree a.node");
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
});

document.addEventListener("click", (event) => {
  const node = event.target.closest(".tree a.node");
  if (!node || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const image = shown.querySelector("img");
  image.src = node.href;
  image.alt = node.querySelector("img").alt;
  shown.querySelector("[data-score]").textContent = node.dataset.score && `Rated ${node.dataset.score}`;
  const form = shown.querySelector("form[method=post]");
  if (form) {
    form.elements.candidate.value = node.dataset.node;
    form.querySelectorAll("[data-when]").forEach((button) => (button.hidden = button.dataset.when !== node.dataset.state));
    form.querySelector("[value=crown]").hidden = node.dataset.state !== "active" || node.classList.contains("winner");
  }
  shown.showModal();
});
