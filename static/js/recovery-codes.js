/* Recovery codes: copy them, save them as a text file, print them. Without a script: by hand. */
"use strict";

(() => {
  const bar = document.querySelector("[data-keep-codes]");
  if (!bar) return;
  const codes = [...document.querySelectorAll("#recovery-codes code")].map((one) => one.textContent);
  const text = `${codes.join("\n")}\n`;
  bar.hidden = false;

  const copy = bar.querySelector("[data-copy-codes]");
  if (navigator.clipboard) {
    copy.addEventListener("click", async () => {
      const word = copy.querySelector("span");
      try {
        await navigator.clipboard.writeText(text);
        word.textContent = "Copied";
      } catch {
        word.textContent = "Not copied";
      }
      setTimeout(() => (word.textContent = "Copy"), 2500);
    });
  } else {
    copy.hidden = true;
  }
  bar.querySelector("[data-save-codes]").addEventListener("click", () => {
    const about = `Recovery codes for the Boundary Registry of ${bar.dataset.company}\n\n`;
    const address = URL.createObjectURL(new Blob([about + text], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = "recovery-codes.txt";
    link.click();
    URL.revokeObjectURL(address);
  });
  bar.querySelector("[data-print-codes]").addEventListener("click", () => print());
})();
