/* The last steps of the ceremony by passkey: the passkey signs what the server asks, its answer
   waits in the form, and the last click sends it. Without this script the page offers password
   and code. Needs passkeys.js and registry.js.

   form[data-confirm] holds the server's options for navigator.credentials.get. While it is
   [data-unproven] its button does nothing. [data-before] is shown until the passkey has answered,
   [data-after] from then on. */
"use strict";

(() => {
  const form = document.querySelector("form[data-confirm]");
  if (!form) return;
  const use = form.querySelector("[data-use-passkey]");
  const sign = form.querySelector("button[data-guard]");
  const problem = form.querySelector("[data-passkey-problem]");
  if (!passkeys.works) return; // passkeys.js says so

  use.hidden = false;
  use.addEventListener("click", async () => {
    if (use.getAttribute("aria-disabled") === "true") return;
    use.setAttribute("aria-disabled", "true");
    problem.hidden = true;
    try {
      const answer = await passkeys.get({ publicKey: JSON.parse(form.dataset.confirm) });
      form.elements.passkey.value = JSON.stringify(answer);
      confirmed();
    } catch (error) {
      problem.querySelector("span").textContent = `${passkeys.problem(error)} Nothing was signed.`;
      problem.hidden = false;
      use.focus();
    } finally {
      use.removeAttribute("aria-disabled");
    }
  });

  function confirmed() {
    for (const one of form.querySelectorAll("[data-before]")) one.hidden = true;
    for (const one of form.querySelectorAll("[data-after]")) one.hidden = false;
    use.closest("li").dataset.state = "done";
    sign.dataset.kind = "primary";
    delete form.dataset.unproven;
    showProgress(form);
    sign.focus();
  }
})();
