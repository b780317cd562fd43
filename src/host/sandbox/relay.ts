import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'
import { pipeline } from 'node:stream'

/**
 * A program of its own, inside a strict sandbox: leads a port of the sandbox's loopback to the proxy outside, and runs a command. The
 * two end together, so that nothing runs in there without its way out. Arguments: socket, port, command and its arguments.
 */
const [socket = '', port = '', command = '', ...args] = process.argv.slice(2)

const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ path: socket, allowHalfOpen: true })
  pipeline(near, far, () => undefined)
  pipeline(far, near, () => undefined)
})

server.listen(Number(port), '127.0.0.1', () => {
  // The fourth is the gate that the command waits at.
  const child = spawn(command, args, { stdio: ['inherit', 'inherit', 'inherit', 3] })
  child.once('error', () => process.exit(127))
  child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
})
// Whoever ends the tree ends the command: then this ends too.
process.on('SIGTERM', () => undefined)
