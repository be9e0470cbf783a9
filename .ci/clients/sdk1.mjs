// The TypeScript SDK 1.x, which speaks by initialize, and what stands between
// it and a server: stroem mcp, and mcp-remote.
import assert from 'node:assert/strict'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { bridge, endpoint, headers, identity, remote, spoken, walk } from './steps.mjs'

async function through(name, kind, transport) {
  const client = new Client(identity)
  await client.connect(transport)
  assert.equal(client.getServerVersion().name, 'stroem')
  await walk(name, kind, spoken(client, (params, options) => client.callTool(params, undefined, options)))
}

await through('sdk-1.x', 'http', new StreamableHTTPClientTransport(endpoint, { requestInit: { headers } }))
await through('sdk-1.x', 'stdio', new StdioClientTransport(bridge))
await through('mcp-remote', 'http', new StdioClientTransport(remote()))
