const app = getApp()

Page({
  data: { address: '' },

  onLoad() {
    this.setData({ address: app.proving.address })
  },

  /** Each address that the web view shows; ours at the end carries the code, worth nothing to anybody else. */
  async arrived(event) {
    const { city, done, failed } = app.proving
    try {
      const came = await city.returned(event.detail.src)
      if (came === null) return
      wx.navigateBack()
      done()
    } catch (error) {
      wx.navigateBack()
      failed(error)
    }
  },
})
