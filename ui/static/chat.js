// The chat page: sends what the citizen does, opens sources and conversations beside the answers.
import {keep, kept, once, say, send, token} from "./common.js";
import {attempt, dialog, told} from "./notes.js";
import {Reading, canHear, canSpeak, finish, forget, hush, listen, listening, nextPace, paceName, speaking} from "./speech.js";

const find = (selector) => document.querySelector(selector);
const seconds = Number(find("meta[name=xq-idle]")?.content ?? 0);
let replaces = ""; // the exchange that is being asked anew
let dressed = ""; // the exchange that has its suggestions
let opening = true; // a conversation is on its way; what is asked meanwhile waits for it
let waiting = null;

if (kept("conversation")) document.documentElement.classList.add("xq-resuming");

// -- asking

const place = () => ({owner: once("owner"), conversation: once("conversation")});
const busy = () => find("#xq-current article") && !find("#xq-current .xq-actions");
const ask = (question, more = {}) => {
  if (opening) { waiting = () => ask(question, more); return; }
  if (busy()) return;
  hush();
  aloud = kept("aloud") === "yes" && canSpeak() ? reading() : null;
  keep("spoken", "yes"); // there is something to come back to
  window.xqEvents.ask({...place(), question, replaces, ...more});
  nudge();
  replaces = "";
};
const open = (conversation) => {
  keep("conversation", conversation);
  opening = true;
  replaces = dressed = "";
  hush();
  closeSource();
  window.xqEvents.open(place());
  nudge();
};
// Gradio may close the line for answers at the moment when it is asked for one; the next event of
// any kind opens it again, and all that waits behind it comes.
let nudging = 0;
const nudge = () => {
  clearTimeout(nudging);
  nudging = setTimeout(() => {
    if (!opening && !busy()) return;
    if (opening || find("#xq-current .xq-waiting")) window.xqEvents.nudge();
    nudge();
  }, 3000);
};
window.xiaoquan = {
  opened: (past) => {
    // Nothing was said, or by whom the browser was before it signed in: that can't be gone on with.
    if (!past) keep("conversation", token());
    opening = false;
    if (document.activeElement === document.body) box().focus(); // hidden, it could not get it
    if (waiting) waiting();
    else suggest();
    waiting = null;
  },
  submit: (question) => {
    if (busy()) return question; // it stays until the answer is there
    if (question.trim()) ask(question);
    return "";
  },
};

const box = () => find("#xq-box textarea");
const type = (text) => {
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box(), text);
  box().dispatchEvent(new Event("input", {bubbles: true}));
  box().focus();
};

// The newest question stays at the top while its answer grows below it, so that an answer is
// read from its beginning; whoever scrolls is left alone.
const watch = () => {
  let shown = "";
  new MutationObserver(() => {
    document.documentElement.classList.remove("xq-resuming");
    const exchange = find("#xq-current article") ?? find("#xq-past article:last-of-type");
    find("#xq-current").classList.toggle("xq-asked", Boolean(find("#xq-current article")));
    const now = exchange ? exchange.dataset.question + find("#xq-past").childElementCount : "";
    if (exchange && find("#xq-current .xq-waiting, #xq-past > * > article") && now !== shown) {
      exchange.scrollIntoView({block: "start"});
    }
    shown = now;
    readAlong();
    tellWhole();
    suggest();
  }).observe(find("#xq-log"), {childList: true, subtree: true});
};

const suggest = async () => {
  const exchange = [...document.querySelectorAll("#xq-log .xq-exchange")].at(-1);
  if (opening || !exchange?.dataset.id || exchange.dataset.id === dressed) return;
  dressed = exchange.dataset.id;
  // Where too much is asked there are none: an answer counts without them too.
  const html = await send(`page/answers/${dressed}/next`).then((answer) => answer.text(), () => "");
  if (exchange.dataset.id !== dressed || !html) return;
  exchange.querySelector(".xq-reply").insertAdjacentHTML("beforeend", html);
};

// -- what can be done with an answer

