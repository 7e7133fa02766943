// Menus, dialogs, forms and the look. Everything else is HTML or htmx.
(() => {
  const on = (type, handler, options) => document.addEventListener(type, handler, options);
  const find = (event, selector) =>
    event.target instanceof Element ? event.target.closest(selector) : null;

  // htmx notes the page's address for a history of pages that is not kept here: it may name somebody
  const forgetAddress = () => sessionStorage.removeItem("htmx-current-path-for-history");
  forgetAddress();
  on("htmx:pushedIntoHistory", forgetAddress);
  on("htmx:replacedInHistory", forgetAddress);

  // A search puts into the address what is asked for, not what isn’t
  on("htmx:configRequest", (event) => {
    if (!event.target.matches(".search")) return;
    const { formData } = event.detail;
    [...formData].filter(([, value]) => !value).forEach(([name]) => formData.delete(name));
  });

  // Where a form is found again with what has been entered: by going back, or after signing in
  on("DOMContentLoaded", () => {
    const form = document.querySelector("form[data-in-address]");
    if (!form) return;
    const address = new URL(location.href);
    form.dataset.inAddress.split(" ").forEach((name) => {
      address.searchParams.set(name, form.elements[name].value);
    });
    history.replaceState(history.state, "", address);
  });

  // The look: the theme, and how close the rows of tables are
  const showLook = () => {
    document.querySelectorAll("[data-look]").forEach((button) => {
      const chosen = window.segueLook.get(button.dataset.look) === button.dataset.choice;
      button.setAttribute("aria-pressed", String(chosen));
    });
  };
  on("click", (event) => {
    const button = find(event, "[data-look]");
    if (!button) return;
    window.segueLook.set(button.dataset.look, button.dataset.choice);
    showLook();
  });

  // Menus: popovers placed beside their button, walked with the arrow keys
  const place = (menu, button) => {
    const at = button.getBoundingClientRect();
    const width = menu.offsetWidth;
    const height = menu.offsetHeight;
    const gap = 6;
    const wide = menu.hasAttribute("data-align-start");
    let left = wide ? at.left : at.right - width;
    let top = at.bottom + gap;
    if (top + height > innerHeight - gap && at.top - height - gap > 0) top = at.top - height - gap;
    left = Math.max(gap, Math.min(left, innerWidth - width - gap));
    menu.style.left = `${left}px`;
    // Where it fits neither below nor above, it covers its button.
    menu.style.top = `${Math.max(gap, Math.min(top, innerHeight - height - gap))}px`;
  };
  const opener = (menu) => document.querySelector(`[popovertarget="${menu.id}"]`);
  on(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!(menu instanceof HTMLElement) || !menu.matches(".menu")) return;
      const button = opener(menu);
      button?.setAttribute("aria-expanded", String(event.newState === "open"));
      if (event.newState === "open" && button) {
        place(menu, button);
        menu.querySelector("a, button, input:not([type=hidden])")?.focus({ preventScroll: true });
      }
    },
    true,
  );
  on("keydown", (event) => {
    const menu = find(event, ".menu");
    if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    const items = [...menu.querySelectorAll("a[href], button:not([disabled]), [type=checkbox]")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const here = items.indexOf(document.activeElement);
    const next =
      event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : here + step;
    items[(next + items.length) % items.length]?.focus();
    event.preventDefault();
  });
  addEventListener("resize", () => {
    document.querySelectorAll(".menu:popover-open").forEach((menu) => menu.hidePopover());
  });

  // Dialogs
  on("click", (event) => {
    const open = find(event, "[data-dialog]");
    if (open) {
      document.getElementById(open.dataset.dialog)?.showModal();
      return;
    }
    const close = find(event, "[data-close]");
    if (close) close.closest("dialog, .alert")?.[close.closest("dialog") ? "close" : "remove"]();
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });

  // Forms: sent once; the first error is where the person is taken
  on("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !(form instanceof HTMLFormElement)) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (form.method !== "post" || form.matches("[hx-post]")) return;
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
    });
  });
  const focusFirstError = (root) => {
    const wrong = root.querySelector('[aria-invalid="true"]');
    if (wrong) wrong.focus();
    else root.querySelector(".form-errors")?.focus();
  };

  // Rows that can be added to and taken from a form
  on("click", (event) => {
    const add = find(event, "[data-add-row]");
    if (add) {
      const rows = document.getElementById(add.dataset.addRow);
      const row = rows.querySelector("template").content.firstElementChild.cloneNode(true);
      rows.append(row);
      row.querySelector("input, select")?.focus();
    }
    const remove = find(event, "[data-remove-row]");
    if (remove) {
      const row = remove.closest("[data-row]");
      const next = row.nextElementSibling ?? row.previousElementSibling;
      const adder = document.querySelector(`[data-add-row="${row.parentElement.id}"]`);
      const rows = row.parentElement;
      row.remove();
      rows.dispatchEvent(new Event("input", { bubbles: true }));
      (next?.querySelector("input, select") ?? adder)?.focus();
    }
  });

  // Several rows of a table at once
  const TICKS = 'input[name="selected"], input[data-tick]';
  const showBulk = () => {
    const bar = document.querySelector("[data-bulk]");
    if (!bar) return;
    const boxes = [...document.querySelectorAll(TICKS)];
    const ticked = boxes.filter((box) => box.checked).length;
    bar.hidden = ticked === 0;
    bar.querySelector("[data-bulk-count]").textContent = String(ticked);
    const all = document.querySelector("[data-tick-all]");
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
  };
  on("change", (event) => {
    const all = find(event, "[data-tick-all]");
    if (all) {
      document.querySelectorAll(TICKS).forEach((box) => {
        box.checked = all.checked;
      });
    }
    showBulk();
  });

  on("htmx:afterSwap", showBulk);
  addEventListener("pageshow", showBulk);

  // What a choice shows: a part marked with the name and values it belongs to
  const showParts = () => {
    document.querySelectorAll("[data-shown-when]").forEach((part) => {
      const [name, values] = part.dataset.shownWhen.split("=");
      const form = part.closest("form") ?? document;
      const field = form.querySelector(`[name="${name}"]:checked, select[name="${name}"]`);
      const value = field?.type === "checkbox" ? "on" : field?.value;
      part.hidden = !values.split("|").includes(value ?? "off");
    });
  };
  on("change", showParts);

  // Parts that stay closed, or open, as the person left them
  const showRemembered = () => {
    document.querySelectorAll("details[data-remember]").forEach((part) => {
      part.open = localStorage.getItem(`segue-closed-${part.dataset.remember}`) === null;
    });
  };
  on(
    "toggle",
    (event) => {
      const part = event.target;
      if (!(part instanceof HTMLDetailsElement) || !part.dataset.remember) return;
      const key = `segue-closed-${part.dataset.remember}`;
      if (part.open) localStorage.removeItem(key);
      else localStorage.setItem(key, "yes");
    },
    true,
  );

  // Text to take along
  on("click", async (event) => {
    const button = find(event, "[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.querySelector("[data-copy-label]") ?? button;
    const before = label.textContent;
    label.textContent = button.dataset.copied;
    setTimeout(() => (label.textContent = before), 2000);
  });

  on("click", (event) => {
    if (find(event, "[data-print]")) print();
  });

  // A new workspace starts in the time zone of the person's own clock
  const guessTimeZone = () => {
    const field = document.querySelector('[data-guess-time-zone] select[name="time_zone"]');
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (field && field.value === "UTC" && [...field.options].some((one) => one.value === zone)) {
      field.value = zone;
    }
  };

  on("DOMContentLoaded", () => {
    showLook();
    showRemembered();
    guessTimeZone();
    showParts();
    focusFirstError(document);
  });
  on("htmx:afterSwap", (event) => {
    showLook();
    showParts();
    focusFirstError(event.target);
  });
})();
