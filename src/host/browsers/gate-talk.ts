import { lstatSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { gatePath } from '../keeper/protocol.ts'

/** The protocol between a gate and its server: names of sockets and lines. */

/** Socket for holds: each open connection is one. */
export const HOLD = 'hold'
/** Socket of the browser's CDP that no hold blocks. */
export const OWN = 'own'
/** Lines on the gate's stderr. */
export const READY = 'carrel: the browser can be driven'
export const TAKEN = 'carrel: another program has the port'
/** Sent on a hold's connection: from now on the gate passes on no command of the agent. */
export const HELD = 'held\n'

/** Folder of the gate's sockets and of nothing else, since the browser's sandbox mounts it. */
export const gateFolder = (folder: string): string => dirname(gatePath(folder))

export type Hold = Awaited<ReturnType<typeof holdGate>>

/** Holds a gate. Resolves once it passes on no command of the agent. @throws Error when its browser has ended */
export async function holdGate(folder: string) {
  const path = join(gateFolder(folder), HOLD)
  // The sandboxed browser can write to this folder: a symbolic link must not lead the server elsewhere.
  if (!lstatSync(path).isSocket()) throw new Error(`${path} is not the socket of a gate.`)
  const socket = connect(path)
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve())
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('The browser has ended.')))
  })
  return {
    /** Resumes the agent, unless another hold is left. Idempotent. */
    release: (): void =>
      void socket.destroy() /** Resolves after the release or the end of the browser. Never rejects. */,
    over,
  }
}
