/* Passkeys: WebAuthn between the browser and the registry. The server decides; this only speaks.

   form[data-passkey="get"|"create"|"sign-in"] is hidden until a script finds that passkeys work.
   data-options holds the server's options; "sign-in" asks the form's own address for them, since
   nobody is known yet. The answer goes into input[name="credential"], and the form is sent.
   [data-passkey-problem] says what went wrong. [data-passkey-unknown] is shown where the browser
   knows no passkeys.

   window.passkeys = { works, create(options), get(options), problem(error) } for other scripts. */
"use strict";

(() => {
  const works = Boolean(window.PublicKeyCredential && navigator.credentials);

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (one) => one.charCodeAt(0));
  };
  const text = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (one) => String.fromCharCode(one)).join(""))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=/g, "");
  const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

  function plain(credential, response) {
    return {
      type: credential.type,
      id: credential.id,
      rawId: text(credential.rawId),
      authenticatorAttachment: credential.authenticatorAttachment ?? null,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  }

  async function create({ publicKey }) {
    const made = await navigator.credentials.create({
      publicKey: {
        ...publicKey,
        challenge: bytes(publicKey.challenge),
        user: { ...publicKey.user, id: bytes(publicKey.user.id) },
        excludeCredentials: known(publicKey.excludeCredentials),
      },
    });
    return plain(made, {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    });
  }

  async function get({ publicKey }) {
    const used = await navigator.credentials.get({
      publicKey: {
        ...publicKey,
        challenge: bytes(publicKey.challenge),
        allowCredentials: known(publicKey.allowCredentials),
      },
    });
    const { clientDataJSON, authenticatorData, signature, userHandle } = used.response;
    return plain(used, {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    });
  }

  async function ask(address) {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (answer.status === 429) throw new DOMException("", "TooMany");
    if (!answer.ok) throw new DOMException("", "NoAnswer");
    return (await answer.json()).request_options;
  }

  const PROBLEMS = {
    NotAllowedError: "No passkey was used: it was cancelled, or it took too long. Try again.",
    InvalidStateError: "This device has a passkey for this account already.",
    SecurityError: "Passkeys do not work at this address.",
    NotSupportedError: "This device keeps no passkey of the kind that is needed here.",
    ConstraintError: "This device cannot ask for a PIN, finger or face. Use another one.",
    TooMany: "Too many tries in a short time. Wait a minute, then try again.",
  };
  const problem = (error) =>
    PROBLEMS[error.name] ?? "The registry did not answer. Check your connection, then try again.";

  window.passkeys = { works, create, get, problem };

  function prepare(form) {
    const button = form.querySelector("button:not([type=button])");
    const said = form.querySelector("[data-passkey-problem]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.getAttribute("aria-disabled") === "true") return;
      said.hidden = true;
      button.setAttribute("aria-disabled", "true");
      try {
        const kind = form.dataset.passkey;
        const options =
          kind === "sign-in" ? await ask(form.action) : JSON.parse(form.dataset.options);
        const credential = await (kind === "create" ? create(options) : get(options));
        form.querySelector("input[name=credential]").value = JSON.stringify(credential);
        form.submit(); // this way no "submit" comes back here
      } catch (error) {
        said.querySelector("span").textContent = problem(error);
        said.hidden = false;
        button.removeAttribute("aria-disabled");
        button.focus();
      }
    });
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (works) prepare(form);
  }
  if (!works) {
    for (const one of document.querySelectorAll("[data-passkey-unknown]")) one.hidden = false;
  }
})();
