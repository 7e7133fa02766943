// Runs before the page is drawn, so that the chosen theme never flashes.
(() => {
  const key = "segue-theme";
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.bsTheme = theme;
    else delete document.documentElement.dataset.bsTheme;
  };
  window.segueTheme = {
    get: () => localStorage.getItem(key) || "system",
    set: (theme) => {
      localStorage.setItem(key, theme);
      apply(theme);
    },
  };
  apply(window.segueTheme.get());
})();
