// Show the messages that match every filter and every searched word, and say how many.
"use strict";
(() => {
  const filters = document.getElementById("filters");
  const count = filters.querySelector("output");
  const all = filters.querySelector("button");
  const nothing = document.getElementById("nothing");
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const cards = [...document.querySelectorAll("[data-values]")].map((card) => ({
    card,
    values: JSON.parse(card.dataset.values),
    text: plain(card.textContent),
  }));

  const filter = () => {
    const { text, ...wanted } = Object.fromEntries(new FormData(filters));
    const words = plain(text).split(/\s+/).filter(Boolean);
    const chosen = Object.entries(wanted).filter(([, value]) => value);
    let shown = 0;
    for (const one of cards) {
      const matches =
        chosen.every(([name, value]) => one.values[name].includes(value)) &&
        words.every((word) => one.text.includes(word));
      one.card.hidden = !matches;
      shown += matches;
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      group.hidden = !group.querySelector("[data-values]:not([hidden])");
    }
    const some = words.length || chosen.length;
    const noun = cards.length === 1 ? "message" : "messages";
    count.value = some ? `${shown} of ${cards.length} ${noun}` : `${cards.length} ${noun}`;
    all.hidden = !some;
    nothing.hidden = shown > 0;
  };

  const clear = () => {
    filters.reset();
    filter();
    filters.elements.text.focus();
  };
  for (const kind of ["input", "change"]) filters.addEventListener(kind, filter);
  filters.addEventListener("submit", (event) => event.preventDefault());
  for (const button of [all, document.getElementById("again")]) {
    button?.addEventListener("click", clear);
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      filters.elements.text.focus();
    } else if (event.key === "Escape" && filters.contains(event.target)) {
      clear();
    }
  });
  filters.hidden = cards.length < 2;
  filter();
})();
