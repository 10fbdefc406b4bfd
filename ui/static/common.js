// What every page shares: language, colours, text size, and who this browser is.
const root = document.documentElement;
const memory = {}; // where a browser keeps nothing, it lasts as long as the page

const kept = (name) => {
  try { return localStorage.getItem("xq." + name); } catch { return memory[name] ?? null; }
};
const keep = (name, value) => {
  memory[name] = value;
  try {
    if (value === null) localStorage.removeItem("xq." + name);
    else localStorage.setItem("xq." + name, value);
  } catch { /* kept in memory */ }
};
// Not randomUUID(): terminals often reach the page without TLS, where it is not there.
const token = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
const once = (name) => {
  if (!kept(name)) keep(name, token());
  return kept(name);
};

const english = () => kept("language") === "en";
const say = (chinese, inEnglish) => (english() ? inEnglish : chinese);
const dark = () => kept("theme") ? kept("theme") === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
const dress = () => {
  root.lang = english() ? "en" : "zh-CN";
  for (const element of [root, document.body]) element?.classList.toggle("dark", dark());
  root.classList.toggle("xq-large", kept("size") === "large");
  dispatchEvent(new Event("xq-dressed"));
};
const switches = {
  language: () => keep("language", english() ? "zh" : "en"),
  theme: () => keep("theme", dark() ? "light" : "dark"),
  larger: () => keep("size", kept("size") === "large" ? "normal" : "large"),
};
dress();
addEventListener("DOMContentLoaded", dress);
addEventListener("click", (event) => {
  const change = switches[event.target.closest?.("[data-do]")?.dataset.do];
  if (change) { change(); dress(); }
});

// Ask the server; what goes wrong comes back as a sentence to show.
const send = async (address, method = "GET", body = undefined, owner = once("owner")) => {
  const headers = {"X-Owner": owner};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(address, {method, headers, body: body && JSON.stringify(body)}).catch(() => null);
  if (response?.ok) return response;
  const problem = await response?.json().catch(() => ({})) ?? {};
  throw new Error(problem.error ?? say("没有成功，请稍后再试。", "That did not work, please try again."));
};

export {kept, keep, token, once, say, send};
