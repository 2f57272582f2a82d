const app = getApp()
const LONGEST_DAYS = 365

Page({
  data: { consents: [], notice: null, ticked: [], why: '' },

  onShow() {
    this.load()
  },

  async load() {
    try {
      const consents = await (await app.city()).consents()
      this.setData({ consents: consents.filter((one) => one.state === 'given'), why: '' })
    } catch (error) {
      this.setData({ why: error.message })
    }
  },

  /** Show the notice: nothing is agreed to before it was shown. */
  async read() {
    try {
      this.setData({ notice: await (await app.city()).notice(), ticked: [], why: '' })
    } catch (error) {
      this.setData({ why: error.message })
    }
  },

  tick(event) {
    this.setData({ ticked: event.detail.value })
  },

  /** Agree: needs a proved real name, so the web view comes first. */
  async join() {
    try {
      const city = await app.city({ realName: true })
      const until = new Date(Date.now() + LONGEST_DAYS * 864e5).toISOString().slice(0, 10)
      await city.join(this.data.notice, { until, sources: this.data.ticked })
      this.setData({ notice: null })
      await this.load()
    } catch (error) {
      this.setData({ why: error.message })
    }
  },

  /** One tap, one question, gone. */
  withdraw(event) {
    const { id } = event.currentTarget.dataset
    wx.showModal({
      title: '撤回这份同意？',
      content: '立即停止使用，相关信息随之删除。不影响您办任何事。',
      success: async ({ confirm }) => {
        if (!confirm) return
        try {
          await (await app.city()).withdraw(id)
        } catch (error) {
          this.setData({ why: error.message })
        }
        await this.load()
      },
    })
  },
})
