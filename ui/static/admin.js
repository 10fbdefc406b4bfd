// The operator pages: what the API offers, with buttons.
import {send} from "./common.js";

const find = (selector) => document.querySelector(selector);
const make = (name, text = "", given = {}) => Object.assign(document.createElement(name), {textContent: text, ...given});
const told = (text) => {
  find("#told").textContent = text;
  clearTimeout(told.timer);
  told.timer = setTimeout(() => { find("#told").textContent = ""; }, 8000);
};
const attempt = async (act) => { try { await act(); } catch (problem) { told(problem.message); } };
const button = (text, act) => make("button", text, {type: "button", onclick: () => attempt(act)});
const press = (buttons, chosen) => buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === chosen)));
const address = (id) => `api/documents/${encodeURIComponent(id)}`;

const dialog = (title, parts, then = null) => {
  const box = find("#dialog");
  find("#dialog-title").textContent = title;
  find("#fields").replaceChildren(...parts);
  box.querySelector("[value=yes]").hidden = !then;
  box.onclose = () => { if (then && box.returnValue === "yes") attempt(() => then(new FormData(box.querySelector("form")))); };
  box.returnValue = "no";
  box.showModal();
};
const field = (label, name, value = "", kind = "input") => {
  const row = make("label", label);
  row.append(make(kind, "", {name, value, rows: 8}));
  return row;
};

// -- documents

const NAMES = {title: "标题", document_number: "文号", issuer: "发文机关", date: "日期", effective: "施行日期", expires: "失效日期", validity: "有效期", url: "原文网址"};
const STATES = {waiting: "等待", reading: "读取中", indexing: "建索引", done: "完成", failed: "失败"};
let documents = [];

const load = async () => {
  documents = await (await send("api/documents")).json();
  show();
};
const show = () => {
  const wanted = find("#find").value.trim();
  const found = documents.filter((one) => [one.title, one.metadata.document_number ?? ""].some((text) => text.includes(wanted)));
  find("#list").replaceChildren(...found.slice(0, 200).map(row));
  find("#count").textContent = `共 ${documents.length} 份资料，符合 ${found.length} 份${found.length > 200 ? "，显示前 200 份" : ""}。`;
};
const row = (one) => {
  const line = make("tr");
  const repealed = one.metadata.status === "repealed";
  const actions = make("td");
  actions.append(
    button("看分段", () => preview(one)), button("修改", () => edit(one)),
    button(repealed ? "恢复有效" : "标为废止", async () => {
      await send(`${address(one.id)}?wait=60`, "PATCH", {metadata: {status: repealed ? "" : "repealed"}});
      await load();
    }),
    ...(one.source.startsWith("/") ? [button("重新读取", () => reload(one))] : []),
    button("替换", () => choose((files) => upload(files[0], address(one.id), "PUT"))),
    button("删除", () => dialog("删除这份资料？", [make("p", one.title)], async () => {
      await send(`${address(one.id)}?wait=60`, "DELETE");
      told("已删除。");
      await load();
    })));
  const validity = make("td", repealed ? "已废止" : one.metadata.validity ?? one.metadata.expires ?? "", {className: repealed ? "old" : ""});
  line.append(make("td", one.title), make("td", one.metadata.document_number ?? ""), make("td", one.metadata.date ?? ""), validity, make("td", one.passages), actions);
  return line;
};
const preview = async (one) => {
  const passages = await (await send(`admin/passages?document=${encodeURIComponent(one.id)}`)).json();
  const parts = passages.flatMap((passage, at) => [make("p", `${at + 1}. ${passage.section.join(" / ")}`, {className: "quiet"}), make("pre", passage.text)]);
  dialog(`${one.title}：分成 ${passages.length} 段`, parts);
};
const edit = (one) => {
  const shown = (name) => (name === "title" ? one.title : one.metadata[name] ?? "");
  dialog("修改资料信息", Object.entries(NAMES).map(([name, label]) => field(label, name, shown(name))), async (given) => {
    // Only what was changed here: somebody else may have changed the rest since it was shown.
    const {title, ...metadata} = Object.fromEntries([...given].filter(([name, value]) => value !== shown(name)));
    await send(`${address(one.id)}?wait=60`, "PATCH", {title, metadata});
    told("已保存。");
    await load();
  });
};
const reload = async (one) => {
  const [line, state] = progress(one.title);
  const job = await (await send(`admin/reload?document=${encodeURIComponent(one.id)}`, "POST")).json();
  await followed(job, state);
  line.scrollIntoView({block: "nearest"});
  await load();
};
const choose = (then) => {
  const input = make("input", "", {type: "file"});
  input.onchange = () => attempt(() => then(input.files));
  input.click();
};
const progress = (name, now = "等待") => {
  const line = make("li");
  const state = make("span", now);
  line.append(make("span", name), state);
  find("#jobs").prepend(line);
  return [line, state];
};
const followed = async (job, state) => {
  while (!["done", "failed"].includes(job.state)) {
    state.textContent = `${STATES[job.state]} ${job.total ? `${job.documents}/${job.total}` : ""}`;
    await new Promise((done) => setTimeout(done, 400));
    job = await (await send(`api/jobs/${job.id}`)).json();
  }
  const problems = job.failed.map((one) => one.error).join("；");
  state.textContent = job.state === "done" ? `完成：${job.documents} 份，${job.passages} 段。${problems}` : `失败：${job.error || problems}`;
  return job.state === "done" && job.failed.length === 0;
};
const upload = async (file, to = "api/documents", method = "POST") => {
  const [, state] = progress(file.name, "上传中");
  let stands = false;
  try {
    const body = new FormData();
    body.append("file", file);
    const response = await fetch(to, {method, body});
    const job = await response.json();
    if (!response.ok) throw new Error(job.error);
    stands = await followed(job, state);
  } catch (problem) {
    state.textContent = `失败：${problem.message}`;
  }
  await load();
  return stands;
};
const uploads = (files) => attempt(async () => { for (const file of files) await upload(file); });
find("#files").onchange = (event) => uploads([...event.target.files]);
const drop = find("#drop");
drop.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
drop.ondragleave = () => drop.classList.remove("over");
drop.ondrop = (event) => { event.preventDefault(); drop.classList.remove("over"); uploads([...event.dataTransfer.files]); };
find("#find").oninput = show;

