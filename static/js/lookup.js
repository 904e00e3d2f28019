/* The look-up page by keyboard: arrows move through the answers, Enter opens the first. */
"use strict";

const question = document.querySelector("#q");
const date = document.querySelector("#id_on");
const links = () => [...document.querySelectorAll("#answers .answer a")];

document.querySelector("[data-keys]").hidden = false;

/* Enter opens the first answer only when the answers shown are those to what is written;
   otherwise the form is sent, as it is without a script. */
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  const shown = document.querySelector("#answers").dataset.query ?? "";
  const first = links()[0];
  if (!first || shown === "" || shown !== question.value.trim().replace(/\s+/g, " ")) return;
  if (date.value !== date.defaultValue) return;
  event.preventDefault();
  first.click();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const all = [question, ...links()];
  const at = all.indexOf(document.activeElement);
  if (at < 0 || all.length < 2) return;
  event.preventDefault();
  all[Math.max(0, Math.min(all.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))].focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.activeElement?.closest("#answers .answer")) {
    question.focus();
  }
});
