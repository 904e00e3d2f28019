/* What a script adds. Every page works without it; nothing here decides what is allowed. */
"use strict";

const field = "input, textarea, select, [contenteditable]";

/* --- Keys: "/" goes to the search, Esc leaves it and closes what is open ------------------- */

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey) {
    if (event.target.closest(field)) return;
    const search = [...document.querySelectorAll("#q, .quick-search input")].find((one) =>
      one.checkVisibility(),
    );
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  }
  if (event.key === "Escape") {
    const menu = document.querySelector("details.account-menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.target.matches(".quick-search input")) {
      event.target.blur();
    }
  }
});

document.addEventListener("click", (event) => {
  const menu = document.querySelector("details.account-menu[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
});

/* --- Light or dark -------------------------------------------------------------------------- */

function offerThemes(root) {
  for (const control of root.querySelectorAll("[data-theme-control]")) {
    control.hidden = false;
    const select = control.querySelector("select");
    select.value = document.documentElement.dataset.theme ?? "";
    select.addEventListener("change", () => {
      if (select.value) document.documentElement.dataset.theme = select.value;
      else delete document.documentElement.dataset.theme;
      try {
        if (select.value) localStorage.setItem("theme", select.value);
        else localStorage.removeItem("theme");
      } catch {
        // Storage is refused: the choice holds for this page.
      }
    });
  }
}

/* --- Copying a fingerprint --------------------------------------------------------------------- */

function offerCopying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    if (button.dataset.ready) continue;
    button.dataset.ready = "yes";
    button.addEventListener("click", async () => {
      const word = button.querySelector("[data-word]");
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        word.textContent = "Copied";
      } catch {
        word.textContent = "Not copied";
      }
      setTimeout(() => (word.textContent = "Copy"), 2500);
    });
  }
}

/* --- Forms -------------------------------------------------------------------------------------- */

/* form[data-unsaved]: leaving the page asks first when something typed is not saved. */
const unsaved = new Set();
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-unsaved]");
  if (form) unsaved.add(form);
});
for (const name of ["submit", "reset", "htmx:beforeRequest"]) {
  document.addEventListener(name, (event) => unsaved.delete(event.target.closest?.("form")));
}
addEventListener("beforeunload", (event) => {
  if ([...unsaved].some((form) => form.isConnected)) event.preventDefault();
});

/* An act in place that was refused or not answered is said beside it; what was typed stays. A page
   that asks by itself (X-Poll) has words of its own. */
function tellUnanswered(event) {
  const { elt, xhr, requestConfig } = event.detail;
  if (requestConfig.headers["X-Poll"]) return;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const words = [...page.querySelectorAll("main h1, main .lead")].map((one) => one.textContent.trim());
  const line = document.createElement("p");
  line.className = "news-line small";
  line.dataset.unanswered = "";
  line.setAttribute("role", "alert");
  line.textContent = words.length
    ? words.map((one) => (/[.?!]$/.test(one) ? one : `${one}.`)).join(" ")
    : "The registry did not answer. What you typed is still here: look whether it was done before you repeat it.";
  (elt.closest("form") ?? elt).after(line);
}
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, tellUnanswered);
}
document.addEventListener("htmx:beforeRequest", (event) => {
  const beside = (event.detail.elt.closest("form") ?? event.detail.elt).nextElementSibling;
  if (beside?.matches("[data-unanswered]")) beside.remove();
});

/* A button that is aria-disabled stays focusable and does nothing.
   button[data-guard] is so until its form is complete; pressed too early it shows what is missing. */
document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest("[aria-disabled='true']");
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    if (button.matches("[data-guard]") && button.form.reportValidity()) {
      button.form.querySelector(".ceremony > [aria-current] :is(a, button)")?.focus();
    }
  },
  true,
);

/* Steps of a ceremony fill in as their fields are filled; the first unfilled one is current.
   A step [data-reading] is done once its text was opened: the server keeps the proof, this only
   shows it before the page is loaded again. */
function stepDone(step) {
  if ("reading" in step.dataset) return "read" in step.dataset;
  if ("withReading" in step.dataset) return stepDone(step.closest("form").querySelector("[data-reading]"));
  const asked = [...step.querySelectorAll("[required]")];
  return asked.length ? asked.every((one) => one.checkValidity()) : step.dataset.state === "done";
}

