// The city's own address, to be listed as a request domain and a business domain (web-view) of the mini-program.
module.exports = { base: 'https://credit.example.city', clientId: 'miniprogram' }
