// The mini-program's own pages, drawn by WeChat's component framework (j-component on exparser) in jsdom and tapped.
// Given as JSON: packages (a folder with node_modules), sample (a copy whose pages have a .json each), and what the
// sample's own test is given: base, codes, login, password. Prints one line of JSON: page -> its HTML after each step.
const { randomBytes } = require('node:crypto')
const path = require('node:path')
const { createRequire } = require('node:module')

const given = JSON.parse(process.argv[2])
const from = createRequire(path.join(given.packages, 'index.js'))
const { JSDOM } = from('jsdom')
const { window } = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true })
const names = ['document', 'Event', 'CustomEvent', 'Element', 'HTMLElement', 'Node', 'DOMParser', 'Touch', 'TouchEvent']
global.window = window
for (const name of names) global[name] = window[name]
const simulate = from('miniprogram-simulate')
const { City } = require(path.join(given.sample, 'lib/city.js'))

async function request({ method, url, header, data }) {
  const answer = await fetch(url, { method, headers: header, body: data })
  const text = await answer.text()
  const body = text && /json/.test(answer.headers.get('content-type')) ? JSON.parse(text) : text
  return { status: answer.status, header: Object.fromEntries(answer.headers), body }
}

// The identity provider's form, as the web view would show it; the address at which it ends.
async function proved(city, address) {
  const page = await (await fetch(address)).text()
  const fields = new URLSearchParams({ login: given.login, password: given.password })
  for (const [, name, value] of page.slice(0, page.indexOf('</form>')).matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    fields.set(name, value.replace(/&amp;/g, '&').replace(/&#43;/g, '+'))
  }
  const back = await fetch(`${given.base}/idp/authorize`, { method: 'POST', body: fields, redirect: 'manual' })
  await city.returned(back.headers.get('location'))
}

const asked = []
let city
global.getApp = () => ({ city: async () => city })
global.wx = { showModal: ({ title, success }) => { asked.push(title); success({ confirm: true }) } }
// A page of the sample as a component: its data, and its functions as methods.
global.Page = ({ data, ...methods }) => global.Component({ data, methods })

// Wait until the page shows a word; its HTML then.
async function shows(drawn, word) {
  for (let turn = 0; turn < 400 && !drawn.dom.textContent.includes(word); turn++) await new Promise((go) => setTimeout(go, 50))
  return drawn.dom.outerHTML
}
function open(name) {
  const drawn = simulate.render(simulate.load(path.join(given.sample, 'pages', name, name), name, { compiler: 'simulate' }))
  drawn.attach(window.document.body)
  drawn.instance.onShow()
  return drawn
}
function tap(drawn, where) {
  const found = drawn.querySelector(where)
  if (!found) throw new Error(`nothing is drawn at ${where}: ${drawn.dom.outerHTML}`)
  found.dispatchEvent('tap')
}

async function main() {
  const seen = {}
  city = new City({ base: given.base, clientId: 'miniprogram', request, seed: randomBytes(64) })
  const came = await city.login(given.codes[0], { realName: true })
  await proved(city, came.address)
  seen.outside = await shows(open('points'), '还没有加入')
  const consents = open('consents')
  tap(consents, '.go')
  seen.notice = await shows(consents, '我同意加入')
  tap(consents, '.go')
  seen.joined = await shows(consents, '计算我的桂花分')
  seen.points = await shows(open('points'), '分数从哪里来')
  const code = open('code')
  await shows(code, '免押金借书')
  tap(code, '.plain')
  seen.code = await shows(code, '还有')
  seen.picture = code.instance.data.code.picture
  code.instance.onHide()
  tap(consents, '.plain')
  seen.withdrawn = await shows(consents, '没有有效的同意')
  process.stdout.write(JSON.stringify({ seen, asked }) + '\n')
  process.exit(0)
}
main().catch((error) => { console.error(error); process.exit(1) })
