import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'
import { pipeline } from 'node:stream'

/**
 * Program inside a strict sandbox: connects ports of the sandbox's loopback to sockets outside, such as the proxy's,
 * and runs a command. Both end together, so that nothing runs without the connection. Arguments: pairs of port and
 * socket, `--`, command and its arguments.
 */
const argv = process.argv.slice(2)
const end = argv.indexOf('--')
const [command = '', ...args] = argv.slice(end + 1)

for (let at = 0; at < end; at += 2) await lead(Number(argv[at]), argv[at + 1] ?? '')
// Descriptor 3 is the gate that the command waits at.
const child = spawn(command, args, { stdio: ['inherit', 'inherit', 'inherit', 3] })
child.once('error', () => process.exit(127))
child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
// A SIGTERM of the tree ends the command, and the relay ends after it.
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
