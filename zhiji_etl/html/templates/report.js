
(() => {
  "use strict";
  const ROW = 34, FLOWING = 300, PRINTED = 500, AROUND = 12;
  const words = JSON.parse(document.getElementById("words").textContent);
  const grouped = (number) => number.toLocaleString("en-US");
  const filled = (text, given) => text.replace(/\{(\w+)\}/g, (hole, name) => (name in given ? given[name] : hole));
  const counted = (key, given) => {
    const one = words.language === "en" && given.all === 1 && words.one[key];
    const texts = Object.fromEntries(Object.entries(given).map(([name, number]) => [name, grouped(number)]));
    return one || filled(words.script[key], texts);
  };

  // ------------------------------------------------------------------- numbers, as numbers.py writes them
  const formats = new Map();
  const fixed = (number, places) => {
    if (!formats.has(places)) {
      formats.set(places, new Intl.NumberFormat("en-US", { minimumFractionDigits: places, maximumFractionDigits: places }));
    }
    return formats.get(places).format(number + 0);
  };
  const clipped = (number, most) => Math.min(Math.max(number, 0), most);
  const placesOf = (finite) => {
    const distance = finite.length ? Math.max(...finite) - Math.min(...finite) : 0;
    if (distance > 0) return clipped(2 - Math.floor(Math.log10(distance)), 12);
    const alone = finite.length ? Math.abs(finite[0]) : 0;
    return alone ? clipped(6 - Math.floor(Math.log10(alone)), 12) : 0;
  };
  const trimmed = (texts) => {
    while (texts.length && texts.every((text) => text.includes(".") && "0.".includes(text.at(-1)))) {
      texts = texts.map((text) => text.slice(0, -1));
    }
    return texts;
  };
  const scaledUnit = (word, unit) => {
    const named = words.units[unit || "count"] ?? unit;
    const glue = !word || (named && /[^\x00-\x7f]/.test(named)) ? "" : " ";
    return `${word}${glue}${named}`.trim();
  };
  const ends = (low, high, unit) => {
    const finite = [low, high].filter(Number.isFinite);
    const largest = Math.max(0, ...finite.map(Math.abs));
    const [size, word] = words.scales.find(([at]) => largest >= at) || [1, ""];
    const scaled = finite.map((end) => end / size);
    const texts = trimmed(scaled.map((end) => fixed(end, placesOf(scaled))));
    const [first, last] = [low, high].map((end) => (Number.isFinite(end) ? texts.shift() : ""));
    return { low: first, high: last, unit: scaledUnit(word, unit) };
  };
  const span = (low, high, unit) => {
    if (low === null || high === null) return "";
    if (low === -Infinity && high === Infinity) return words.bounds.anything;
    const told = ends(low, high, unit);
    const key = !told.low ? "below" : !told.high ? "above" : "between";
    const text = told.low === told.high ? told.low : filled(words.bounds[key], told);
    return told.unit ? `${text} ${told.unit}` : text;
  };
  window.zhiji = { span };

  // ------------------------------------------------------------------- a table of any length
  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const decimal = (text, width) => {
    const cell = document.createDocumentFragment();
    const [whole, part] = text.split(".");
    cell.append(whole);
    const rest = element("span", "decimals", part === undefined ? "" : `.${part}`);
    rest.style.width = `${width}ch`;
    cell.append(rest);
    return cell;
  };
  /* Names may break after an underscore or a slash, and what is copied stays as it is; not where rows have one height. */
  const breakable = (text) => text.split(/(?<=[_/])/).flatMap((part, at) => (at ? [element("wbr"), part] : [part]));
  const SIGNS = { inconsistent: "✕", too_imprecise: "≈", not_checkable: "?", consistent: "✓" };
  const badge = (verdict) => {
    const made = element("span", `badge ${verdict}`);
    const sign = element("span", "sign", SIGNS[verdict]);
    sign.setAttribute("aria-hidden", "true");
    made.append(sign, words.verdicts[verdict]);
    return made;
  };
  const ENDS = { stated: ["stated_low", "stated_high"], implied: ["implied_low", "implied_high"] };

  class Sheet {
    constructor(place) {
      this.place = place;
      this.name = place.dataset.table;
      const data = JSON.parse(document.getElementById(`data-${this.name}`).textContent);
      this.rows = data.rows;
      this.data = data.columns;
      this.columns = [...place.querySelectorAll("thead th")].map((head) => ({ ...head.dataset, head, label: head.textContent }));
      this.table = place.querySelector("table");
      this.body = place.querySelector("tbody");
      this.scroll = place.querySelector(".scroll");
      this.shown = place.querySelector(".shown");
      this.allowed = () => true;
      this.all = Uint32Array.from({ length: this.rows }, (_, row) => row);
      this.order = this.all;
      this.listed = this.all;
      this.texts = null;
      this.search = "";
      this.tall = this.rows > FLOWING;
      place.hidden = false;
      place.classList.toggle("tall", this.tall);
      this.decimals = this.widest();
      this.listen();
      this.list();
    }

    value(name, row) {
      const column = this.data[name];
      return Array.isArray(column) ? column[row] : column.texts[column.at[row]];
    }

    listen() {
      for (const column of this.columns) {
        const button = column.head.querySelector("button");
        button.title = filled(words.script.sort, { column: button.textContent });
        button.addEventListener("click", () => this.sort(column));
      }
      this.scroll.addEventListener("scroll", () => this.later(), { passive: true });
      window.addEventListener("resize", () => this.later());
      const input = this.place.querySelector("input[type=search]");
      if (input) input.addEventListener("input", () => this.find(input.value));
      window.addEventListener("beforeprint", () => this.draw(true));
      window.addEventListener("afterprint", () => this.draw());
    }

    find(text) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => { this.search = text.trim().toLowerCase(); this.list(); }, this.tall ? 120 : 0);
    }

    /* What is searched: all texts of a row, made when they are first asked for. */
    haystack() {
      const names = Object.keys(this.data).filter((name) => typeof this.value(name, 0) === "string");
      this.texts ||= Array.from(this.all, (row) => names.map((name) => this.value(name, row)).join("\n").toLowerCase());
      return this.texts;
    }

    list() {
      const asked = this.search.split(/\s+/).filter(Boolean);
      const texts = asked.length ? this.haystack() : null;
      this.listed = this.order.filter((row) => this.allowed(row) && asked.every((word) => texts[row].includes(word)));
      const all = this.listed.length === this.rows;
      this.shown.textContent = counted(all ? "count_all" : "count_some", { number: this.listed.length, all: this.rows });
      this.table.setAttribute("aria-rowcount", this.listed.length + 1);
      if (this.tall) this.scroll.scrollTop = 0;
      this.draw();
    }

    keys(column) {
      const name = column.kind === "span" ? ENDS[column.column][0] : column.column;
      const values = this.data[name];
      if (!Array.isArray(values)) {
        const ranks = values.texts.map((_, at) => at).sort((one, other) => this.compared(values.texts[one], values.texts[other]));
        const rank = new Float64Array(ranks.length);
        ranks.forEach((at, place) => { rank[at] = place; });
        return values.at.map((at) => rank[at]);
      }
      return values;
    }

    compared(one, other) {
      Sheet.collator ||= new Intl.Collator(words.language, { numeric: true });
      return this.rows > 20000 ? (one < other ? -1 : one > other ? 1 : 0) : Sheet.collator.compare(one, other);
    }

    sort(column) {
      const before = column.head.getAttribute("aria-sort");
      this.columns.forEach(({ head }) => head.removeAttribute("aria-sort"));
      if (before === "descending") {
        this.order = this.all;
      } else {
        const sign = before === "ascending" ? -1 : 1;
        const keys = this.keys(column);
        column.head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        const order = (one, other) => typeof one === "string" ? this.compared(one, other) : one < other ? -1 : one > other ? 1 : 0;
        this.order = Uint32Array.from(this.all).sort((one, other) => {
          const left = keys[one], right = keys[other];
          if (left === null || right === null) return left === right ? one - other : left === null ? 1 : -1;
          return sign * order(left, right) || one - other;
        });
      }
      this.list();
    }

    /* Room behind the point, so that points stand below each other; of a long table, the first rows tell. */
    widest() {
      if (!this.data.low || !Array.isArray(this.data.low)) return 0;
      let most = 0;
      for (let row = 0; row < Math.min(this.rows, 2000); row += 1) {
        const told = ends(this.data.low[row], this.data.high[row], "count");
        for (const text of [told.low, told.high]) most = Math.max(most, text.includes(".") ? text.length - text.indexOf(".") : 0);
      }
      return Math.min(most, 7);
    }

    cell(column, row) {
      const made = element("td", `${column.kind} ${column.column}`);
      if (column.kind === "end" || column.kind === "unit") {
        const told = ends(this.data.low[row], this.data.high[row], this.value("unit", row));
        const text = told[column.column];
        made.append(column.kind === "end" && text ? decimal(text, this.decimals) : text || "");
        if (column.kind === "end" && !text) made.append(decimal(column.column === "low" ? "−∞" : "∞", this.decimals));
      } else if (column.kind === "span") {
        const [low, high] = ENDS[column.column];
        made.textContent = span(this.data[low][row], this.data[high][row], this.value("unit", row));
      } else if (column.kind === "number") {
        const number = this.value(column.column, row);
        made.textContent = number === null ? "" : Math.abs(number) >= 1000 ? fixed(number, 0) : String(Number(number.toPrecision(3)));
      } else if (column.kind === "verdict") {
        made.append(badge(this.value(column.column, row)));
      } else if (column.kind === "where") {
        const locator = this.value("locator", row);
        made.append(this.value("source", row), element("span", "locator", locator ? ` · ${locator}` : ""));
      } else {
        const text = this.value(column.column, row);
        made.append(...(column.kind === "severity" ? [words.severities[text]] : this.tall ? [text] : breakable(text)));
      }
      if (this.tall) made.title = made.textContent;
      made.dataset.label = column.label;
      made.setAttribute("role", "cell");
      return made;
    }

    later() {
      if (!this.tall || this.asked) return;
      this.asked = true;
      requestAnimationFrame(() => { this.asked = false; this.draw(); });
    }

    draw(onPaper = false) {
      let first = 0, last = onPaper ? Math.min(this.listed.length, PRINTED) : this.listed.length;
      if (this.tall && !onPaper) {
        first = Math.max(0, Math.floor(this.scroll.scrollTop / ROW) - AROUND);
        last = Math.min(last, first + Math.ceil(this.scroll.clientHeight / ROW) + 2 * AROUND);
      }
      const rows = document.createDocumentFragment();
      for (let at = first; at < last; at += 1) {
        const line = element("tr");
        line.setAttribute("aria-rowindex", at + 2);
        line.setAttribute("role", "row");
        line.append(...this.columns.map((column) => this.cell(column, this.listed[at])));
        rows.append(line);
      }
      if (!this.listed.length || (onPaper && last < this.listed.length)) rows.append(this.remark(onPaper, last));
      const scrolls = this.tall && !onPaper;
      this.body.replaceChildren(this.spacer(scrolls ? first : 0), rows, this.spacer(scrolls ? this.listed.length - last : 0));
    }

    remark(onPaper, last) {
      const line = element("tr");
      const given = { number: last, all: this.listed.length };
      const cell = element("td", "none", onPaper && last ? counted("printed_rows", given) : words.script.nothing);
      cell.colSpan = this.columns.length;
      line.append(cell);
      return line;
    }

    spacer(rows) {
      if (!rows) return "";
      const line = element("tr", "spacer");
      line.setAttribute("aria-hidden", "true");
      const cell = element("td");
      cell.colSpan = this.columns.length;
      line.style.height = cell.style.height = `${rows * ROW}px`;
      line.append(cell);
      return line;
    }
  }

  const sheets = Object.fromEntries([...document.querySelectorAll(".sheet")].map((place) => [place.dataset.table, new Sheet(place)]));

  // ------------------------------------------------------------------- the findings, by verdict, severity and words
  const form = document.querySelector(".filters");
  if (form) {
    form.hidden = false;
    const stories = [...document.querySelectorAll(".finding")];
    const texts = stories.map((story) => story.textContent.toLowerCase());
    const nothing = document.querySelector(".nothing");
    const search = form.querySelector("input[type=search]");
    const ticked = (name) => new Set([...form.querySelectorAll(`input[name=${name}]:checked`)].map((input) => input.value));
    const filter = () => {
      const verdicts = ticked("verdict"), severities = ticked("severity");
      const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      stories.forEach((story, at) => {
        const { verdict, severity } = story.dataset;
        const fits = verdicts.has(verdict) && severities.has(severity) && asked.every((word) => texts[at].includes(word));
        story.hidden = !fits;
        shown += fits;
      });
      nothing.hidden = shown > 0;
      form.querySelector(".shown").textContent = counted("count_findings", { number: shown, all: stories.length });
      const sheet = sheets.findings;
      if (sheet) {
        sheet.allowed = (row) => verdicts.has(sheet.value("verdict", row)) && severities.has(sheet.value("severity", row));
        sheet.find(search.value);
      }
    };
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", filter);
    filter();
  }

  // ------------------------------------------------------------------- paper shows everything that is folded
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((details) => { details.open = true; });
  });
  window.addEventListener("afterprint", () => folded.forEach((details) => { details.open = false; }));
})();
