// A quick segment's size, as values are ticked: no profile has two of them.
(() => {
  const show = () => {
    const form = document.querySelector("[data-quick]");
    if (!form) return;
    const size = [...form.querySelectorAll("[data-size]:checked")].reduce(
      (sum, box) => sum + Number(box.dataset.size),
      0,
    );
    const language = document.documentElement.lang || "en";
    form.querySelector("[data-quick-size]").textContent = size.toLocaleString(language);
    form.querySelector("[data-quick-share]").value = size;
  };
  document.addEventListener("change", show);
  document.addEventListener("htmx:afterSettle", show);
  addEventListener("pageshow", show);
})();
