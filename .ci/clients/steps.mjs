// What every client does: list, get, run and wait, read the log, cancel.
// STROEM_URL and STROEM_TOKEN say where and with which key, STROEM is the
// binary.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const endpoint = new URL(process.env.STROEM_URL + '/mcp')
export const headers = { Authorization: `Bearer ${process.env.STROEM_TOKEN}` }
export const bridge = { command: process.env.STROEM, args: ['mcp'], env: process.env }
export const identity = { name: 'matrix', version: '1' }

// program is where an installed program is.
export const program = name => fileURLToPath(new URL(`node_modules/.bin/${name}`, import.meta.url))

// remote is mcp-remote, which stands between a client on stdio and a server.
export const remote = (...options) => ({
  command: process.execPath,
  args: [program('mcp-remote'), endpoint.href, '--transport', 'http-only', '--header', 'Authorization:${AUTH}', ...options],
  env: { ...process.env, AUTH: headers.Authorization },
  stderr: 'ignore',
})

const patience = 30 // seconds
const needed = ['cancel_job', 'execute_task', 'get_job_logs', 'get_job_status', 'get_task', 'list_tasks']

// walk takes a session through the steps and says so in a line. A session has
// tools, the names of them; call, a tool's whole result; close; and tells,
// whether call's third argument hears of progress.
export async function walk(client, transport, session) {
  try {
    await steps(session)
  } finally {
    await session.close()
  }
  console.log(`ok ${client} ${transport}`)
}

async function steps(session) {
  const names = await session.tools()
  assert.deepEqual(needed.filter(name => !names.includes(name)), [])

  const listed = await ask(session, 'list_tasks', { workspace: 'default' })
  assert.deepEqual(listed.tasks.map(task => task.name), ['greet', 'hold'])
  const task = await ask(session, 'get_task', { workspace: 'default', task_name: 'greet' })
  assert.deepEqual(task.input_schema.required, ['name'])
  const wrong = await session.call('get_task', { workspace: 'default', task_name: 'gret' })
  assert.ok(wrong.isError && wrong.content[0].text.includes('did you mean "greet"?'), JSON.stringify(wrong))

  const done = await ask(session, 'execute_task', { ...task.example, input: { name: 'Ada' }, wait_seconds: patience })
  assert.equal(done.status, 'completed')
  const log = await session.call('get_job_logs', { job_id: done.job_id })
  assert.equal(log.content[0].text, '[say] Hello, Ada!')
  await cancel(session)
}

// cancel ends a job while a call waits for it, and looks that its process is
// gone.
async function cancel(session) {
  const { job_id } = await ask(session, 'execute_task', { workspace: 'default', task_name: 'hold' })
  const pid = await until(async () => {
    const { content } = await session.call('get_job_logs', { job_id })
    return Number(/^\[wait\] (\d+)$/.exec(content[0].text)?.[1])
  })
  assert.ok(alive(pid))
  let told
  const heard = new Promise(resolve => { told = resolve })
  const waiting = ask(session, 'get_job_status', { job_id, wait_seconds: patience }, told)
  waiting.catch(() => {}) // it is awaited below
  if (session.tells) {
    const note = await Promise.race([heard, waiting])
    assert.equal(note.message, 'step 1 of 1: wait running')
  }
  assert.deepEqual(await ask(session, 'cancel_job', { job_id }), { status: 'cancelled' })
  assert.equal((await waiting).status, 'cancelled')
  await until(() => !alive(pid))
}

// ask calls a tool that must succeed and is described: its text and its
// structured content say the same.
async function ask(session, tool, args, told) {
  const result = await session.call(tool, args, told)
  assert.ok(!result.isError, JSON.stringify(result))
  const text = JSON.parse(result.content[0].text)
  const data = result.structuredContent
  assert.deepEqual(Array.isArray(text) ? text : { ...text }, Array.isArray(text) ? data.tasks : data)
  return data
}

async function until(wanted) {
  for (const end = Date.now() + patience * 1000; Date.now() < end; await pause(50)) {
    const got = await wanted()
    if (got) return got
  }
  throw new Error(`waited too long for ${wanted}`)
}

function alive(pid) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

// spoken is a session of a TypeScript client, of whichever release: call is
// its callTool with options.
export function spoken(client, call) {
  return {
    tools: async () => (await client.listTools()).tools.map(tool => tool.name),
    call: (name, args, told) => call({ name, arguments: args }, { timeout: patience * 2000, onprogress: told }),
    close: () => client.close(),
    tells: true,
  }
}
