const app = getApp()

Page({
  data: { state: 'loading', score: null, why: '' },

  onShow() {
    this.load()
  },

  async load() {
    try {
      const score = await (await app.city()).points()
      this.setData({ state: score ? 'here' : 'outside', score })
    } catch (error) {
      this.setData({ state: 'failed', why: error.message })
    }
  },
})