const words = (exchange) => [...exchange.querySelectorAll(".xq-answer, .xq-refusal")]
  .map((part) => { // innerText leaves out what is hidden; buttons are not part of the answer
    const copy = part.cloneNode(true);
    copy.querySelectorAll(".xq-next, .en").forEach((gone) => gone.remove());
    copy.querySelectorAll(".xq-cite").forEach((chip) => chip.replaceWith(`[${chip.textContent}]`));
    copy.querySelectorAll("p, strong, tr").forEach((line) => line.append("\n"));
    return copy.textContent.trim();
  }).join("\n");
const copied = async (text) => {
  try { await navigator.clipboard.writeText(text); } catch { // not there without TLS
    const area = Object.assign(document.createElement("textarea"), {value: text});
    (find("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  told(say("已复制。", "Copied."));
};
const copy = (exchange) => {
  const sources = [...exchange.querySelectorAll(".xq-sources li a")].map((link) =>
    [...link.children].map((part) => part.textContent).filter(Boolean).join(" "));
  return copied([exchange.dataset.question, words(exchange), ...sources].join("\n"));
};
const share = async (exchange) => {
  const {address} = await (await send(`page/answers/${exchange.dataset.id}/share`, "POST")).json();
  const link = new URL(address, document.baseURI).href;
  dialog(say("分享这个回答", "Share this answer"), (form) => {
    const field = Object.assign(document.createElement("input"), {value: link, readOnly: true});
    field.setAttribute("aria-label", say("链接", "Link"));
    const note = document.createElement("p");
    note.textContent = say("有这个链接的人都能看到这一问一答。", "Whoever has this link can read this question and answer.");
    form.append(note, field);
  }, say("复制链接", "Copy link"), () => copied(link));
};
const rate = async (exchange, verdict) => {
  const pressed = exchange.querySelector(`[data-do=${verdict}]`).getAttribute("aria-pressed") === "true";
  const given = pressed ? "" : verdict;
  await send("api/feedback", "POST", {id: exchange.dataset.id, verdict: given});
  for (const name of ["up", "down"]) {
    exchange.querySelector(`[data-do=${name}]`).setAttribute("aria-pressed", String(name === given));
  }
  if (given === "down") askWhy(exchange);
  else if (given) told(say("谢谢您的反馈。", "Thank you."));
};
const REASONS = [["答非所问", "Not what I asked"], ["内容不对", "Wrong"], ["不够完整", "Incomplete"], ["看不明白", "Hard to understand"]];
const askWhy = (exchange) => dialog(say("哪里不好？", "What was wrong?"), (form) => {
  REASONS.forEach(([chinese, inEnglish]) => {
    const label = document.createElement("label");
    const choice = Object.assign(document.createElement("input"), {type: "radio", name: "reason", value: chinese});
    label.append(choice, say(chinese, inEnglish));
    form.append(label);
  });
  const more = Object.assign(document.createElement("textarea"), {name: "more", rows: 3, maxLength: 400});
  more.setAttribute("aria-label", say("补充说明", "More"));
  more.placeholder = say("补充说明（可不填）", "More (optional)");
  form.append(more);
}, say("提交", "Send"), async (given) => {
  const reason = [given.get("reason"), given.get("more").trim()].filter(Boolean).join("：");
  await send("api/feedback", "POST", {id: exchange.dataset.id, verdict: "down", reason});
  told(say("谢谢，我们会改进。", "Thank you, we will improve."));
});

// -- hearing, and reading aloud: an answer that stands, or all of them while they come

let aloud = null; // reads the answer under way
const silent = () => {
  find("#xq-speech").hidden = true;
  find(".xq-speaking")?.classList.remove("xq-speaking");
};
const reading = () => new Reading(() => {
  find("#xq-speech").hidden = false;
  find("[data-do=pace]").textContent = paceName();
}, silent, (problem) => told(problem.message));
const speak = (exchange) => {
  const again = exchange.classList.contains("xq-speaking");
  hush();
  if (again) return;
  const one = reading();
  exchange.classList.add("xq-speaking");
  one.feed(words(exchange), true);
};
const readAlong = () => {
  const exchange = find("#xq-current article");
  if (!aloud || !exchange) return;
  const whole = Boolean(exchange.querySelector(".xq-actions"));
  if (exchange.querySelector(".xq-answer, .xq-refusal")) aloud.feed(words(exchange), whole);
  else if (whole) hush(); // there is no answer: it waits for words no more
  if (whole) aloud = null;
};
// Those who listen to the page are told an answer once, when it stands; a problem tells itself.
let readOut = "";
const tellWhole = () => {
  const exchange = find("#xq-current article");
  const whole = exchange?.querySelector(".xq-actions") ? exchange.dataset.id + words(exchange) : "";
  if (whole && whole !== readOut && kept("aloud") !== "yes") find("#xq-read-out").textContent = words(exchange);
  readOut = whole;
};
const showHearing = (now) => find("[data-do=hear]").setAttribute("aria-pressed", String(now));
const hear = async () => {
  if (listening()) return finish();
  if (busy()) return;
  showHearing(true);
  told(say("正在听，请说话。说完会自动停下。", "Listening; it stops when you do."));
  try {
    const text = await listen(() => {
      showHearing(false);
      told(say("正在辨认您说的话……", "Making out what you said…"));
    });
    if (!text) return; // who spoke has left
    told("");
    type(text); // read it over, then send it
  } catch (problem) {
    showHearing(false);
    throw problem;
  }
};
const showSpeech = () => {
  document.documentElement.classList.toggle("xq-can-speak", canSpeak());
  document.documentElement.classList.toggle("xq-can-hear", canHear());
};
const showAloud = () => find("[data-do=aloud]")?.setAttribute("aria-pressed", String(kept("aloud") === "yes"));
showSpeech();
window.speechSynthesis?.addEventListener?.("voiceschanged", showSpeech);

// -- beside the answers

let opener = null; // what gets the focus back
const panel = (name, from) => {
  const aside = find(`#xq-${name}`);
  if (aside.hidden) opener = from;
  document.documentElement.classList.add(`xq-${name}-open`);
  aside.hidden = false;
  return aside;
};
const shut = (name) => {
  document.documentElement.classList.remove(`xq-${name}-open`);
  find(`#xq-${name}`).hidden = true;
  if (opener?.isConnected) opener.focus();
  opener = null;
};
const closeSource = () => { if (!find("#xq-source").hidden) shut("source"); };
const source = async (link) => {
  const aside = panel("source", link);
  const content = aside.querySelector(".xq-content");
  // Nothing of another document stands there while this one comes, or where it doesn't come.
  const note = Object.assign(document.createElement("p"), {className: "xq-note", textContent: say("正在打开……", "Opening…")});
  note.setAttribute("role", "status");
  content.replaceChildren(note);
  aside.querySelector("[data-do=close]").focus();
  try {
    const html = await (await send(`${link.getAttribute("href")}&fragment=1`)).text();
    if (!note.isConnected) return; // another one is wanted by now
    content.innerHTML = html;
    content.scrollTop = 0;
    content.querySelector("mark")?.scrollIntoView({block: "center"});
  } catch (problem) { note.textContent = problem.message; }
};

const list = async () => {
  const owner = once("owner");
  const search = find("#xq-search").value;
  const found = await (await send(`api/conversations?search=${encodeURIComponent(search)}`)).json();
  if (owner !== once("owner")) return; // who may have left
  const items = found.map((one) => {
    const item = find("#xq-conversation").content.firstElementChild.cloneNode(true);
    item.dataset.id = one.id;
    item.dataset.title = one.title;
    const title = item.querySelector("[data-do=resume]");
    title.firstElementChild.textContent = one.title;
    title.lastElementChild.textContent = new Date(one.changed).toLocaleString(document.documentElement.lang, {dateStyle: "medium", timeStyle: "short"});
    if (one.id === kept("conversation")) title.setAttribute("aria-current", "true");
    return item;
  });
  find("#xq-list").replaceChildren(...items);
  find("#xq-none").hidden = items.length > 0;
};
const rename = (item) => dialog(say("重命名", "Rename"), (form) => {
  const field = Object.assign(document.createElement("input"), {name: "title", value: item.dataset.title, maxLength: 60, required: true});
  field.setAttribute("aria-label", say("名称", "Name"));
  form.append(field);
}, say("保存", "Save"), async (given) => {
  await send(`page/conversations/${item.dataset.id}`, "POST", {title: given.get("title")});
  await list();
});
const remove = (item) => dialog(say("删除这个对话？", "Delete this conversation?"), (form) => {
  form.append(Object.assign(document.createElement("p"), {textContent: `“${item.dataset.title}” ${say("将被永久删除。", "will be gone for good.")}`}));
}, say("删除", "Delete"), async () => {
  await send(`api/conversations/${item.dataset.id}`, "DELETE");
  if (item.dataset.id === kept("conversation")) open(token());
  await list();
});
const save = async (item) => {
  const file = await (await send(`page/conversations/${item.dataset.id}/export`)).blob();
  const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(file), download: `${item.dataset.title}.md`});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

// -- leaving a shared terminal

const clear = async () => {
  forget();
  showHearing(false);
  const leaver = once("owner");
  ["owner", "conversation", "spoken"].forEach((name) => keep(name, null));
  find("dialog[open]")?.close();
  if (!find("#xq-side").hidden) shut("side");
  find("#xq-search").value = "";
  find("#xq-list").replaceChildren();
  find("#xq-source .xq-content").replaceChildren();
  type("");
  open(token());
  await send("page/leave", "POST", undefined, leaver); // nothing here waits for the server
};
const leave = () => dialog(say("清空并离开？", "Clear and leave?"), (form) => {
  form.append(Object.assign(document.createElement("p"), {textContent: say(
    "这台机器上的对话将全部清除。问题隐去个人信息后匿名留存，用于改进服务。",
    "All conversations on this machine are cleared. The questions stay without your name, to improve the service.")}));
}, say("清空", "Clear"), clear);
let idle = 0;
const awake = () => {
  clearTimeout(idle);
  if (!seconds) return;
  idle = setTimeout(() => {
    if (busy() || speaking()) awake(); // somebody waits, or listens
    else if (kept("spoken") || box()?.value) attempt(clear);
  }, seconds * 1000);
};
for (const sign of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(sign, awake, {passive: true});
awake();

// -- what can be pressed

const near = (element) => element.closest(".xq-exchange");
// What is asked anew in place of it: itself, or, where it was not answered, what it was to replace.
const instead = (element) => near(element).dataset.id || near(element).dataset.replaces;
const item = (element) => element.closest("#xq-list li");
const acts = {
  ask: (e) => ask(e.textContent, {replaces: ""}),
  "as-typed": (e) => ask(near(e).dataset.question, {replaces: instead(e), as_typed: true}),
  retry: (e) => ask(near(e).dataset.question, {replaces: instead(e)}),
  edit: (e) => { replaces = instead(e); type(near(e).dataset.question); },
  copy: (e) => copy(near(e)),
  share: (e) => share(near(e)),
  speak: (e) => speak(near(e)),
  hear,
  hush,
  pace: (e) => { nextPace(); e.textContent = paceName(); },
  aloud: () => { keep("aloud", kept("aloud") === "yes" ? "no" : "yes"); hush(); aloud = null; showAloud(); },
  up: (e) => rate(near(e), "up"),
  down: (e) => rate(near(e), "down"),
  source, reader: source,
  close: (e) => shut(e.closest("aside").id.slice(3)),
  conversations: async (e) => {
    if (!find("#xq-side").hidden) return shut("side");
    panel("side", e);
    await list();
    find("#xq-search").focus();
  },
  resume: (e) => { open(item(e).dataset.id); if (innerWidth < 1000) shut("side"); else attempt(list); },
  rename: (e) => rename(item(e)),
  remove: (e) => remove(item(e)),
  save: (e) => save(item(e)),
  new: () => { open(token()); box().focus(); },
  leave,
};
addEventListener("click", (event) => {
  const element = event.target.closest?.("[data-do]");
  const act = element && acts[element.dataset.do];
  if (!act) return;
  event.preventDefault();
  attempt(() => act(element));
});
addEventListener("input", (event) => { if (event.target.id === "xq-search") attempt(list); });
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || find("dialog[open]")) return;
  for (const name of ["source", "side"]) if (!find(`#xq-${name}`).hidden) return shut(name);
});
addEventListener("xq-dressed", () => {
  showAloud();
  if (box()) box().placeholder = say("请输入您的问题", "Ask your question");
});

// Gradio may have built the page before this file was there, or builds it later.
const connect = () => {
  if (!window.xqEvents || document.documentElement.classList.contains("xq-ready")) return;
  document.documentElement.classList.add("xq-ready");
  watch();
  showAloud();
  window.xqEvents.open(place());
  nudge();
};
addEventListener("xq-events", connect);
connect();
