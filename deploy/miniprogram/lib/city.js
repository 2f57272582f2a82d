// The city's API as the mini-program uses it: the login by evidence (POST /oauth/challenge), then /v1/me.
// No page and no wx here: requests, randomness and time are given, so that Node runs it, too.
const { base64, base64url, form, query, utf8 } = require('./bytes.js')
const { Key } = require('./proof.js')
const { sha256 } = require('./sha256.js')
const { day, plain, purpose } = require('./words.js')

const FORM = 'application/x-www-form-urlencoded'
const REAL_NAME = 'urn:cc:acr:3'

/** What the API refused: `code` as it names it, `status`, and the whole answer. */
class Refused extends Error {
  constructor(status, body) {
    super((body && (body.detail || body.error_description)) || `HTTP ${status}`)
    Object.assign(this, { status, body, code: body && (body.code || body.error) })
  }
}

class City {
  /**
   * `request({method, url, header, data})` gives {status, header (names in lower case), body}; `seed` 64 random bytes.
   */
  constructor({ base, clientId, request, seed, now = Date.now }) {
    Object.assign(this, { base, clientId, request, now, key: new Key(seed), nonce: '', token: '' })
  }

  /** A signed request; a nonce that is asked for is taken and the request sent again, once. */
  async send(method, path, { fields, body, token, again = false } = {}) {
    const htu = this.base + path.split('?')[0]
    const header = { DPoP: this.key.proof({ htm: method, htu, nonce: this.nonce, token, now: this.now() }) }
    if (token) header.Authorization = `DPoP ${token}`
    if (fields) header['Content-Type'] = FORM
    else if (body !== undefined) header['Content-Type'] = 'application/json'
    const data = fields ? form(fields) : body === undefined ? undefined : JSON.stringify(body)
    const answer = await this.request({ method, url: this.base + path, header, data })
    this.nonce = answer.header['dpop-nonce'] || this.nonce
    const wantsNonce = JSON.stringify(answer.body || '').includes('use_dpop_nonce')
    const challenged = String(answer.header['www-authenticate'] || '').includes('use_dpop_nonce')
    if ((wantsNonce || challenged) && !again) return this.send(method, path, { fields, body, token, again: true })
    return answer
  }

  /**
   * Begin a login with a fresh code of wx.login. `realName`: the level that taking part needs.
   * Gives {done: true}, or {next: 'oidc_code', address} when the person must go through the web view first.
   */
  async login(wechatCode, { realName = false } = {}) {
    this.verifier = this.key.chance()
    return this.step({
      client_id: this.clientId,
      code_challenge: base64url(sha256(utf8(this.verifier))),
      code_challenge_method: 'S256',
      acr_values: realName ? REAL_NAME : undefined,
      wechat_code: wechatCode,
    })
  }

  /** Go on with the address at which the web view arrived; null for an address on the way. */
  async returned(address) {
    if (!address.startsWith(`${this.base}/oauth/challenge/returned`)) return null
    const { code, state, iss } = query(address)
    if (!code) throw new Refused(400, { code: 'login_failed', detail: '身份认证没有完成' })
    const fields = { client_id: this.clientId, auth_session: this.session }
    return this.step({ ...fields, oidc_code: code, oidc_state: state, oidc_iss: iss })
  }

  async step(fields) {
    const { status, body } = await this.send('POST', '/oauth/challenge', { fields })
    if (status === 200) return this.redeem(body.authorization_code)
    if (body.error !== 'insufficient_authorization') throw new Refused(status, body)
    this.session = body.auth_session
    return { done: false, next: body.next, address: body.oidc_address }
  }

  async redeem(code) {
    const fields = { grant_type: 'authorization_code', client_id: this.clientId, code, code_verifier: this.verifier }
    const { status, body } = await this.send('POST', '/oauth/token', { fields })
    if (status !== 200) throw new Refused(status, body)
    this.token = body.access_token
    return { done: true }
  }

  /** One call of /v1. Throws Refused; a 401 means: log in again, quietly, by wx.login. */
  async call(method, path, body) {
    const answer = await this.send(method, path, { body, token: this.token || undefined })
    if (answer.status >= 300) throw new Refused(answer.status, answer.body)
    return answer.body
  }

  /** Points and dimensions; null for who does not take part. */
  async points() {
    try {
      const score = await this.call('GET', '/v1/me/score')
      return { ...score, day: day(score.as_of) }
    } catch (error) {
      if (error.code === 'not_enrolled') return null
      throw error
    }
  }

  /** Perks with their names, those that are granted first. */
  async perks() {
    const { perks } = await this.call('GET', '/v1/me/perks')
    return perks.map((one) => ({ ...one, name: one.terms.name })).sort((one, other) => Number(other.granted) - Number(one.granted))
  }

  /** A one-time code; `picture` is the address of its QR code. */
  async code(perk) {
    const drawn = await this.call('POST', '/v1/me/credit-code', { perk })
    const picture = `data:image/svg+xml;base64,${base64(utf8(drawn.qr))}`
    return { text: drawn.code, until: Date.parse(drawn.expires_at), learns: drawn.shows, picture }
  }

  /** Consents, newest first: `title` says what for, `until` the last day. */
  async consents() {
    const { consents } = await this.call('GET', '/v1/me/consents')
    const perks = Object.fromEntries((await this.perks()).map((one) => [one.perk, one.name]))
    return consents.map((one) => ({ ...one, title: purpose(one.purpose, perks), until: day(one.expires_on) }))
  }

  /** The notice that is shown before taking part: `shown` as one reads it, `options` the sources one may add. */
  async notice(version = 1) {
    const notice = await this.call('GET', `/v1/rules/notices/score/${version}`)
    const { groups } = await this.call('GET', '/v1/rules/catalogue')
    const options = groups.filter((one) => notice.optional_sources.includes(one.id))
    return { ...notice, shown: plain(notice.text), options }
  }

  /** Take part until a day (YYYY-MM-DD), with the optional sources that were ticked. */
  async join(notice, { until, sources }) {
    const shown = { version: notice.version, digest: notice.digest }
    const body = { purpose: 'score', notice: shown, optional_sources: sources, expires_on: until }
    return this.call('POST', '/v1/me/consents', { ...body, screen: 'miniprogram sample 1' })
  }

  /** Take a consent back: it holds from the next request on. */
  async withdraw(id) {
    return this.call('DELETE', `/v1/me/consents/${id}`)
  }
}

module.exports = { City, Refused }
