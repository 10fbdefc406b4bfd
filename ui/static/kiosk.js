// The terminal: one citizen at a time; whoever leaves, leaves nothing behind.
import {send, token} from "./common.js";
import {Reading, canHear, canSpeak, finish, forget, hush, listen, listening, nextPace, paceName, speaking} from "./speech.js";

const find = (selector) => document.querySelector(selector);
const idle = Number(find("meta[name=xq-idle]").content) * 1000;
const START = canHear() ? "点蓝色按钮说出问题，或点下面的事项。" : "请点下面的事项，或输入您的问题。";
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
const ask = async (question, more = {}) => {
  if (asking || !question.trim()) return;
  const mine = asking = new AbortController();
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
  const aloud = canSpeak() ? reading() : null;
  try {
    const response = await fetch("api/ask", {
      method: "POST", signal: mine.signal,
      headers: {"Content-Type": "application/json", Accept: "text/event-stream", "X-Owner": owner},
      body: JSON.stringify({question, conversation_id: owner, ...more}),
    });
    if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error ?? "");
    let whole = false; // a line that is cut off ends like one that is not
    for await (const [name, data] of events(response)) {
      if (name === "delta") { answer.textContent += data.text; aloud?.feed(answer.textContent); }
      if (name === "error") throw new Error(data.error);
      if (name === "answer") {
        whole = true;
        aloud?.feed(data.answer, true);
        const html = data.id ? await get(`page/answers/${data.id}`) : "";
        mine.signal.throwIfAborted();
        if (html) piece.outerHTML = html;
        else answer.textContent = data.answer; // it could not be kept
      }
    }
    if (!whole) throw new Error();
    if (!document.body.classList.contains("speaking")) state("");
    find("#state").textContent = "您可以接着问，或点“重新开始”。";
    ready(true);
    last().scrollIntoView();
    if (last().dataset.id) goOn(last()).catch(() => {}); // an answer counts without them too
    else find("#code").hidden = true; // nothing is there to be taken along
  } catch (problem) {
    if (mine.signal.aborted) return;
    hush(); // it waits for words no more, or the page would never be cleared
    answer.className = "xq-problem";
    answer.textContent = (problem.name === "Error" && problem.message) || "没能回答，请稍后再试。"; // a browser's own are English
    state("", "没能回答，请再试一次。");
  } finally {
    if (asking === mine) asking = null;
  }
};

const goOn = async (exchange) => {
  const html = await get(`page/answers/${exchange.dataset.id}/next`);
  exchange.querySelector(".xq-reply").insertAdjacentHTML("beforeend", html);
};

// -- hearing, and reading aloud while the answer comes

const showSpeech = (now) => {
  find("#hush").hidden = find("#pace").hidden = !now;
  find("#pace").textContent = paceName();
  document.body.classList.toggle("speaking", now);
};
const reading = () => new Reading(() => { state("speaking"); showSpeech(true); }, () => showSpeech(false), (problem) => state("", problem.message));
const showHearing = (now) => { find("#hear b").textContent = now ? "说完了" : "点这里，说出您的问题"; };
const hear = async () => {
  if (listening()) return finish();
  if (asking) return;
  state("listening", "正在听，请说话。说完会自动停下。");
  showHearing(true);
  try {
    const text = await listen(() => {
      showHearing(false);
      state("thinking", "正在辨认您说的话……");
    });
    await ask(text); // none, where the speaker has left
  } catch (problem) {
    showHearing(false);
    state("", problem.message);
  }
};
find("#hear").hidden = !canHear();
find("#hear").onclick = hear;
find("#pace").onclick = () => { nextPace(); find("#pace").textContent = paceName(); };

// -- the next citizen

const anew = () => {
  asking?.abort();
  asking = null;
  forget();
  showHearing(false);
  hush();
  send("page/leave", "POST", undefined, owner).catch(() => {});
  owner = token();
  find("#log").replaceChildren();
  find("#log").hidden = find("#source").hidden = true;
  find("#source .xq-content").replaceChildren();
  find("#start").hidden = false;
  find("#question").value = "";
  find("#take").close();
  ready(false);
  state("", START);
};
let timer = 0;
const awake = () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (asking || speaking()) awake(); // somebody waits, or listens
    else if (last() || find("#question").value) anew();
  }, idle);
};
for (const sign of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(sign, awake, {passive: true});
awake();
state("", START);

// -- what can be pressed

let opener = null; // what gets the focus back
const shut = () => {
  find("#source").hidden = true;
  if (opener?.isConnected) opener.focus();
  opener = null;
};
const open = async (link) => {
  if (find("#source").hidden) opener = link;
  const content = find("#source .xq-content");
  // Nothing of another document stands there while this one comes, or where it doesn't come.
  const note = Object.assign(document.createElement("p"), {className: "xq-note", textContent: "正在打开……"});
  note.setAttribute("role", "status");
  content.replaceChildren(note);
  find("#source").hidden = false;
  find("#close").focus();
  try {
    const html = await get(`${link.getAttribute("href")}&fragment=1`);
    if (!note.isConnected) return; // another one is wanted by now, or the citizen has left
    content.innerHTML = html;
    content.querySelector("mark")?.scrollIntoView({block: "center"});
  } catch (problem) { note.textContent = problem.message; }
};
const take = async () => {
  const taker = owner;
  const {address} = await (await send(`page/answers/${last().dataset.id}/share`, "POST", undefined, owner)).json();
  if (taker !== owner) return;
  find("#take img").src = `page/code?address=${encodeURIComponent(address)}`;
  find("#take").showModal();
};
const attempt = async (act) => {
  const actor = owner;
  try { await act(); } catch (problem) { if (actor === owner) state("", problem.message); }
};
addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link) { // nothing leads away from here
    event.preventDefault();
    if (["source", "reader"].includes(link.dataset.do)) attempt(() => open(link));
    return;
  }
  const button = event.target.closest("[data-ask], [data-do]");
  if (button?.dataset.ask) ask(button.dataset.ask);
  if (button?.dataset.do === "ask") ask(button.textContent);
  if (button?.dataset.do === "edit") again(button.closest(".xq-exchange").dataset.question);
  if (button?.dataset.do === "as-typed") ask(button.closest(".xq-exchange").dataset.question, {as_typed: true});
});
const again = (question) => {
  find("#question").value = question;
  find("#question").select();
};
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
find("#close").onclick = shut;
addEventListener("keydown", (event) => { if (event.key === "Escape" && !find("#source").hidden) shut(); });
