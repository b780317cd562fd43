import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'
import { pipeline } from 'node:stream'

/**
 * A program of its own, inside a strict sandbox: leads ports of the sandbox's loopback to sockets outside, such as that of the proxy,
 * and runs a command. They end together, so that nothing runs in there without its way out. Arguments: port and socket, as often
 * as wanted, `--`, command and its arguments.
 */
const words = process.argv.slice(2)
const end = words.indexOf('--')
const [command = '', ...args] = words.slice(end + 1)

for (let at = 0; at < end; at += 2) await lead(Number(words[at]), words[at + 1] ?? '')
// The fourth is the gate that the command waits at.
const child = spawn(command, args, { stdio: ['inherit', 'inherit', 'inherit', 3] })
child.once('error', () => process.exit(127))
child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
// Whoever ends the tree ends the command: then this ends too.
process.on('SIGTERM', () => undefined)

async function lead(port: number, path: string): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path, allowHalfOpen: true })
    pipeline(near, far, () => undefined)
    pipeline(far, near, () => undefined)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}
