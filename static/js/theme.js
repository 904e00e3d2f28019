/* Runs before the first paint: the reader's own choice of light or dark goes before the system's. */
"use strict";
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is refused (private mode): the system's setting stands.
}
