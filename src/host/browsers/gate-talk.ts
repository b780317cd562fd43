import { lstatSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { gatePath } from '../keeper/protocol.ts'

/** What a gate and its server have in common: where they meet and what is said there. */

/** Each connection here is a hold, for as long as it is open. */
export const HOLD = 'hold'
/** A way to the browser that no hold stops. */
export const OWN = 'own'
/** Lines on its stderr. */
export const READY = 'carrel: the browser can be driven'
export const TAKEN = 'carrel: another program has the port'
/** To whoever holds it: from now on nothing of the agent's goes through. */
export const HELD = 'held\n'

/** Of its sockets for the server, and of nothing else: the walls of a browser show it. */
export const gateFolder = (folder: string): string => dirname(gatePath(folder))

export interface Hold {
  /** Lets go. Repeatable. */
  release(): void
  /** Resolves when it holds no more, also because the browser has ended. Never rejects. */
  readonly over: Promise<void>
}

/** Holds a gate: resolves once nothing of the agent's goes through. @throws Error when its browser has ended */
export async function holdGate(folder: string): Promise<Hold> {
  const path = join(gateFolder(folder), HOLD)
  // What is within the walls may write there: no link leads the server elsewhere.
  if (!lstatSync(path).isSocket()) throw new Error(`${path} is not the socket of a gate.`)
  const socket = connect(path)
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve())
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('The browser has ended.')))
  })
  return { release: () => void socket.destroy(), over }
}
