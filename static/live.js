// Parts that move. The server writes each change of them into an answer that has no end; where that
// can't be, htmx goes on asking for them every so often. They rest while nobody sees them.
(() => {
  const LINES = "application/x-segue-lines";
  const LONGEST_PAUSE = 30_000;
  // Over HTTP/1.1 a browser has six connections to a server, for all of its windows together.
  const CONNECTIONS = 4;
  const followed = new Map();
  let failures = 0;
  let quietUntil = 0;

  // What is open in a part would close with it; where a browser can’t tell of lists, those do
  const LISTS = CSS.supports("selector(select:open)") ? ", select:open" : "";
  const isHeld = (part) =>
    targetOf(part)?.querySelector(`.menu:popover-open, dialog[open]${LISTS}`) ||
    (part.matches("[data-live]") && document.querySelector(".menu:popover-open, dialog[open]"));
  const targetOf = (part) => {
    const target = part.getAttribute("hx-target");
    return target ? document.querySelector(target) : part;
  };

  // The connection: lost after two failures in a row, tried again less and less often
  const fails = () => {
    failures += 1;
    const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** (failures - 1));
    quietUntil = Date.now() + pause * (0.75 + Math.random() / 2);
    if (failures > 1) document.getElementById("lost")?.removeAttribute("hidden");
    setTimeout(followAll, quietUntil - Date.now() + 10);
  };
  const answers = () => {
    failures = quietUntil = 0;
    document.getElementById("lost")?.setAttribute("hidden", "");
  };

  // Who reads or uses a part goes on in the new one: what is unfolded stays so, and the focus there,
  // which htmx keeps only where it has an id
  const MOVES = '[data-moves], [data-begins], [hx-trigger^="every"]';
  const alike = (root, one) =>
    [...root.querySelectorAll(one.localName)].filter(
      (other) =>
        (one.ariaLabel || other.textContent === one.textContent) &&
        ["href", "name", "aria-label"].every((name) => other.getAttribute(name) === one.getAttribute(name)),
    );
  const noteUse = (target) => {
    const { id } = target;
    const places = (found) => found.map((one) => [one, alike(target, one).indexOf(one)]);
    const unfolded = places([...target.querySelectorAll("details[open] > summary")]);
    const here = document.activeElement;
    const focused = target.contains(here) && !here.id ? places([here]) : [];
    return () => {
      const root = document.getElementById(id);
      if (!root) return;
      const again = ([one, place]) => alike(root, one)[place];
      unfolded.forEach((one) => again(one)?.parentElement.setAttribute("open", ""));
      if (!here.isConnected) focused.forEach((one) => again(one)?.focus({ preventScroll: true }));
    };
  };

  const show = (stream, html) => {
    const part = document.getElementById(stream.id);
    if (!part || followed.get(stream.id) !== stream) return;
    if (isHeld(part)) {
      clearTimeout(stream.later);
      stream.later = setTimeout(() => show(stream, html), 500);
      return;
    }
    clearTimeout(stream.later);
    const select = part.getAttribute("hx-select");
    const swapStyle = part.getAttribute("hx-swap") ?? "innerHTML";
    const goOnAsBefore = noteUse(targetOf(part));
    htmx.swap(targetOf(part), html, { swapStyle, swapDelay: 0, settleDelay: 20 }, { select });
    goOnAsBefore();
    noteThings();
    followAll();
  };

  // Parts of what rested when the page was made ask for themselves once it has begun
  const known = new Set();
  let things = "";
  const begin = (id) => {
    const part = document.getElementById(id);
    if (!part?.matches("[data-begins]")) return;
    if (isHeld(part)) setTimeout(begin, 500, id);
    else htmx.trigger(part, "begun");
  };
  const noteThings = () => {
    const told = document.getElementById("things")?.textContent;
    if (!told || told === things) return;
    const begun = new Set();
    told.split(" ").forEach((thing) => {
      const name = thing.replace(/\.$/, "");
      if (things ? !known.has(name) : name === thing) begun.add(name.split("-")[0]);
      known.add(name);
    });
    things = told;
    document.querySelectorAll("[data-begins][id]").forEach((part) => {
      if (part.dataset.begins.split(" ").some((kind) => begun.has(kind))) {
        setTimeout(begin, 500 * Math.random(), part.id);
      }
    });
  };

  const goOn = (bar, from) => {
    const to = bar.value;
    bar.value = from;
    bar.getBoundingClientRect();
    bar.value = to;
  };

  // Only what has moved, where the part is there as it was
  const fill = (stream, pieces) => {
    if (followed.get(stream.id) !== stream) return;
    Object.entries(pieces).forEach(([id, html]) => {
      const piece = document.getElementById(id);
      if (!piece) return;
      const before = piece.querySelector("progress[value]");
      piece.innerHTML = html;
      const bar = piece.querySelector("progress[value]");
      if (before && bar?.max === before.max && bar.value > before.value) goOn(bar, before.value);
    });
    noteThings();
  };

  const read = async (stream, body) => {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (text + value).split("\n");
      text = lines.pop();
      lines.filter(Boolean).forEach((line) => {
        const { html, pieces } = JSON.parse(line);
        if (pieces) fill(stream, pieces);
        else show(stream, html);
      });
    }
  };

  // Does it with one of the connections that windows may keep open, if one is left
  const withConnection = async (work) => {
    for (let number = 0; number < CONNECTIONS; number += 1) {
      const options = { ifAvailable: true };
      const name = `follows-${number}`;
      const had = await navigator.locks?.request(name, options, async (lock) => {
        if (lock) await work();
        return Boolean(lock);
      });
      if (had) return true;
    }
    return false;
  };

  const follow = async (part) => {
    const stream = { id: part.id, stop: new AbortController(), goesOn: false };
    followed.set(part.id, stream);
    const headers = { Accept: LINES, "HX-Request": "true", "HX-Current-URL": location.href };
    headers["HX-Target"] = targetOf(part).id;
    const path = part.getAttribute("hx-get");
    try {
      const had = await withConnection(async () => {
        const how = { headers, signal: stream.stop.signal, cache: "no-store" };
        const answer = await fetch(path, how);
        if (answer.status >= 500) throw new Error(answer.statusText);
        answers();
        if (!answer.headers.get("Content-Type")?.startsWith(LINES)) {
          answer.body?.cancel();
          return;
        }
        stream.goesOn = true;
        await read(stream, answer.body);
        if (followed.get(part.id) === stream) followed.delete(part.id);
        setTimeout(followAll, 1000 * Math.random());
      });
      const forget = () => followed.get(part.id) === stream && followed.delete(part.id);
      if (!had) setTimeout(forget, LONGEST_PAUSE);
    } catch {
      if (followed.get(part.id) === stream) followed.delete(part.id);
      if (!stream.stop.signal.aborted) fails();
    }
  };

  // Whoever leaves a page at once need not have followed what may begin on it
  const LATER = 2000;
  const isDue = (part) => part.dataset.moves !== "later" || performance.now() > LATER;
  setTimeout(() => followAll(), LATER + 10);

  const followAll = () => {
    const moving = document.hidden ? [] : [...document.querySelectorAll("[data-moves][id]")];
    const parts = moving.filter(isDue);
    followed.forEach((stream, id) => {
      if (parts.some((part) => part.id === id)) return;
      followed.delete(id);
      stream.stop.abort();
    });
    if (Date.now() < quietUntil) return;
    parts.filter((part) => !followed.has(part.id)).forEach(follow);
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.target.matches('[hx-trigger^="every"]')) return;
    const rests = document.hidden || followed.get(event.target.id)?.goesOn || Date.now() < quietUntil;
    if (rests || isHeld(event.target)) event.preventDefault();
  });
  let goOnAsBefore = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const moves = event.target.id && event.detail.elt.matches(MOVES);
    goOnAsBefore = moves ? noteUse(event.target) : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    goOnAsBefore?.();
    goOnAsBefore = null;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const status = event.detail.xhr.status;
    if (status > 0 && status < 500) answers();
    else if (event.target.matches('[hx-trigger^="every"]')) fails();
  });
  document.addEventListener("htmx:afterSettle", () => {
    noteThings();
    followAll();
  });
  document.addEventListener("visibilitychange", () => followAll());
  addEventListener("online", () => {
    quietUntil = 0;
    followAll();
  });
  addEventListener("pagehide", () => {
    followed.forEach((stream) => stream.stop.abort());
    followed.clear();
  });
  addEventListener("pageshow", () => followAll());

  // Durations that go on
  const began = new WeakMap();
  setInterval(() => {
    document.querySelectorAll("[data-so-far]").forEach((part) => {
      if (!began.has(part)) began.set(part, performance.now());
      const { soFar, seconds, minutes, hours } = part.dataset;
      const all = Math.round(Number(soFar) + (performance.now() - began.get(part)) / 1000);
      const values = { seconds: all % 60, minutes: Math.floor(all / 60) % 60, hours: Math.floor(all / 3600) };
      const form = values.hours ? hours : values.minutes ? minutes : seconds;
      part.textContent = form.replace(/%\((\w+)\)[sd]/g, (_all, name) => values[name]);
    });
  }, 1000);
})();
