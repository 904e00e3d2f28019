/* Marks on rows and articles by whoever declines or returns a text: says beside the button what is
   marked, and how many reasons it goes with. Without this script everything works, uncounted.

   [data-mark] is the tick of a row or article and holds its name; the reason's field follows it.
   [data-marks-button] holds the words of the button, [data-marks-list] is filled here,
   [data-clear-marks] clears every tick. */
"use strict";

(() => {
  const ticks = [...document.querySelectorAll("[data-mark]")];
  const button = document.querySelector("[data-marks-button]");
  const list = document.querySelector("[data-marks-list]");
  if (!button || !list) return;

  const reasonOf = (tick) => tick.closest(".markable").querySelector("textarea");

  function line(tick) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const note = document.createElement("small");
    const reason = reasonOf(tick);
    const length = reason.value.trim().length;
    link.href = `#${reason.id}`;
    link.textContent = tick.dataset.mark;
    note.textContent = length
      ? `1 reason, ${length} character${length === 1 ? "" : "s"}`
      : "Its reason is missing";
    item.append(link, note);
    return item;
  }

  function show() {
    const marked = ticks.filter((tick) => tick.checked);
    const words = button.dataset.marksButton;
    list.hidden = !marked.length;
    list.replaceChildren(...marked.map(line));
    button.textContent = marked.length
      ? `${words} with ${marked.length} reason${marked.length === 1 ? "" : "s"}`
      : words;
  }

  document.addEventListener("input", (event) => {
    if (event.target.closest(".markable")) show();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-mark]")) return;
    show();
    if (event.target.checked) reasonOf(event.target).focus();
  });
  for (const clear of document.querySelectorAll("[data-clear-marks]")) {
    clear.hidden = false;
    clear.addEventListener("click", () => {
      for (const tick of ticks) tick.checked = false;
      show();
      document.querySelector("#ceremony").focus();
    });
  }
  show();
})();
