// Many pictures at once: all that the page shows, or none of them.
"use strict";

document.querySelectorAll("[data-pick-all]").forEach((button) => {
  const boxes = [...button.closest("[data-pick]").querySelectorAll("input[type=checkbox]")];
  const words = () => (button.textContent = boxes.every((box) => box.checked) ? "Choose none" : "Choose all here");
  button.hidden = false;
  button.addEventListener("click", () => {
    const all = !boxes.every((box) => box.checked);
    boxes.forEach((box) => (box.checked = all));
    words();
  });
  button.closest("[data-pick]").addEventListener("change", words);
});
