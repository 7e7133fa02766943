// Passkeys: a form marked with data-passkey asks the browser for one before it is sent.
(() => {
  const show = (selector, visible) => {
    document.querySelectorAll(selector).forEach((part) => (part.hidden = !visible));
  };

  const options = async (form) => {
    if (!form.dataset.passkeyFrom) {
      return JSON.parse(document.getElementById(form.dataset.passkeyOptions).textContent);
    }
    const response = await fetch(form.dataset.passkeyFrom, {
      headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
    });
    if (!response.ok) throw new Error(`No options: ${response.status}`);
    return (await response.json()).request_options;
  };

  const credential = async (form) => {
    const asked = await options(form);
    if (form.dataset.passkey === "get") return webauthnJSON.get(asked);
    // A key that signs in alone must be kept by the device, and ask who is there.
    const alone = form.elements.passwordless?.checked ?? false;
    const wanted = asked.publicKey.authenticatorSelection;
    wanted.residentKey = alone ? "required" : "discouraged";
    wanted.requireResidentKey = alone;
    if (alone) wanted.userVerification = "required";
    return webauthnJSON.create(asked);
  };

  document.addEventListener(
    "submit",
    async (event) => {
      const form = event.target;
      if (!form.matches("[data-passkey]")) return;
      event.preventDefault();
      event.stopPropagation();
      show("[data-passkey-trouble]", false);
      const button = form.querySelector("[type=submit]");
      if (button.getAttribute("aria-busy")) return;
      button.setAttribute("aria-busy", "true");
      try {
        form.elements.credential.value = JSON.stringify(await credential(form));
        form.submit();
      } catch {
        button.removeAttribute("aria-busy");
        show("[data-passkey-trouble]", true);
      }
    },
    true,
  );

  if (!window.PublicKeyCredential) {
    show("[data-no-passkeys]", true);
    document.querySelectorAll("[data-passkey] [type=submit]").forEach((button) => {
      button.disabled = true;
    });
  }
})();
