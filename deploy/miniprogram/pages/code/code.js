const app = getApp()

Page({
  data: { perks: [], code: null, left: 0, why: '' },

  async onShow() {
    try {
      this.setData({ perks: await (await app.city()).perks(), why: '' })
    } catch (error) {
      this.setData({ why: error.code === 'not_enrolled' ? '您还没有加入，请先看“同意”。' : error.message })
    }
  },

  /** Draw a code for the perk that was tapped; it renews itself only by another tap, since each is a consent. */
  async draw(event) {
    try {
      const code = await (await app.city()).code(event.currentTarget.dataset.perk)
      this.setData({ code, why: '' })
      this.count()
    } catch (error) {
      this.setData({ code: null, why: error.message })
    }
  },

  count() {
    clearInterval(this.timer)
    const tick = () => {
      const left = Math.max(0, Math.ceil((this.data.code.until - Date.now()) / 1000))
      this.setData(left ? { left } : { left, code: null })
      if (!left) clearInterval(this.timer)
    }
    tick()
    this.timer = setInterval(tick, 1000)
  },

  onHide() {
    clearInterval(this.timer)
    this.setData({ code: null })
  },
})
