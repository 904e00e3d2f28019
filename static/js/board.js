/* The drafting board: acting in place, what others change meanwhile, what was looked at, keys.
   Every act works without this, by a page of its own; nothing here decides what is allowed. */
"use strict";

(() => {
  const board = document.querySelector("#board");
  const list = document.querySelector("#board-rows");
  const summary = (row) => row.querySelector(":scope > summary");
  const rows = () => [...list.querySelectorAll("[data-clause]")].filter((row) => row.checkVisibility());
  const say = (words) => {
    const place = document.querySelector("#board-said");
    if (place) place.textContent = words;
  };

  /* --- Texts being typed ---------------------------------------------------------------------- */

  let sent = null; // the form whose answer is awaited: its text is the server's now

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-unsaved]");
    if (form) form.dataset.typed = "yes";
  });

  /* A form in which something was typed, or the edit form that is open in the row. */
  function busy(row) {
    return [...row.querySelectorAll("form[data-unsaved]")].find(
      (form) =>
        form !== sent &&
        !form.closest("[id$='-thread']") &&
        ("typed" in form.dataset || form.closest("[id$='-text']")),
    );
  }

  /* --- Putting a row in its place ------------------------------------------------------------- */

  function tellIn(row, news) {
    let line = row.querySelector("[data-news-line]");
    if (!line) {
      line = document.createElement("p");
      line.className = "news-line small";
      line.dataset.newsLine = "";
      line.setAttribute("role", "status");
      summary(row).after(line);
    }
    line.textContent = `${news || "Something was done about this meanwhile"}; your text is kept.`;
  }

  /* The thread that is open in the row stays open, with what is being typed in it. */
  function keepThread(row, fresh) {
    const [open, place] = [row, fresh].map((one) => one.querySelector(`[id="${row.id}-thread"]`));
    if (!open || !place || !open.querySelector("[data-thread]")) return;
    const again = place.querySelector("[hx-get]")?.getAttribute("hx-get");
    place.replaceWith(open);
    const typing = open.querySelector("form[data-typed]") || open.contains(document.activeElement);
    if (again && !typing) htmx.ajax("GET", again, { source: open, target: open, swap: "innerHTML" });
  }

  function put(row, fresh, { open = row.open } = {}) {
    const held = row.contains(document.activeElement) ? document.activeElement : null;
    fresh.removeAttribute("hx-swap-oob");
    if (busy(row)) {
      const focused = held === summary(row);
      summary(row).replaceWith(summary(fresh));
      if (focused) summary(row).focus({ preventScroll: true });
      tellIn(row, fresh.dataset.news);
      return false;
    }
    const words = (folded) => summary(folded)?.textContent.trim();
    for (const folded of row.querySelectorAll("details[open]")) {
      if (folded.contains(sent)) continue;
      const again = [...fresh.querySelectorAll("details")].find((one) => words(one) === words(folded));
      if (again) again.open = true;
    }
    fresh.open = open;
    keepThread(row, fresh);
    const kept = held && fresh.contains(held);
    row.replaceWith(fresh);
    htmx.process(fresh);
    htmx.trigger(fresh, "htmx:load");
    if (held) {
      const same = held.id
        ? fresh.querySelector(`[id="${held.id}"]`)
        : held.dataset.act && fresh.querySelector(`[data-act="${held.dataset.act}"]`);
      (kept ? held : same || summary(fresh)).focus({ preventScroll: true });
    }
    return true;
  }

  /* A part beside the rows; a place that is read aloud stays, and only its words change. */
  function replace(place, part) {
    if (part.getAttribute("hx-swap-oob") === "innerHTML") {
      place.replaceChildren(...part.childNodes);
      htmx.process(place);
      return;
    }
    part.removeAttribute("hx-swap-oob");
    for (const folded of part.querySelectorAll("details[id]")) {
      folded.open = document.getElementById(folded.id)?.open ?? false;
    }
    const held = place.contains(document.activeElement) ? document.activeElement : null;
    const way = held?.getAttribute("href");
    place.replaceWith(part);
    htmx.process(part);
    if (!held) return;
    const same = held.id
      ? document.getElementById(held.id)
      : [...part.querySelectorAll("a")].find((link) => link.getAttribute("href") === way);
    same?.focus({ preventScroll: true });
  }

  function parsed(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template;
  }

  /* --- What a board answers: its parts, each for its place ------------------------------------ */

  document.addEventListener("htmx:configRequest", (event) => {
    const form = event.detail.elt;
    if (!form.matches("[data-in-place]")) return;
    sent = form;
    if (!board) return;
    const asked = new URL(board.dataset.changes, location.href).searchParams;
    for (const [name, value] of asked) event.detail.parameters[name] = value;
    for (const name of ["seen", "shape", "since"]) event.detail.parameters[name] = board.dataset[name];
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    const seen = xhr.getResponseHeader("X-Board-Seen");
    if (!seen) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    if (board && seen === "over") over = true;
    else if (board) [board.dataset.seen, board.dataset.since] = [seen, xhr.getResponseHeader("X-Board-At")];
    if (!xhr.getResponseHeader("X-Board-Did")) sent = null;
    const answer = parsed(event.detail.serverResponse);
    const kept = new Set();
    for (const part of answer.content.querySelectorAll("[hx-swap-oob]")) {
      const place = document.getElementById(part.id);
      part.remove();
      if (!place) continue;
      if (!part.matches("[data-clause]")) replace(place, part);
      else if (!put(place, part)) kept.add(part.id);
      else if (part.open) looked(part, { quietly: true });
    }
    // "All I have read" is what stands on this page, not what stands on the server.
    for (const token of document.querySelectorAll("#board-progress input[name='read']")) {
      const anchor = token.value.split(":")[0];
      if (kept.has(anchor) || !document.getElementById(anchor)) token.remove();
    }
    sent = null;
    event.detail.serverResponse = "";
  });

  /* --- What others do meanwhile --------------------------------------------------------------- */

  const EVERY = 3000;
  const SELDOM = 60000;
  let over = false;
  let pause = EVERY;
  let timer = 0;
  let asking = false;

  function later() {
    clearTimeout(timer);
    if (!over && !document.hidden) timer = setTimeout(ask, pause);
  }

  async function ask() {
    if (asking || over || document.hidden) return;
    asking = true;
    const address = new URL(board.dataset.changes, location.href);
    for (const name of ["seen", "shape", "since"]) address.searchParams.set(name, board.dataset[name]);
    try {
      await htmx.ajax("GET", address.pathname + address.search, {
        source: board,
        target: board,
        swap: "none",
        headers: { "X-Poll": "1" },
      });
    } catch {
      // The server is away: htmx:afterRequest has said so.
    }
    asking = false;
    later();
  }

  /* A board that asks in vain says so: it would look as if nobody did anything. */
  let missed = 0;

  function tellMissed() {
    const line = document.querySelector("#board-missed");
    if (missed < 2) {
      line?.remove();
      return;
    }
    if (line) return;
    const said = document.createElement("p");
    said.id = "board-missed";
    said.className = "news-line small";
    said.setAttribute("role", "status");
    said.textContent =
      "The registry does not answer. What the others do shows here again once it does; what you type is kept in this browser.";
    document.querySelector("#board-news").before(said);
  }

  if (board) {
    document.addEventListener("htmx:afterRequest", (event) => {
      if (event.detail.elt !== board) return;
      const status = event.detail.xhr?.status ?? 0;
      missed = status === 0 || status >= 500 ? missed + 1 : 0;
      tellMissed();
      if (status === 403 || status === 404) over = true; // no longer ours to read
      pause = status >= 200 && status < 400 ? EVERY : Math.min(pause * 2, SELDOM);
    });
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : ask()));
    later();
  }

  /* --- Opening a row: its text where it was left out, and that it was looked at --------------- */

  const after = new Map(); // what waits for a row's text, by the row's id

  async function load(row) {
    const address = row.dataset.lazy;
    delete row.dataset.lazy;
    row.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      const fresh = parsed(await answer.text()).content.querySelector("[data-clause]");
      if (!answer.ok || !fresh) throw new Error(String(answer.status));
      put(row, fresh, { open: true });
      after.get(row.id)?.(fresh);
    } catch {
      row.dataset.lazy = address; // its link still leads there
      row.removeAttribute("aria-busy");
    }
    after.delete(row.id);
  }

  const seen = new Set();
  let telling = 0;

  /* Told in one request, however many rows are opened at once. */
  function looked(row, { quietly = false } = {}) {
    if (!board || !row.dataset.look) return;
    seen.add(row.dataset.look);
    delete row.dataset.look;
    for (const token of document.querySelectorAll("#all-seen [name='clause']")) {
      if (token.value.split(":")[0] === row.id) token.remove();
    }
    if (!document.querySelector("#all-seen [name='clause']")) document.querySelector("#all-seen")?.remove();
    const count = document.querySelector("[data-kind-of='new'] .count");
    if (count) count.textContent = Math.max(0, Number(count.textContent) - 1);
    if (!quietly) row.querySelector(":scope > summary .tag[data-state='new']")?.remove();
    clearTimeout(telling);
    telling = setTimeout(() => {
      const values = { clause: [...seen] };
      seen.clear();
      htmx.ajax("POST", board.dataset.lookAt, { source: list, target: list, swap: "none", values });
    }, 300);
  }

  document.addEventListener(
    "toggle",
    (event) => {
      const row = event.target;
      if (!(row instanceof Element) || !row.matches("[data-clause]") || !row.open) return;
      if (row.dataset.lazy) load(row);
      looked(row);
    },
    true,
  );

  /* --- Keys, only while a row has the focus and nobody is writing ------------------------------ */

  if (!list) return;
  const help = document.querySelector("#board-keys");
  const showHelp = () => help?.showModal();
  for (const button of document.querySelectorAll("[data-keys-help]")) {
    button.hidden = false;
    button.addEventListener("click", showHelp);
  }

  function withText(row, does) {
    const lazy = row.dataset.lazy;
    if (lazy) after.set(row.id, does);
    row.open = true;
    if (!lazy) does(row);
  }

  function step(row, by) {
    const all = rows();
    const at = all.indexOf(row) + by;
    const to = row ? all[Math.max(0, Math.min(all.length - 1, at))] : all[0];
    if (to) summary(to).focus();
  }

  const keys = {
    j: (row) => step(row, 1),
    k: (row) => step(row, -1),
    o: (row) => (row.open = !row.open),
    a(row) {
      if (!row.open) {
        // Nobody agrees to what they have not in view.
        withText(row, () => say("It is open. Press a again to agree to it as it stands."));
        return;
      }
      const button = row.querySelector("button[data-act='agree']");
      if (button) button.click();
      else say("Nothing here waits for you to agree.");
    },
    c: (row) =>
      withText(row, (one) => {
        const act = one.querySelector("details[data-act='contest']");
        if (!act) return say("You cannot contest this, or you contest it already.");
        act.open = true;
        act.querySelector("textarea").focus();
      }),
    e: (row) =>
      withText(row, (one) => {
        const link = one.querySelector("[data-act='edit']");
        if (link) link.click();
        else say("You cannot edit this.");
      }),
    t: (row) =>
      withText(row, (one) => {
        const thread = one.querySelector(`[id="${one.id}-thread"]`);
        const link = thread?.querySelector("[hx-get]");
        if (link && !thread.querySelector("textarea")) {
          link.focus();
          link.click();
        } else {
          thread?.querySelector("textarea, a, button")?.focus();
        }
      }),
    n(row) {
      const all = rows();
      const from = all.indexOf(row) + 1;
      const next = [...all.slice(from), ...all.slice(0, from)].find((one) => "mine" in one.dataset);
      if (next) summary(next).focus();
      else say("Nothing here waits for you to agree.");
    },
    "/"() {
      const search = document.querySelector("#board-search");
      search.focus();
      search.select();
    },
    "?": showHelp,
  };

  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const row = event.target.closest("[data-clause]");
    if (!row) return;
    const arrow = { ArrowDown: "j", ArrowUp: "k" }[event.key];
    // In the text of a row the arrows scroll, as everywhere.
    const key = arrow && event.target === summary(row) ? arrow : event.key;
    if (!Object.hasOwn(keys, key)) return;
    event.preventDefault();
    event.stopPropagation();
    keys[key](row);
  });

  /* After an act that loaded the page again: back at the row. */
  const back = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (back && back.matches("[data-clause]")) summary(back).focus({ preventScroll: true });
})();
