const { base, clientId } = require('./config.js')
const { City } = require('./lib/city.js')
const { loginCode, random, request } = require('./lib/wechat.js')

App({
  /** The city, logged in; one login at a time. `realName`: prove who you are first, in the web view. */
  async city({ realName = false } = {}) {
    if (this.ready && !realName) return this.ready
    this.ready = (async () => {
      const city = new City({ base, clientId, request, seed: await random() })
      const came = await city.login(await loginCode(), { realName })
      if (!came.done) await this.prove(city, came.address)
      return city
    })()
    this.ready.catch(() => (this.ready = null))
    return this.ready
  },

  /** To the web view and back. */
  prove(city, address) {
    return new Promise((done, failed) => {
      this.proving = { city, address, done, failed }
      wx.navigateTo({ url: '/pages/prove/prove', fail: failed })
    })
  },
})
