import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** MCP server over stdio, as in `session/new`. */
export interface McpServer {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
}

/** Calls one tool of a server that lives for this call. Returns text and pictures. @throws Error when it fails */
export async function callTool(server: McpServer, tool: string, args: unknown, signal: AbortSignal) {
  const own = Object.fromEntries(server.env.map(({ name, value }) => [name, value]))
  const child = spawn(server.command, [...server.args], {
    env: { ...process.env, ...own },
    stdio: ['pipe', 'pipe', 'ignore'],
    signal,
  })
  const { promise: broken, reject: fail } = Promise.withResolvers<never>()
  broken.catch(() => undefined)
  child.once('error', fail)
  child.once('exit', (code) => fail(new Error(`The server ${server.name} ended (exit code ${code}).`)))
  const answers = new Map<number, (answer: Answer) => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = messageIn(line)
    if (answer === null)
      fail(new Error(`The server ${server.name} sent a line that is not a message: ${line.slice(0, 200)}`))
    else if (answer.id !== undefined) answers.get(answer.id)?.(answer)
  })
  const send = (message: object) => void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const ask = (id: number, method: string, params: object) => {
    const answered = new Promise<Answer>((resolve) => answers.set(id, resolve))
    send({ id, method, params })
    return Promise.race([answered, broken])
  }
  try {
    const clientInfo = { name: 'carrel-scripted', version: '1.0.0' }
    await ask(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo })
    send({ method: 'notifications/initialized' })
    const { result, error } = await ask(2, 'tools/call', { name: tool, arguments: args })
    const content = result?.content ?? []
    const text = content.map(({ text }) => text ?? '').join('\n')
    if (error || result?.isError) throw new Error(error?.message ?? text)
    return { text, pictures: content.filter(({ type }) => type === 'image') }
  } finally {
    child.kill()
  }
}

function messageIn(line: string): Answer | null {
  try {
    return JSON.parse(line) as Answer
  } catch {
    return null
  }
}

interface Answer {
  readonly id?: number
  readonly result?: {
    readonly content?: readonly { readonly type?: string; readonly text?: string }[]
    readonly isError?: boolean
  }
  readonly error?: { readonly message: string }
}
