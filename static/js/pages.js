/* Counts the pages of a signing copy as their images arrive, for step 1 of the ceremony. The server
   keeps what it handed over and decides by that; this only shows it before the page is loaded again.
   Needs registry.js.

   [data-pages] holds the images [data-page]; [data-pages-opened] says how many have come. */
"use strict";

function countPages() {
  const step = document.querySelector("[data-reading]:not([data-read])");
  const said = step?.querySelector("[data-pages-opened]");
  const images = [...document.querySelectorAll("[data-pages] img[data-page]")];
  if (!said || !images.length) return;
  const count = () => {
    const came = images.filter((one) => one.complete && one.naturalWidth).length;
    said.textContent = `${came} of ${images.length} opened`;
    if (came < images.length) return;
    step.dataset.read = "yes";
    showProgress(step.closest("form"));
  };
  for (const one of images) one.addEventListener("load", count);
  count();
}

countPages();
// Also for pages that came once the signing copy was made.
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) countPages();
});
