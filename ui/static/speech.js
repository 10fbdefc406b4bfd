// Hearing and speaking, for every page: a recording becomes text, an answer is read while it comes.
import {keep, kept, once, say, send} from "./common.js";

const RATE = 16000; // samples a second, what the server takes
const QUIET = 1500; // milliseconds of silence after which a sentence is over
const NOBODY = 10000; // milliseconds to wait for the first word
const SECOND_TAP = 500; // milliseconds within which two taps are one
const LOUD = 0.015; // root mean square above which somebody speaks
const PACES = [["0.75", "慢", "Slow"], ["1", "中", "Normal"], ["1.3", "快", "Fast"]];

const told = (name) => document.querySelector(`meta[name=xq-${name}]`)?.content ?? "";
const longest = Number(told("hears")) * 1000;
// A browser gives the microphone to pages of TLS or of this machine alone.
const canHear = () => Boolean(longest && navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

// -- hearing

// From the tap on: a browser may take its time to give the microphone.
let recording = null;
const listening = () => recording !== null;
const ended = (recorder) => { if (recorder?.state === "recording") recorder.stop(); };
// What was said is over; a second tap that follows at once belongs to the first.
const finish = () => {
  if (performance.now() - recording?.begun > SECOND_TAP) ended(recording.recorder);
};
// Whoever spoke has left: nothing of it is kept or sent.
const forget = () => {
  const left = recording;
  recording = null;
  ended(left?.recorder);
};
const noMicrophone = () => new Error(say("用不了话筒：请允许本页使用话筒，或者打字提问。", "No microphone: please allow this page to use it, or type."));
const notHeard = () => new Error(say("没有听清，请再说一遍。", "Not understood, please say it again."));

// Ends the recording when what was said is followed by silence, or it gets too long.
const untilQuiet = (context, stream, recorder) => {
  const analyser = context.createAnalyser();
  const wave = new Float32Array(analyser.fftSize);
  context.createMediaStreamSource(stream).connect(analyser);
  const begun = performance.now();
  let spoke = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    analyser.getFloatTimeDomainData(wave);
    if (Math.sqrt(wave.reduce((sum, one) => sum + one * one, 0) / wave.length) > LOUD) spoke = now;
    const quiet = spoke ? now - spoke > QUIET : now - begun > NOBODY;
    if (quiet || now - begun > longest - 500) ended(recorder);
  }, 100);
  return () => clearInterval(timer);
};
const record = async (mine) => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true}).catch(() => { throw noMicrophone(); });
  const context = new AudioContext();
  const parts = [];
  let stop = () => {};
  try {
    if (recording !== mine) return; // who spoke has left meanwhile
    const recorder = new MediaRecorder(stream);
    stop = untilQuiet(context, stream, recorder);
    recorder.ondataavailable = (event) => parts.push(event.data);
    await new Promise((done, failed) => {
      Object.assign(recorder, {onstop: done, onerror: () => failed(noMicrophone())});
      recorder.start();
      Object.assign(mine, {recorder, begun: performance.now()});
    });
  } finally {
    stop();
    stream.getTracks().forEach((track) => track.stop());
    context.close();
  }
  mine.encoded = await new Blob(parts).arrayBuffer();
};
// 16-bit WAV: http://soundfile.sapp.org/doc/WaveFormat/
const wav = (samples) => {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) => [...word].forEach((c, n) => view.setUint8(at + n, c.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true); view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * samples.length, true);
  samples.forEach((one, n) => view.setInt16(44 + 2 * n, Math.max(-1, Math.min(1, one)) * 32767, true));
  return new Blob([view], {type: "audio/wav"});
};
const madeOut = async (encoded) => {
  // Decoding turns it into one channel's samples of our rate.
  const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(encoded).catch(() => { throw notHeard(); });
  const response = await fetch("page/heard", {method: "POST", headers: {"X-Owner": once("owner")}, body: wav(sound.getChannelData(0))});
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? notHeard().message);
  return answer.text;
};
// Records until silence or finish(); tells when it listens no more; returns the text, which is
// empty where the speaker has left.
const listen = async (heard = () => {}) => {
  hush();
  const mine = recording = {};
  try {
    await record(mine);
    if (recording === mine) heard();
    const text = recording === mine ? await madeOut(mine.encoded) : "";
    return recording === mine ? text : "";
  } catch (problem) {
    if (recording === mine) throw problem;
    return "";
  } finally { if (recording === mine) recording = null; }
};

