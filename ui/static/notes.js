// What the chat says beside its answers: notes that pass, and one dialog for all that needs an answer.
import {say} from "./common.js";

const find = (selector) => document.querySelector(selector);

const told = (text) => {
  const note = find("#xq-told");
  note.textContent = text;
  clearTimeout(told.timer);
  told.timer = setTimeout(() => { note.textContent = ""; }, 6000);
};
const attempt = async (act) => {
  try { await act(); } catch (problem) { told(problem.message); }
};
const dialog = (title, fill, yes, then) => {
  const box = find("#xq-dialog");
  const form = box.querySelector("form");
  form.querySelector("h2").textContent = title;
  form.querySelector("[value=yes]").textContent = yes;
  form.querySelector("[value=no]").textContent = say("取消", "Cancel");
  const body = form.querySelector("div");
  body.replaceChildren();
  fill(body);
  box.onclose = () => { if (box.returnValue === "yes") attempt(() => then(new FormData(form))); };
  box.returnValue = "no";
  box.showModal();
};

export {attempt, dialog, told};
