// Shows one service's OpenAPI document: /docs/?service=ingest&lang=en. Reads only; it sends no request of a reader.
"use strict";

const asked = new URLSearchParams(location.search);
const english = asked.get("lang") === "en";
const links = [...document.querySelectorAll("header a[href^='?']")];
const services = links.map((link) => new URLSearchParams(link.search).get("service")).filter(Boolean);
const service = services.includes(asked.get("service")) ? asked.get("service") : services[0];

// Swagger UI's own filter looks at tags alone.
const search = () => ({
  fn: {
    opsFilter: (tags, phrase) => {
      const words = phrase.toLowerCase();
      const fits = (op) =>
        [op.get("method"), op.get("path"), op.getIn(["operation", "summary"]), op.getIn(["operation", "description"])]
          .join(" ")
          .toLowerCase()
          .includes(words);
      return tags
        .map((tag) => tag.update("operations", (operations) => operations.filter(fits)))
        .filter((tag) => tag.get("operations").size > 0);
    },
  },
});

document.documentElement.lang = english ? "en" : "zh-CN";
document.title = `${service} – ${english ? "Sunshine Sanwu API" : "阳光三务 接口文档"}`;
for (const link of links) {
  const to = new URLSearchParams(link.search);
  if (to.get("service") === service) link.setAttribute("aria-current", "page");
  // The other language, of the same service.
  if (!to.has("service")) {
    to.set("service", service);
    link.search = to;
  }
}

SwaggerUIBundle({
  dom_id: "#viewer",
  url: `/docs/openapi/${service}.json`,
  plugins: [search],
  deepLinking: true,
  defaultModelRendering: "example",
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  filter: true,
  onComplete: () => {
    const box = document.querySelector(".operation-filter-input");
    box.placeholder = english ? "Search: path, method or words" : "搜索：地址、方法或说明";
    box.setAttribute("aria-label", box.placeholder);
  },
  supportedSubmitMethods: [],
  validatorUrl: null,
});
