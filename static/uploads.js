// Uploads: a file sent in chunks; it goes on after a pause, a lost connection or a closed page.
(() => {
  const MIB = 1024 * 1024;
  const LEAST_CHUNK = MIB / 4;
  const ENDS = 64 * 1024;
  const QUICK = 1500;
  const SLOW = 6000;
  const SILENCE = 45000;
  const LONGEST_WAIT = 15000;
  const MOST_DAMAGED = 5;
  const RATE_SPAN = 8000;

  const table = Uint32Array.from({ length: 256 }, (_, value) => {
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  const crc32 = (bytes) => {
    let sum = -1;
    for (let at = 0; at < bytes.length; at += 1) sum = (sum >>> 8) ^ table[(sum ^ bytes[at]) & 255];
    return ~sum >>> 0;
  };
  const base64 = (sum) => btoa(String.fromCharCode(sum >>> 24, (sum >>> 16) & 255, (sum >>> 8) & 255, sum & 255));
  const bytesOf = async (file, from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer());
  // To know a file again by: its size, its age, its beginning and its end.
  const fingerprint = async (file) => {
    const ends = [await bytesOf(file, 0, ENDS), await bytesOf(file, Math.max(0, file.size - ENDS), file.size)];
    return [file.size, file.lastModified, ...ends.map((bytes) => crc32(bytes).toString(16))].join("-");
  };

  // Words and figures
  const language = document.documentElement.lang;
  const inUnit = (value, unit, unitDisplay, maximumFractionDigits) =>
    new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay, maximumFractionDigits }).format(value);
  const size = (bytes, per = "") => {
    const step = bytes < MIB ? ["kilobyte", 1024] : bytes < 1024 * MIB ? ["megabyte", MIB] : ["gigabyte", 1024 * MIB];
    return inUnit(bytes / step[1], step[0] + per, "short", step[1] > 1024 ? 1 : 0);
  };
  const time = (seconds) => {
    if (seconds < 60) return inUnit(Math.max(1, Math.ceil(seconds / 5) * 5), "second", "long", 0);
    if (seconds < 5400) return inUnit(Math.ceil(seconds / 60), "minute", "long", 0);
    return inUnit(seconds / 3600, "hour", "long", 1);
  };

  const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
  const sleep = (ms, signal) =>
    new Promise((resolve) => {
      const done = () => resolve(removeEventListener("online", done));
      setTimeout(done, ms);
      addEventListener("online", done);
      signal.addEventListener("abort", done);
    });

  class Upload {
    constructor(root) {
      this.root = root;
      this.words = root.dataset;
      this.offset = Number(root.dataset.received);
      this.total = Number(root.dataset.bytes);
      this.chunk = MIB;
      this.most = Number(root.dataset.mostChunk);
      this.marks = [];
      this.stop = new AbortController();
      this.find("[data-pause]").addEventListener("click", () => this.pause(this.words.paused));
      this.find("[data-resume]").addEventListener("click", () => this.run());
      this.find("[data-choose] input").addEventListener("change", (event) => this.choose(event.target.files[0]));
      this.show(this.offset);
    }

    find(selector) {
      return this.root.querySelector(selector);
    }

    say(text, isBad = false) {
      const said = this.find("[data-said]");
      said.classList.toggle("is-bad", isBad);
      if (said.textContent !== text) said.textContent = text;
    }

    async choose(file) {
      if (!file) return;
      let print;
      try {
        print = await fingerprint(file);
      } catch {
        this.say(this.words.changed, true);
        return;
      }
      if (file.size !== this.total || print !== this.words.fingerprint) this.say(this.words.other, true);
      else this.start(file);
    }

    start(file) {
      this.file = file;
      this.find("[data-choose]").hidden = true;
      this.run();
    }

    pause(text, isBad = false) {
      this.stop.abort();
      this.isRunning = false;
      this.say(text, isBad);
      this.find("[data-rate]").textContent = this.find("[data-time]").textContent = "";
      const [from, to] = ["[data-pause]", "[data-resume]"].map((name) => this.find(name));
      const hadFocus = document.activeElement === from;
      from.hidden = true;
      to.hidden = !this.file;
      if (hadFocus) to.focus();
    }

    async run() {
      this.stop = new AbortController();
      this.isRunning = true;
      this.marks = [];
      const [from, to] = ["[data-resume]", "[data-pause]"].map((name) => this.find(name));
      const hadFocus = document.activeElement === from;
      from.hidden = true;
      to.hidden = false;
      if (hadFocus) to.focus();
      this.say(this.words.sending);
      const { signal } = this.stop;
      let failed = 0;
      let damaged = 0;
      let isKnown = false;
      while (this.offset < this.total && !signal.aborted) {
        let answer;
        if (!isKnown) {
          answer = await this.request("HEAD", null, signal);
        } else {
          let bytes;
          try {
            bytes = await bytesOf(this.file, this.offset, this.offset + this.chunk);
            if (!bytes.length) throw new Error("it became shorter");
          } catch {
            this.file = null;
            this.find("[data-choose]").hidden = false;
            this.pause(this.words.changed, true);
            return;
          }
          const began = performance.now();
          answer = await this.request("PATCH", bytes, signal);
          if (answer.status === 204) this.adapt(performance.now() - began);
        }
        if (signal.aborted) return;
        const { status } = answer;
        isKnown = [200, 204, 409].includes(status) && !Number.isNaN(answer.offset);
        if (isKnown) {
          failed = 0;
          if (status === 204) damaged = 0;
          this.offset = answer.offset;
          this.say(this.words.sending);
          this.show(this.offset);
        } else if (status === 413 && this.chunk > LEAST_CHUNK) {
          this.most = this.chunk = Math.max(LEAST_CHUNK, this.chunk / 2);
        } else if (status === 460 && damaged < MOST_DAMAGED) {
          damaged += 1;
        } else if (status === 410 || status === 415) {
          this.leave();
          return;
        } else if (status === 0 || status >= 500 && status !== 507 || [408, 429].includes(status)) {
          this.say(this.words.lost, true);
          this.show(this.offset);
          failed += 1;
          await sleep(Math.min(LONGEST_WAIT, 500 * 2 ** failed), signal);
        } else {
          this.pause(this.reason(answer), true);
          return;
        }
      }
      if (!signal.aborted) this.leave();
    }

    reason({ status, text }) {
      if (status === 507 && text) return text;
      if (status === 404) return this.words.gone;
      if (status === 460) return this.words.damaged;
      return [200, 401, 403].includes(status) ? this.words.signedOut : this.words.trouble;
    }

    leave() {
      this.isRunning = false;
      location.assign(this.words.page);
    }

    // Chunks of a few seconds: large enough to be quick, small enough to be lost.
    adapt(took) {
      if (took < QUICK) this.chunk = Math.min(this.most, this.chunk * 2);
      else if (took > SLOW) this.chunk = Math.max(LEAST_CHUNK, this.chunk / 2);
    }

    request(method, bytes, signal) {
      return new Promise((resolve) => {
        const asked = new XMLHttpRequest();
        let silence;
        const watch = () => {
          clearTimeout(silence);
          silence = setTimeout(() => asked.abort(), SILENCE);
        };
        asked.open(method, this.words.upload);
        asked.setRequestHeader("Tus-Resumable", "1.0.0");
        if (bytes) {
          asked.setRequestHeader("X-CSRFToken", token());
          asked.setRequestHeader("Content-Type", "application/offset+octet-stream");
          asked.setRequestHeader("Upload-Offset", String(this.offset));
          asked.setRequestHeader("Upload-Checksum", `crc32 ${base64(crc32(bytes))}`);
          asked.upload.addEventListener("progress", (event) => {
            watch();
            this.show(this.offset + event.loaded);
          });
        }
        asked.addEventListener("loadend", () => {
          clearTimeout(silence);
          const offset = asked.getResponseHeader("Upload-Offset");
          resolve({
            status: asked.status,
            text: asked.responseText,
            offset: offset === null ? NaN : Number(offset),
          });
        });
        signal.addEventListener("abort", () => asked.abort());
        watch();
        asked.send(bytes);
      });
    }

    show(sent) {
      const now = performance.now();
      this.find("progress").value = sent;
      this.find("[data-percent]").textContent = new Intl.NumberFormat(language, {
        style: "percent",
      }).format(Math.floor((100 * sent) / this.total) / 100);
      this.find("[data-amount-text]").textContent = this.words.amount
        .replace("{done}", size(sent))
        .replace("{all}", size(this.total));
      if (!this.isRunning) return;
      this.marks = this.marks.filter((mark) => now - mark.at < RATE_SPAN && mark.sent <= sent);
      this.marks.push({ at: now, sent });
      const [first] = this.marks;
      if (now - first.at < 1000) return;
      const rate = ((sent - first.sent) / (now - first.at)) * 1000;
      if (rate <= 0) return;
      this.find("[data-rate]").textContent = size(rate, "-per-second");
      this.find("[data-time]").textContent = this.words.left.replace("{time}", time((this.total - sent) / rate));
    }
  }

  let current = null;
  const open = () => {
    const root = document.querySelector("[data-upload]");
    current = root ? new Upload(root) : null;
    return current;
  };

  // Puts a page of the server's in place of this one, keeping the file in hand.
  const turnTo = (html, address) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    document.getElementById("main").replaceWith(page.getElementById("main"));
    document.title = page.title;
    if (address) history.pushState({}, "", address);
    window.htmx.process(document.getElementById("main"));
  };

  const declare = async (form, file) => {
    const said = new FormData(form);
    said.delete("file");
    said.set("file_name", file.name);
    said.set("file_bytes", String(file.size));
    said.set("fingerprint", await fingerprint(file));
    const answer = await fetch(form.action, { method: "POST", body: said });
    if (answer.status === 201) {
      const address = answer.headers.get("Location");
      turnTo(await (await fetch(address)).text(), address);
      open()?.start(file);
    } else if (answer.status === 422) {
      turnTo(await answer.text());
      const chosen = new DataTransfer();
      chosen.items.add(file);
      document.querySelector("[data-upload-form] input[type=file]").files = chosen.files;
      document.querySelector('[aria-invalid="true"]')?.focus();
    } else {
      throw new Error(String(answer.status));
    }
  };

  document.addEventListener(
    "submit",
    async (event) => {
      const around = event.target.closest("[data-upload-form]");
      const file = around?.querySelector("input[type=file]").files[0];
      if (!file) return;
      event.preventDefault();
      if (around.dataset.busy) return;
      around.dataset.busy = "yes";
      event.submitter?.setAttribute("aria-busy", "true");
      try {
        await declare(event.target, file);
      } catch {
        const said = document.createElement("p");
        said.className = "upload-said is-bad";
        said.setAttribute("role", "alert");
        said.textContent = around.dataset.failed;
        around.querySelector(".upload-said")?.remove();
        around.querySelector(".form-actions").before(said);
      }
      delete around.dataset.busy;
      event.submitter?.removeAttribute("aria-busy");
    },
    true,
  );
  addEventListener("beforeunload", (event) => {
    if (current?.isRunning) event.preventDefault();
  });
  addEventListener("popstate", () => location.reload());
  open();
})();
