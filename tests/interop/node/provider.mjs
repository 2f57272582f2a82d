// A foreign OpenID provider with its own login forms: whoever logs in as `name|number` is that person.
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'

const { client_id, client_secret, redirect_uri } = JSON.parse(process.argv[2])
const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [{ client_id, client_secret, redirect_uris: [redirect_uri], grant_types: ['authorization_code'] }],
    claims: { openid: ['sub'], profile: ['name', 'id_number'] },
    cookies: { keys: ['made-up'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: async () => { const [name, id_number] = id.split('|'); return { sub: id, name, id_number } },
    }),
  })
  server.on('request', provider.callback())
  process.stdout.write(JSON.stringify({ issuer }) + '\n')
})
