// Exports: proposals of the data matching, finding a list among many.
(() => {
  const on = (type, handler) => document.addEventListener(type, handler);
  const closest = (event, selector) =>
    event.target instanceof Element ? event.target.closest(selector) : null;

  // A field just chosen brings the attribute that probably feeds it
  on("change", (event) => {
    const field = closest(event, "[data-proposes]");
    if (!field) return;
    const attribute = field.closest("[data-row]").querySelector('select[name="attribute"]');
    const proposal = field.selectedOptions[0]?.dataset.proposal;
    if (!attribute.value && proposal) attribute.value = proposal;
  });

  // The account's custom fields, offered beside the usual ones in every line
  const offerCustomFields = () => {
    const offered = document.querySelector("#custom-fields template");
    const rows = document.getElementById("match-rows");
    if (!offered || !rows) return;
    [rows, rows.querySelector("template").content].forEach((part) => {
      part.querySelectorAll('select[name="field"]').forEach((select) => {
        const chosen = select.selectedOptions[0]?.closest("[data-custom]") && select.selectedOptions[0];
        const group = offered.content.firstElementChild?.cloneNode(true);
        const known = chosen && group?.querySelector(`option[value="${CSS.escape(chosen.value)}"]`);
        if (chosen && !known) return;
        select.querySelector("[data-custom]")?.remove();
        if (group) select.append(group);
        if (known) select.value = known.value;
      });
    });
  };

  // A list among many, by a part of its name
  on("input", (event) => {
    const box = closest(event, "[data-filter]");
    if (!box) return;
    const wanted = box.value.trim().toLowerCase();
    const choices = document.getElementById(box.dataset.filter);
    let shown = 0;
    choices?.querySelectorAll("[data-filter-text]").forEach((choice) => {
      choice.hidden = !choice.dataset.filterText.includes(wanted);
      if (!choice.hidden) shown += 1;
    });
    const none = document.querySelector(`[data-filter-none="${box.dataset.filter}"]`);
    if (none) none.hidden = shown > 0;
  });
  const showPicked = () => {
    const picked = document.querySelector(".picker-choices input:checked");
    const choices = picked?.closest(".picker-choices");
    if (choices) {
      const choice = picked.closest(".picker-choice");
      choices.scrollTop = choice.offsetTop - choices.clientHeight / 2;
    }
  };

  on("htmx:afterSwap", (event) => {
    if (event.target.id === "custom-fields") offerCustomFields();
    showPicked();
  });
})();
