// Frequent values as buttons: each puts its value into the list beside it, or takes it out.
(() => {
  // As a spreadsheet copies them: on lines or with tabs between, in quotes where they need it.
  const cells = /[ ]*"((?:[^"]|"")*)"[ ]*(?=[\t\r\n]|$)|[^\t\r\n]+/g;
  const linesOf = (field) =>
    [...field.value.matchAll(cells)]
      .map(([plain, quoted]) => quoted?.replaceAll('""', '"') ?? plain)
      .filter((line) => line.trim() !== "");
  const written = (value) =>
    /[\t\r\n]|^\s*"/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
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
    field.value = others.map(written).join("\n");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("input", (event) => {
    if (event.target.id) show(document.querySelectorAll(`[data-to="${event.target.id}"]`));
  });
  // Enter looks for a value, and does not save the segment meanwhile.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.(".frequent input")) event.preventDefault();
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

// A field that suggests values: a combobox with a list, as ARIA's practices describe it.
(() => {
  const boxOf = (node) => node instanceof Element && node.closest("[data-combobox]");
  const fieldOf = (box) => box.querySelector("[role=combobox]");
  const popupOf = (box) => box.querySelector(".combobox-popup");
  const optionsOf = (box) => [...box.querySelectorAll("[role=option]")];
  const isOpen = (box) => !popupOf(box).hidden;

  const activate = (box, option) => {
    optionsOf(box).forEach((one) => one.setAttribute("aria-selected", String(one === option)));
    if (option) {
      fieldOf(box).setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      fieldOf(box).removeAttribute("aria-activedescendant");
    }
  };
  const show = (box, open) => {
    popupOf(box).hidden = !open;
    fieldOf(box).setAttribute("aria-expanded", String(open && optionsOf(box).length > 0));
    if (!open) activate(box, null);
  };
  const choose = (box, option) => {
    const field = fieldOf(box);
    field.value = option.dataset.value;
    box.dataset.chosen = field.value;
    show(box, false);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  document.addEventListener("htmx:afterSwap", (event) => {
    const box = boxOf(event.target);
    if (!box || !event.target.matches(".combobox-popup")) return;
    const field = fieldOf(box);
    show(box, document.activeElement === field && box.dataset.chosen !== field.value);
  });
  document.addEventListener("click", (event) => {
    const box = boxOf(event.target);
    if (!box) return;
    const option = event.target.closest("[role=option]");
    if (option) choose(box, option);
    else if (event.target === fieldOf(box) && !isOpen(box)) {
      delete box.dataset.chosen;
      htmx.trigger(event.target, "suggest");
    }
  });
  // The field keeps the focus while the list is pressed or scrolled.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest?.(".combobox-popup")) event.preventDefault();
  });
  document.addEventListener("focusout", (event) => {
    const box = boxOf(event.target);
    if (box) show(box, false);
  });
  document.addEventListener("keydown", (event) => {
    const box = boxOf(event.target);
    if (!box || event.target !== fieldOf(box)) return;
    const options = optionsOf(box);
    const here = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen(box)) {
        delete box.dataset.chosen;
        htmx.trigger(event.target, "suggest");
        return;
      }
      const step = event.key === "ArrowDown" ? 1 : -1;
      const next = here < 0 && step < 0 ? options.length - 1 : here + step;
      activate(box, options[next] ?? null);
    } else if (event.key === "Enter" && isOpen(box) && here >= 0) {
      event.preventDefault();
      choose(box, options[here]);
    } else if (event.key === "Escape" && isOpen(box)) {
      event.preventDefault();
      show(box, false);
    }
  });
})();
