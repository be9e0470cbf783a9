// The TypeScript client 2.x, which speaks by initialize or, with auto, the
// newest revision that the server has.
import assert from 'node:assert/strict'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { bridge, endpoint, headers, identity, remote, spoken, walk } from './steps.mjs'

const revisions = { legacy: '2025-11-25', auto: '2026-07-28' }

async function through(name, kind, mode, transport) {
  const client = new Client(identity, { versionNegotiation: { mode } })
  await client.connect(transport)
  assert.equal(client.getNegotiatedProtocolVersion(), revisions[mode])
  await walk(name, kind, spoken(client, (params, options) => client.callTool(params, options)))
}

for (const mode of Object.keys(revisions)) {
  await through(`client-2.x-${mode}`, 'http', mode, new StreamableHTTPClientTransport(endpoint, { requestInit: { headers } }))
  await through(`client-2.x-${mode}`, 'stdio', mode, new StdioClientTransport(bridge))
}
await through('mcp-remote-auto', 'http', 'auto', new StdioClientTransport(remote('--protocol', 'auto')))
