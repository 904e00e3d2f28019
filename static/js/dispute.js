/* A party's page: how many characters are written, as it is typed. The server counts in the end. */
"use strict";

(() => {
  for (const text of document.querySelectorAll("textarea[data-count]")) {
    const said = document.getElementById(text.dataset.count);
    const most = Number(text.dataset.most);
    const show = () => {
      const count = text.value.trim().length;
      const over = count > most ? ` ${(count - most).toLocaleString("en")} too many.` : "";
      said.textContent = `${count.toLocaleString("en")} of ${most.toLocaleString("en")} characters.${over}`;
      said.toggleAttribute("data-over", count > most);
    };
    text.addEventListener("input", show);
    show();
  }
})();
