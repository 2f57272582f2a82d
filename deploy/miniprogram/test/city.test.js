// The whole way against a real server of ours: node --test, with CITY (JSON: base, codes, login, password, perk).
const { randomBytes } = require('node:crypto')
const assert = require('node:assert')
const { test } = require('node:test')
const { City, Refused } = require('../lib/city.js')

const given = process.env.CITY && JSON.parse(process.env.CITY)
const skip = given ? false : 'no server: make interop gives one'

async function request({ method, url, header, data }) {
  const answer = await fetch(url, { method, headers: header, body: data })
  const text = await answer.text()
  const body = text && /json/.test(answer.headers.get('content-type')) ? JSON.parse(text) : text
  return { status: answer.status, header: Object.fromEntries(answer.headers), body }
}

const city = () => new City({ base: given.base, clientId: 'miniprogram', request, seed: randomBytes(64) })

// The web view: the identity provider's form, filled in, and each address that is shown on the way.
async function webView(address, shown) {
  const page = await (await fetch(address)).text()
  const fields = new URLSearchParams({ login: given.login, password: given.password })
  const first = page.slice(0, page.indexOf('</form>'))
  for (const [, name, value] of first.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    fields.set(name, value.replace(/&amp;/g, '&').replace(/&#43;/g, '+'))
  }
  const back = await fetch(`${given.base}/idp/authorize`, { method: 'POST', body: fields, redirect: 'manual' })
  for (const one of [address, back.headers.get('location')]) await shown(one)
}

test('from wx.login to a code and out again', { skip }, async () => {
  const stranger = city()
  assert.deepEqual(await stranger.login(given.codes[0]), { done: true })
  assert.equal(await stranger.points(), null)
  await assert.rejects(stranger.join(await stranger.notice(), { until: given.until, sources: [] }), Refused)

  const me = city()
  const came = await me.login(given.codes[1], { realName: true })
  assert.equal(came.next, 'oidc_code')
  const seen = []
  await webView(came.address, async (address) => seen.push(await me.returned(address)))
  assert.deepEqual(seen, [null, { done: true }])

  const notice = await me.notice()
  assert.ok(notice.text.length > 100)
  await me.join(notice, { until: given.until, sources: notice.optional_sources })
  const score = await me.points()
  assert.ok(score.points >= 0 && score.dimensions.length > 0)
  const granted = (await me.perks()).find((one) => one.granted)
  const code = await me.code(granted.perk)
  assert.match(code.text, /^CC1/)
  assert.ok(code.until > Date.now() && code.picture.startsWith('data:image/svg+xml;base64,'))
  assert.ok(code.learns.learns.length > 0)

  const [consent] = (await me.consents()).filter((one) => one.purpose === 'score')
  await me.withdraw(consent.id)
  assert.equal(await me.points(), null)
})

test('a used code of wx.login opens nothing', { skip }, async () => {
  await assert.rejects(city().login(given.codes[0]), (error) => error.code === 'invalid_grant')
})
