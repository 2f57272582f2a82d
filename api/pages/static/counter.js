// The shop's counter: fills in a link's secret, reads a code with the camera, and keeps its head when there is no net.
// Every form works without this file. A form that got no answer is sent again as it was: the same question, asked once.
"use strict";
const at = (id) => document.getElementById(id);
const me = at("script");

function fill() {
  if (!at("open") || location.hash.length < 2) return;
  at("secret").value = location.hash.slice(1); // behind #: no server and no log was told
  history.replaceState(null, "", location.pathname);
}
fill();
addEventListener("hashchange", fill);

let stream = null;
let reader = null;

function rest() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  if (at("view")) at("view").hidden = true;
  if (at("scan")) at("scan").hidden = !navigator.mediaDevices;
}

function load(address) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src: address, onload: done, onerror: failed });
    document.head.append(script);
  });
}

// The browser's own reader where it has one that knows QR codes, else jsQR on a still of the picture.
async function makeReader(decoder) {
  const kinds = (await window.BarcodeDetector?.getSupportedFormats?.()) ?? [];
  if (kinds.includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video))[0]?.rawValue;
  }
  await load(decoder);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const scale = Math.min(1, 800 / video.videoWidth);
    canvas.width = video.videoWidth * scale;
    canvas.height = video.videoHeight * scale;
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
    return jsQR(picture.data, picture.width, picture.height)?.data;
  };
}

async function scan() {
  at("hint").textContent = "";
  try {
    reader ??= await makeReader(me.dataset.decoder);
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    rest();
    at("hint").textContent = me.dataset.denied;
    return;
  }
  at("scan").hidden = true;
  at("view").hidden = false;
  at("video").srcObject = stream;
  await at("video").play();
  look();
}

async function look() {
  const video = at("video");
  if (!stream || !video) return;
  const found = video.readyState >= 2 ? await reader(video).catch(() => null) : null;
  if (found) {
    rest();
    navigator.vibrate?.(80);
    at("code").value = found;
    at("check").requestSubmit();
    return;
  }
  setTimeout(look, 120);
}

// The page that comes back takes this one's place; the camera and its permission stay.
async function send(form) {
  at("offline").hidden = true;
  at("hint").textContent = me.dataset.busy;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      signal: AbortSignal.timeout(10000),
    });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    at("state").replaceWith(next.getElementById("state") ?? next.querySelector("main"));
    ready();
    document.querySelector(".verdict")?.scrollIntoView({ block: "start" });
  } catch {
    at("hint").textContent = "";
    at("offline").hidden = false;
    at("again").onclick = () => send(form);
  }
}

function ready() {
  rest();
  if (at("scan")) at("scan").onclick = scan;
  if (at("stop")) at("stop").onclick = rest;
  for (const form of document.querySelectorAll("#state form")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  }
}
if (at("state")) ready();
