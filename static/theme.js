// Runs before the page is drawn, so that the look chosen never flashes.
(() => {
  const root = document.documentElement;
  // What is usual needs no attribute.
  const looks = {
    theme: { attribute: "bsTheme", usual: "system", others: ["light", "dark"] },
    density: { attribute: "density", usual: "comfortable", others: ["compact"] },
  };
  const get = (name) => {
    const kept = localStorage.getItem(`segue-${name}`);
    return looks[name].others.includes(kept) ? kept : looks[name].usual;
  };
  const apply = (name) => {
    const { attribute, usual } = looks[name];
    const chosen = get(name);
    if (chosen === usual) delete root.dataset[attribute];
    else root.dataset[attribute] = chosen;
  };
  window.segueLook = {
    get,
    set: (name, choice) => {
      localStorage.setItem(`segue-${name}`, choice);
      apply(name);
    },
  };
  Object.keys(looks).forEach(apply);
})();
