// Draw every chart from the page's own data. Expressions are interpreted, never compiled, as the
// page's security policy allows no code from text.
"use strict";
(async () => {
  const options = {
    actions: false,
    ast: true,
    defaultStyle: false,
    mode: "vega-lite",
    renderer: "svg",
    tooltip: { disableDefaultStyle: true },
  };
  const stores = JSON.parse(document.getElementById("charts").textContent);
  for (const [position, charts] of stores.entries()) {
    for (const [name, specification] of Object.entries(charts)) {
      const place = document.getElementById(`store-${position}-chart-${name}`);
      try {
        // Vega names the element it draws in; the description of ours must stand.
        await vegaEmbed(place.appendChild(document.createElement("div")), specification, options);
      } catch (error) {
        place.textContent = "This chart could not be drawn; its numbers are in the table.";
        console.error(error);
      }
    }
  }
  document.documentElement.dataset.charts = "drawn";
})();