function showProgress(form) {
  const unread = form.querySelector("[data-reading]:not([data-read])");
  for (const button of form.querySelectorAll("button[data-guard]")) {
    const ready = !unread && !("over" in form.dataset) && !("unproven" in form.dataset);
    if (ready && form.checkValidity()) {
      button.removeAttribute("aria-disabled");
    } else {
      button.setAttribute("aria-disabled", "true");
    }
  }
  let current = null;
  for (const step of form.querySelectorAll(".ceremony > li")) {
    const done = stepDone(step);
    const isCurrent = !done && !current;
    if (isCurrent) current = step;
    if (done) step.dataset.state = "done";
    else if (isCurrent) delete step.dataset.state;
    else step.dataset.state = "later";
    if (isCurrent) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  }
}
for (const name of ["input", "change"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.closest("form[data-progress]");
    if (form) showProgress(form);
  });
}
document.addEventListener("click", (event) => {
  const step = event.target.closest("[data-opens]")?.closest("[data-reading]");
  if (!step) return;
  step.dataset.read = "yes";
  showProgress(step.closest("form"));
});

/* [data-seconds-left] counts down; [data-expiring] warns when less than a minute is left. */
function countDown(root) {
  for (const clock of root.querySelectorAll("[data-seconds-left]")) {
    const form = clock.closest("form");
    const end = Date.now() + Number(clock.dataset.secondsLeft) * 1000;
    const warning = form.querySelector("[data-expiring]");
    const until = clock.textContent;
    const tick = () => {
      const left = Math.max(0, Math.round((end - Date.now()) / 1000));
      const shown = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      clock.textContent = left ? `${shown} left. ${until}` : "The 5 minutes are over.";
      if (left < 60 && warning) warning.hidden = false;
      if (!left) {
        clearInterval(timer);
        form.dataset.over = "yes";
        showProgress(form);
      }
    };
    const timer = setInterval(tick, 1000);
    tick();
  }
}

/* A file may be dropped on its field. */
function acceptDrops(root) {
  for (const zone of root.querySelectorAll("[data-drop]")) {
    const input = zone.querySelector("input[type=file]");
    const chosen = zone.querySelector("[data-chosen]");
    const show = () => {
      if (chosen) chosen.textContent = input.files.length ? input.files[0].name : "";
      // Told before it is sent; the server says the same.
      const most = Number(input.dataset.mostBytes || Infinity);
      const tooLarge = [...input.files].some((file) => file.size > most);
      input.setCustomValidity(tooLarge ? input.dataset.tooLarge : "");
      if (tooLarge) input.reportValidity();
    };
    input.addEventListener("change", show);
    for (const name of ["dragover", "dragenter"]) {
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.dataset.over = "yes";
      });
    }
    zone.addEventListener("dragleave", () => delete zone.dataset.over);
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      delete zone.dataset.over;
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      show();
    });
  }
}

/* --- What sticks -------------------------------------------------------------------------------- */

/* The stylesheet asks how tall a side column and the words of what was done are. */
const heights = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const said = "said" in target.dataset;
    const height = `${Math.ceil(target.getBoundingClientRect().height)}px`;
    const [owner, name] = said ? [document.documentElement, "--said"] : [target, "--tall"];
    owner.style.setProperty(name, height);
  }
});
for (const one of document.querySelectorAll(".columns > .sticky, .site-notices[data-said]")) {
  heights.observe(one);
}

/* --- The board: all rows at once ------------------------------------------------------------------ */

for (const button of document.querySelectorAll("[data-open-all]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") === "false";
    for (const row of document.querySelectorAll(".function-row")) row.open = open;
    for (const other of document.querySelectorAll("[data-open-all]")) {
      other.setAttribute("aria-pressed", open);
    }
    button.scrollIntoView({ block: "nearest" });
  });
}

/* --- Arriving ------------------------------------------------------------------------------------ */

/* A link to a row opens it, also when the row is folded up. */
function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const row = target && target.closest("details");
  if (row && !row.open) {
    row.open = true;
    row.scrollIntoView();
  }
}
addEventListener("hashchange", openTarget);

function prepare(root) {
  offerCopying(root);
  countDown(root);
  acceptDrops(root);
  for (const form of root.querySelectorAll("form[data-progress]")) showProgress(form);
  root.querySelector(".error-summary")?.focus();
}

offerThemes(document);
prepare(document);
openTarget();
document
  .querySelector(".app-bar nav [aria-current]")
  ?.scrollIntoView({ inline: "center", block: "nearest" });
document.addEventListener("htmx:load", (event) => {
  if (event.target === document.body) return;
  prepare(event.target);
  // A form that opens in place: begin at its first field.
  if (event.target.matches("form")) event.target.querySelector(".field :is(input, select, textarea)")?.focus();
});