// -- speaking: the browser's own Chinese voice, else the server's

// Voices that are not on this machine would send the answer to somebody else.
const voice = () => window.speechSynthesis?.getVoices().find((one) => one.lang.startsWith("zh") && one.localService);
const canSpeak = () => Boolean(voice() || told("voice"));
const pace = () => PACES.find(([rate]) => rate === kept("pace")) ?? PACES[1];
const nextPace = () => keep("pace", PACES[(PACES.indexOf(pace()) + 1) % PACES.length][0]);
const paceName = () => say(`语速：${pace()[1]}`, `Speed: ${pace()[2]}`);

const player = new Audio();
let current = null; // what is being read
const hush = () => {
  const stopped = current;
  current = null;
  window.speechSynthesis?.cancel();
  player.pause();
  stopped?.over();
};
const utter = (sentence) => new Promise((done) => {
  const said = new SpeechSynthesisUtterance(sentence);
  Object.assign(said, {voice: voice(), lang: "zh-CN", rate: 0.9 * Number(pace()[0]), onend: done, onerror: done});
  speechSynthesis.speak(said);
});
const fetched = async (sentence) => URL.createObjectURL(await (await send("page/voice", "POST", {text: sentence})).blob());
const play = (address) => new Promise((done, failed) => {
  Object.assign(player, {src: address, onended: done, onpause: done, onerror: failed});
  player.playbackRate = Number(pace()[0]);
  player.play().catch(failed);
}).finally(() => URL.revokeObjectURL(address));

// Reads a text that is still growing: feed it with all there is so far, sentence after sentence.
class Reading {
  constructor(begun = () => {}, over = () => {}, failed = () => {}) {
    hush();
    current = this;
    Object.assign(this, {begun, failed, taken: "", queue: Promise.resolve(), ended: false});
    this.over = () => { this.over = () => {}; over(); };
  }

  feed(text, whole = false) {
    if (current !== this || this.ended) return;
    // What stands otherwise now than it was read can't be unsaid, and isn't read twice.
    const rest = text.startsWith(this.taken) ? text.slice(this.taken.length) : "";
    const piece = whole ? rest : /^[^]*[。！？；!?;\n]/.exec(rest)?.[0] ?? "";
    this.taken += piece;
    this.ended = whole;
    if (piece.trim()) this.add(piece);
    if (whole) this.queue = this.queue.then(() => { if (current === this) hush(); });
  }

  add(piece) {
    const coming = send("page/spoken", "POST", {text: piece}).then((answer) => answer.json());
    coming.catch(() => {}); // told where it is waited for
    this.queue = this.queue.then(async () => this.read(await coming)).catch((problem) => {
      if (current === this) { hush(); this.failed(problem); }
    });
  }

  async read(sentences) {
    // The next sentence is fetched while this one is heard.
    const sounds = voice() ? [] : sentences.slice(0, 1).map(fetched);
    for (const [at, sentence] of sentences.entries()) {
      if (current !== this) return;
      this.begun();
      if (voice()) { await utter(sentence); continue; }
      const sound = await sounds[at];
      if (current !== this) return;
      if (at + 1 < sentences.length) { sounds.push(fetched(sentences[at + 1])); sounds[at + 1].catch(() => {}); }
      await play(sound);
    }
  }
}

const speaking = () => current !== null;
export {Reading, canHear, canSpeak, finish, forget, hush, listen, listening, nextPace, paceName, speaking};