// -- what was asked

const questions = async (kind) => {
  const found = await (await send(`api/feedback?kind=${kind}`)).json();
  find("#questions").replaceChildren(...found.map((one) => {
    const item = make("li");
    item.append(make("p", one.question), make("p", one.answer, {className: "quiet"}));
    if (one.comment) item.append(make("p", `市民说：${one.comment}`, {className: "why"}));
    item.append(make("p", new Date(one.asked).toLocaleString("zh-CN"), {className: "quiet"}), button("补写答案", () => write(one.question)));
    return item;
  }));
  if (!found.length) find("#questions").append(make("li", "没有。"));
};
const write = (question, answer = "") => dialog("补写答案", [field("问题", "question", question), field("答案（请照文件写，注明出处）", "answer", answer, "textarea")], async (given) => {
  const again = () => write(given.get("question"), given.get("answer")); // what was written stays
  const title = given.get("question").trim().replace(/[?？]+$/, "");
  if (!title || !given.get("answer").trim()) { again(); throw new Error("问题和答案都要填写。"); }
  const name = title.replace(/[\\/:*?"<>|#\s]/g, "").slice(0, 60);
  const saved = await upload(new File([`# ${title}\n\n${given.get("answer").trim()}\n`], `${name || "补写"}.md`, {type: "text/markdown"}));
  if (!saved) { again(); throw new Error("没有存下来，原因见“资料”页的上传记录。请再试一次。"); }
  told("已存为一份资料，现在就能回答。");
});
const kinds = [...document.querySelectorAll("[data-kind]")];
kinds.forEach((one) => { one.onclick = () => attempt(() => { press(kinds, one); return questions(one.dataset.kind); }); });

// -- synonyms, evaluations

const synonyms = async () => {
  const {own, bundled} = await (await send("admin/synonyms")).json();
  find("#words").value = own;
  find("#bundled").textContent = bundled;
};
find("#save-words").onclick = () => attempt(async () => {
  const {entries} = await (await send("admin/synonyms", "PUT", {text: find("#words").value})).json();
  told(`已保存 ${entries} 条，马上生效。`);
});
const share = (value) => (typeof value === "number" ? `${(100 * value).toFixed(1)}%` : "—");
const reports = async () => {
  const found = await (await send("admin/reports")).json();
  find("#made").replaceChildren(...found.map((one) => {
    const line = make("tr");
    const link = make("td");
    link.append(make("a", "打开", {href: `admin/reports/${encodeURIComponent(one.name)}`, target: "_blank", className: "xq-button"}));
    const figures = [one.answer_accuracy, one.refusal_precision, one.refusal_recall, one.citation_precision].map((value) => make("td", share(value)));
    line.append(make("td", one.source), make("td", new Date(1000 * one.made).toLocaleString("zh-CN")), make("td", one.questions), ...figures, link);
    return line;
  }));
  await running();
};
const running = async () => {
  const run = await (await send("admin/evaluation")).json();
  const state = run.error ? `没有做完：${run.error}` : run.running ? `正在提问：${run.done}/${run.total}` : `做完了：${run.total} 题。`;
  find("#run").textContent = run.name ? state : "";
  clearTimeout(running.timer);
  if (run.running) running.timer = setTimeout(() => attempt(reports), 1000);
};
find("#set").onchange = (event) => attempt(async () => {
  const body = new FormData();
  body.append("file", event.target.files[0]);
  event.target.value = "";
  find("#run").textContent = "上传中";
  const response = await fetch("admin/reports", {method: "POST", body});
  if (response.ok) return reports();
  find("#run").textContent = `没有开始：${(await response.json()).error}`;
});

// -- settings, tabs

const values = async () => {
  const found = await (await send("admin/settings")).json();
  find("#values").replaceChildren(...Object.entries(found).map(([name, value]) => {
    const line = make("tr");
    line.append(make("th", name, {scope: "row"}), make("td", value));
    return line;
  }));
};
const tabs = [...document.querySelectorAll("[data-tab]")];
const opened = {documents: load, asked: () => questions(kinds.find((one) => one.getAttribute("aria-pressed") === "true").dataset.kind), synonyms, reports, settings: values};
tabs.forEach((tab) => {
  tab.onclick = () => attempt(() => {
    press(tabs, tab);
    document.querySelectorAll("main section").forEach((section) => { section.hidden = section.id !== tab.dataset.tab; });
    return opened[tab.dataset.tab]();
  });
});
attempt(load);
