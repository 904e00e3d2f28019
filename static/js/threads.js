/* Threads: a button puts an Office's name where the caret is. Without a script the names are hints. */
"use strict";

function offerMentions(root) {
  for (const button of root.querySelectorAll("[data-mention]")) button.disabled = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-mention]");
  if (!button) return;
  const text = document.getElementById(button.closest("[data-mentions]").dataset.mentions);
  const before = text.value.slice(0, text.selectionStart);
  const gap = before && !/\s$/.test(before) ? " " : "";
  text.setRangeText(`${gap}${button.dataset.mention} `, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
  text.focus();
});

offerMentions(document);
document.addEventListener("htmx:load", (event) => offerMentions(event.target));
