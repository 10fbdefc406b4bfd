// The terminal: one citizen at a time; whoever leaves, leaves nothing behind.
import {send, token} from "./common.js";

const find = (selector) => document.querySelector(selector);
const idle = Number(find("meta[name=xq-idle]").content) * 1000;
const START = "请点下面的事项，或输入您的问题。";
let owner = token();
let asking = null;

const state = (name, text) => {
  document.body.classList.remove("listening", "thinking", "speaking");
  if (name) document.body.classList.add(name);
  if (text) find("#state").textContent = text;
};
const ready = (given) => ["#print", "#code"].forEach((name) => { find(name).hidden = !given; });
const last = () => [...document.querySelectorAll("#log .xq-exchange")].at(-1);
const get = async (address) => (await send(address, "GET", undefined, owner)).text();

// -- asking: the words as they come, then the answer as it stands

const events = async function* (response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += part.value;
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop();
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (name && data) yield [name, JSON.parse(data)];
    }
  }
};
const ask = async (question) => {
  if (asking || !question.trim()) return;
  asking = new AbortController();
  hush();
  ready(false);
  find("#start").hidden = true;
  find("#log").hidden = false;
  const piece = document.createElement("div");
  piece.className = "xq-exchange";
  const said = Object.assign(document.createElement("div"), {className: "xq-said", textContent: question});
  const answer = Object.assign(document.createElement("div"), {className: "xq-answer"});
  piece.append(said, answer);
  find("#log").append(piece);
  piece.scrollIntoView();
  state("thinking", "正在查找资料……");
  try {
    const response = await fetch("api/ask", {
      method: "POST", signal: asking.signal,
      headers: {"Content-Type": "application/json", Accept: "text/event-stream", "X-Owner": owner},
      body: JSON.stringify({question, conversation_id: owner}),
    });
    if (!response.ok) throw new Error((await response.json()).error);
    for await (const [name, data] of events(response)) {
      if (name === "delta") answer.textContent += data.text;
      if (name === "error") throw new Error(data.error);
      if (name === "answer") piece.outerHTML = await get(`page/answers/${data.id}`);
    }
    state("", "您可以接着问，或点“重新开始”。");
    ready(true);
    last().scrollIntoView();
    speak();
  } catch (problem) {
    if (problem.name === "AbortError") return;
    answer.className = "xq-problem";
    answer.textContent = problem.message || "没能回答，请稍后再试。";
    state("", "没能回答，请再试一次。");
  } finally {
    asking = null;
  }
};

// -- reading aloud, where the terminal has a Chinese voice

const voice = () => window.speechSynthesis?.getVoices().find((one) => one.lang.startsWith("zh"));
const hush = () => {
  window.speechSynthesis?.cancel();
  find("#hush").hidden = true;
  document.body.classList.remove("speaking");
};
const speak = async () => {
  if (!voice()) return;
  const text = [...last().querySelectorAll(".xq-answer, .xq-refusal")].map((part) => part.innerText).join("\n");
  const sentences = await (await send("page/spoken", "POST", {text})).json();
  sentences.forEach((sentence, at) => {
    const said = Object.assign(new SpeechSynthesisUtterance(sentence), {voice: voice(), lang: "zh-CN", rate: .85});
    if (at === 0) said.onstart = () => { state("speaking"); find("#hush").hidden = false; };
    if (at === sentences.length - 1) said.onend = hush;
    speechSynthesis.speak(said);
  });
};

// -- the next citizen

const anew = () => {
  asking?.abort();
  asking = null;
  hush();
  send("page/leave", "POST", undefined, owner).catch(() => {});
  owner = token();
  find("#log").replaceChildren();
  find("#log").hidden = find("#source").hidden = true;
  find("#start").hidden = false;
  find("#question").value = "";
  find("#take").close();
  ready(false);
  state("", START);
};
let timer = 0;
const awake = () => {
  clearTimeout(timer);
  timer = setTimeout(() => { if (last() || find("#question").value) anew(); }, idle);
};
for (const sign of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(sign, awake, {passive: true});
awake();

// -- what can be pressed

const open = async (link) => {
  const content = find("#source .xq-content");
  content.innerHTML = await get(`${link.getAttribute("href")}&fragment=1`);
  find("#source").hidden = false;
  content.querySelector("mark")?.scrollIntoView({block: "center"});
  find("#close").focus();
};
const take = async () => {
  const {address} = await (await send(`page/answers/${last().dataset.id}/share`, "POST", undefined, owner)).json();
  find("#take img").src = `page/code?address=${encodeURIComponent(address)}`;
  find("#take").showModal();
};
const attempt = async (act) => { try { await act(); } catch (problem) { state("", problem.message); } };
addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link) { // nothing leads away from here
    event.preventDefault();
    if (["source", "reader"].includes(link.dataset.do)) attempt(() => open(link));
    return;
  }
  const button = event.target.closest("[data-ask], [data-do]");
  if (button?.dataset.ask) ask(button.dataset.ask);
  if (button?.dataset.do === "as-typed") ask(button.closest(".xq-exchange").dataset.question);
});
find("#form").onsubmit = (event) => {
  event.preventDefault();
  const question = find("#question").value;
  if (!asking) find("#question").value = "";
  ask(question);
};
find("#question").onfocus = () => { if (!asking) state("listening"); };
find("#question").onblur = () => document.body.classList.remove("listening");
find("#print").onclick = () => print();
find("#code").onclick = () => attempt(take);
find("#hush").onclick = hush;
find("#anew").onclick = anew;
find("#close").onclick = () => { find("#source").hidden = true; };
addEventListener("keydown", (event) => { if (event.key === "Escape") find("#source").hidden = true; });
