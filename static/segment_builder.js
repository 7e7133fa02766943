// Frequent values as buttons: each puts its value into the list beside it, or takes it out.
(() => {
  const linesOf = (field) => field.value.split(/[\r\n\t]+/).filter((line) => line.trim() !== "");
  const same = (one, other) => one.trim().toLowerCase() === other.trim().toLowerCase();

  const show = (buttons) => {
    buttons.forEach((button) => {
      const field = document.getElementById(button.dataset.to);
      const chosen = linesOf(field).some((line) => same(line, button.dataset.value));
      button.setAttribute("aria-pressed", String(chosen));
    });
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-value][data-to]");
    if (!button) return;
    const field = document.getElementById(button.dataset.to);
    const lines = linesOf(field);
    const others = lines.filter((line) => !same(line, button.dataset.value));
    if (others.length === lines.length) others.push(button.dataset.value);
    field.value = others.join("\n");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("input", (event) => {
    if (event.target.id) show(document.querySelectorAll(`[data-to="${event.target.id}"]`));
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    show(event.target.querySelectorAll("[data-value][data-to]"));
  });
})();

// The rules come back from the server as they were sent. What a person types meanwhile must not
// be overwritten: they are asked for again, or (while a rule is added or removed) can't change.
(() => {
  let typed = false;
  let focused = "";
  const isOfRules = (event) => event.detail.target?.id === "rules";
  // Nothing inert takes the focus, so what the answer wants focused waited for this.
  const letGo = (wanted) => {
    const rules = document.getElementById("rules");
    if (!rules?.inert) return;
    rules.inert = false;
    (rules.querySelector(wanted) ?? document.getElementById(focused))?.focus();
  };

  document.addEventListener("input", (event) => {
    if (event.target.closest?.("#rules")) typed = true;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isOfRules(event)) return;
    typed = false;
    if (!event.detail.elt.matches("button")) return;
    focused = document.activeElement?.id ?? "";
    event.detail.target.inert = true;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isOfRules(event) || !typed) return;
    event.detail.shouldSwap = false;
    const asking = event.detail.requestConfig.elt;
    setTimeout(() => htmx.trigger(asking, "change"));
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (isOfRules(event)) letGo("[autofocus]");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isOfRules(event) && !event.detail.successful) letGo(`#${CSS.escape(focused)}`);
  });
})();
