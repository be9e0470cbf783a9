// The inspector's command line, a process for each call, and its check of the
// tools' schemas.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { bridge, endpoint, headers, program, walk } from './steps.mjs'

const toolError = 5 // its exit code where a result has isError
const inspector = program('mcp-inspector')
const run = promisify(execFile)

const ways = {
  'http': [endpoint.href, '--transport', 'http', '--header', `Authorization: ${headers.Authorization}`],
  'stdio': ['-e', `STROEM_URL=${process.env.STROEM_URL}`, '-e', `STROEM_TOKEN=${process.env.STROEM_TOKEN}`, bridge.command, ...bridge.args],
}

function session(era, way) {
  const ask = async (...args) => {
    try {
      const { stdout } = await run(process.execPath, [inspector, '--cli', ...ways[way], '--protocol-era', era, '--format', 'json', '-q', ...args],
        { timeout: 60_000 })
      return JSON.parse(stdout).result
    } catch (err) {
      if (err.code === toolError) return JSON.parse(err.stdout).result
      throw err
    }
  }
  return {
    tools: async () => (await ask('--method', 'tools/list')).tools.map(tool => tool.name),
    call: (name, args) => ask('--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args)),
    close: async () => {},
  }
}

for (const era of ['legacy', 'modern']) {
  for (const way in ways) await walk(`inspector-${era}`, way, session(era, way))
}

// Whatever is wrong with a schema is told on stderr, unless it is quiet.
const { stderr } = await run(process.execPath, [inspector, '--cli', ...ways.http, '--method', 'tools/list', '--strict'], { timeout: 60_000 })
assert.equal(stderr, '')
console.log('ok inspector --strict')
