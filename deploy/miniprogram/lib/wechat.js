// What the mini-program's own world gives: randomness, a login code, requests; each as a promise.

const random = () =>
  new Promise((done, failed) =>
    wx.getRandomValues({ length: 64, success: (got) => done(new Uint8Array(got.randomValues)), fail: failed }))

const loginCode = () => new Promise((done, failed) => wx.login({ success: (got) => done(got.code), fail: failed }))

function request({ method, url, header, data }) {
  return new Promise((done, failed) =>
    wx.request({
      method,
      url,
      header,
      data,
      success: (got) => {
        const names = Object.keys(got.header).map((name) => [name.toLowerCase(), got.header[name]])
        done({ status: got.statusCode, header: Object.fromEntries(names), body: got.data })
      },
      fail: failed,
    }))
}

module.exports = { random, loginCode, request }
