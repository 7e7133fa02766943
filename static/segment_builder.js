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
