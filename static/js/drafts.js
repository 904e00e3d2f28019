/* What is typed in a form[data-unsaved] and not saved yet is kept in this browser, by person, and is
   back when the form is. Saving clears it, signing out clears everything. Secrets are never kept. */
"use strict";

(() => {
  const PREFIX = "unsaved:";
  const DAYS = 14;
  const person = document.body.dataset.person;
  const secret =
    "[type='password'], [type='hidden']:not([data-kept]), [type='file'], [data-secret], [autocomplete='one-time-code'], [autocomplete*='password']";
  let storage = null;
  try {
    storage = localStorage;
  } catch {
    return; // Storage is refused: the page still asks before it is left.
  }

  const keysOf = (prefix) => Object.keys(storage).filter((key) => key.startsWith(prefix));

  function read(key) {
    try {
      return JSON.parse(storage.getItem(key));
    } catch {
      return null;
    }
  }

  function write(key, kept) {
    try {
      storage.setItem(key, JSON.stringify(kept));
    } catch {
      // It is full.
    }
  }

  /* --- Signing out, and another person on the same browser ------------------------------------ */

  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[action$='/logout/']")) keysOf(PREFIX).forEach((key) => storage.removeItem(key));
  });
  if (!person) return; // whoever was signed out after a while finds their text again
  const mine = `${PREFIX}${person}:`;
  for (const key of keysOf(PREFIX)) {
    const kept = read(key);
    const old = !kept || Date.now() - Date.parse(kept.at) > DAYS * 864e5;
    if (old || !key.startsWith(mine)) storage.removeItem(key);
  }

  /* --- A form and its text --------------------------------------------------------------------- */

  const address = (form) => {
    const clause = form.querySelector("[name='clause']")?.value ?? "";
    return new URL(form.getAttribute("action") || location.href, location.href).pathname + (clause && `#${clause}`);
  };
  const keyOf = (form) => mine + address(form);

  function fields(form) {
    return [...form.elements].filter(
      (one) => one.name && one.matches("input, textarea, select") && !one.matches(secret) && !one.matches("[type='submit']"),
    );
  }

  /* What stands in each field, in order: forms may have several fields of one name. */
  function text(form) {
    return fields(form).map((one) => {
      if (one.matches("[type='checkbox'], [type='radio']")) return [one.name, one.value, one.checked];
      if (one.multiple) return [one.name, [...one.selectedOptions].map((option) => option.value)];
      return [one.name, one.value];
    });
  }

  function fill(form, kept) {
    const now = fields(form).filter((one) => !one.matches("[data-kept]"));
    const left = [...kept];
    for (const one of now) {
      const ticked = one.matches("[type='checkbox'], [type='radio']");
      const at = left.findIndex(([name, value]) => name === one.name && (!ticked || value === one.value));
      if (at < 0) continue;
      const [[, value, checked]] = left.splice(at, 1);
      if (ticked) one.checked = checked;
      else if (one.multiple) for (const option of one.options) option.selected = value.includes(option.value);
      else one.value = value;
    }
  }

  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const begun = new WeakMap(); // what stood in a form before anybody typed

  function keep(form) {
    const now = text(form);
    if (same(now, begun.get(form))) {
      storage.removeItem(keyOf(form));
      return;
    }
    write(keyOf(form), {
      at: new Date().toISOString(),
      version: form.querySelector("[name='version']")?.value ?? "",
      label: form.getAttribute("aria-label") ?? "",
      page: form.hasAttribute("hx-post") ? location.pathname : address(form).split("#")[0],
      text: now,
    });
  }

  const waiting = new Map();
  for (const name of ["input", "change"]) {
    document.addEventListener(name, (event) => {
      const form = event.target.closest("form[data-unsaved]");
      if (!form || event.target.matches(secret)) return;
      clearTimeout(waiting.get(form));
      waiting.set(form, setTimeout(() => waiting.delete(form) && keep(form), 250));
    });
  }
  function keepNow() {
    for (const [form, timer] of waiting) {
      clearTimeout(timer);
      if (form.isConnected) keep(form);
    }
    waiting.clear();
  }
  addEventListener("pagehide", keepNow);

  /* --- Bringing it back ------------------------------------------------------------------------- */

  function when(at) {
    const day = new Date(at);
    const clock = day.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    if (day.toDateString() === new Date().toDateString()) return clock;
    return `${day.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${clock}`;
  }

  function lineWith(words, act, does) {
    const line = document.createElement("p");
    line.className = "unsaved-line small";
    line.setAttribute("role", "status");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = act;
    button.addEventListener("click", does);
    line.append(`${words} `, button);
    return line;
  }

  function bringBack(form) {
    if (begun.has(form)) return;
    begun.set(form, text(form));
    const kept = read(keyOf(form));
    // What the server says about a text it refused, or that two wrote at once, comes first.
    if (!kept || form.querySelector("[role='alert'], .error-summary")) return;
    if (same(kept.text, begun.get(form))) return;
    const stands = text(form).map((one) => JSON.stringify(one));
    if (kept.text.every((one) => one[0] === "count" || stands.includes(JSON.stringify(one)))) {
      // It is in the form already, which was given more room: it stays kept until it is saved.
      begun.set(form, null);
      form.dataset.typed = "yes";
      return;
    }
    if (form.matches("[data-again]") && !fits(form, kept.text)) {
      bringBackByServer(form, kept).catch(() => {
        // The server is away: what was kept stays kept as long as nothing is typed here.
        form.prepend(lineWith(`Text you had not saved from ${when(kept.at)} is kept, and could not be shown.`, "Try again", () => location.reload()));
      });
      return;
    }
    const version = form.querySelector("[name='version']");
    const newest = version?.value;
    const changed = version && kept.version && kept.version !== newest;
    fill(form, kept.text);
    // Saving is then judged against the text it was written on: nothing newer is overwritten.
    if (changed) version.value = kept.version;
    form.dataset.typed = "yes";
    for (let one = form.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    const line = isBack(kept, changed, () => {
      storage.removeItem(keyOf(form));
      fill(form, begun.get(form));
      if (version) version.value = newest;
      delete form.dataset.typed;
      line.remove();
      fields(form)[0]?.focus();
    });
    form.prepend(line);
  }

  function isBack(kept, changed, discard) {
    const meanwhile = changed ? " The text changed meanwhile: saving shows you both." : "";
    return lineWith(`Text you had not saved from ${when(kept.at)} is back.${meanwhile}`, "Discard it", discard);
  }

  const names = (kept) => new Set(kept.map(([name]) => name));

  /* Whether the form has a place for all that was kept, each where it was. */
  function fits(form, kept) {
    const places = names(text(form));
    const hidden = (one) => fields(form).find((each) => each.name === one && each.matches("[data-kept]"));
    return kept.every(([name, value, checked]) => {
      if (hidden(name)) return name === "count" ? +hidden(name).value >= +value : hidden(name).value === value;
      return places.has(name) || !(checked ?? value.length);
    });
  }

  /* Entries came, went or moved, or there is no room: the server makes the form that was left. */
  async function bringBackByServer(form, kept) {
    const sent = new URLSearchParams({ again: "1" });
    for (const one of form.querySelectorAll("[name='csrfmiddlewaretoken']")) sent.set(one.name, one.value);
    const version = form.querySelector("[name='version']");
    sent.set("version", kept.version || version.value);
    for (const [name, value, checked] of kept.text) {
      if (checked !== false) for (const one of [value].flat()) sent.append(name, one);
    }
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: sent });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("form[data-again]");
    if (!answer.ok || !fresh) throw new Error(String(answer.status));
    begun.set(fresh, begun.get(form));
    fresh.dataset.typed = "yes";
    const changed = Boolean(kept.version) && kept.version !== version.value;
    fresh.prepend(
      isBack(kept, changed, () => {
        storage.removeItem(keyOf(form));
        fresh.replaceWith(form);
        fields(form)[0]?.focus();
      }),
    );
    form.replaceWith(fresh);
    htmx.process(fresh);
    const stood = new Set(byEntry(begun.get(form)).map(([, says]) => says));
    for (const [name, says] of byEntry(text(fresh))) {
      const fold = fresh.elements[name]?.closest?.("details");
      if (fold && !stood.has(says)) fold.open = true;
    }
  }

  /* What each entry says, by its key instead of its place: "forecast_missed limit 3 days". */
  function byEntry(all) {
    const keys = new Map(all.filter(([name]) => /^entry_\d+_key$/.test(name)).map(([name, key]) => [name.split("_")[1], key]));
    return all
      .filter(([name]) => name.startsWith("entry_") && !name.endsWith("_key"))
      .map(([name, value, checked]) => {
        const [, place, field] = name.match(/^entry_(\d+)_(.+)$/);
        return [name, JSON.stringify([keys.get(place), field, value, checked])];
      });
  }

  /* On a board: texts of forms that are not open. */
  function listed() {
    const place = document.querySelector("[data-unsaved-list]");
    if (!place) return;
    const here = new Set([...document.querySelectorAll("form[data-unsaved]")].map(keyOf));
    place.replaceChildren();
    for (const key of keysOf(mine + location.pathname).filter((one) => !here.has(one))) {
      const kept = read(key);
      const line = lineWith(`${kept.label || "A form"}: text you had not saved from ${when(kept.at)} is kept.`, "Discard it", () => {
        storage.removeItem(key);
        listed();
      });
      const link = document.createElement("a");
      link.href = kept.page;
      link.textContent = "Go on with it";
      line.lastChild.before(link, " ");
      place.append(line);
    }
    place.hidden = !place.children.length;
  }

  /* --- Saved -------------------------------------------------------------------------------------- */

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-unsaved]");
    if (!form) return;
    keepNow();
    const kept = read(keyOf(form));
    if (kept) write(keyOf(form), { ...kept, sent: true });
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    // The form itself, also where the answer has already taken its place.
    const { elt: form, verb } = event.detail.requestConfig;
    if (!form.matches?.("form[data-unsaved]") || verb === "get") return;
    clearTimeout(waiting.get(form));
    waiting.delete(form);
    if (!event.detail.successful || event.detail.xhr.status >= 400) return;
    storage.removeItem(keyOf(form));
    listed(); // the answer was in place before this: it may have listed what is saved now
  });
  /* A page that says that it is done is the answer to what was sent. */
  const done = document.querySelector("[data-said] [role='status']");
  for (const key of keysOf(mine)) {
    const kept = read(key);
    if (!kept?.sent) continue;
    if (done) {
      storage.removeItem(key);
    } else {
      delete kept.sent;
      write(key, kept);
    }
  }

  function prepare(root) {
    if (root.matches?.("form[data-unsaved]")) bringBack(root);
    for (const form of root.querySelectorAll("form[data-unsaved]")) bringBack(form);
  }
  prepare(document);
  listed();
  document.addEventListener("htmx:load", (event) => {
    prepare(event.target);
    listed();
  });
})();
