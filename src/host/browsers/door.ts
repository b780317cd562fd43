import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BrowserNote } from '../../model/browser.ts'
import type { Sandbox } from '../sandbox/enclose.ts'

/**
 * Where an agent in a strict sandbox meets its browser, which stands in another one: a folder that both show, for a socket.
 * It is the conversation's, since the agent's walls are built once and browsers follow each other behind them.
 */
export type Door = Pick<Sandbox, 'shows' | 'leads'>

/** The same path in the walls of both. */
const DOOR = '/run/carrel-door'
/** Where a gate listens, within the browser's walls. */
export const AT_DOOR = join(DOOR, 'browser')

/** Folder of a conversation's door. `browsers`: that of all browsers. Made where it is missing. */
function makeDoor(browsers: string, { session, agent }: Pick<BrowserNote, 'session' | 'agent'>): string {
  const name = createHash('sha256').update(`${session} ${agent}`).digest('hex').slice(0, 24)
  const path = join(doorsOf(browsers), name)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

/** What the agent's walls have: a port of its loopback that leads to whatever browser it has at the time. */
export function doorFor(browsers: string, whose: Pick<BrowserNote, 'session' | 'agent'>, url: string): Door {
  return {
    shows: [{ path: DOOR, from: makeDoor(browsers, whose), may: 'read' }],
    leads: [{ port: Number(new URL(url).port), socket: AT_DOOR }],
  }
}

/** What the browser's walls have. */
export function doorInside(browsers: string, whose: Pick<BrowserNote, 'session' | 'agent'>): Pick<Door, 'shows'> {
  return { shows: [{ path: DOOR, from: makeDoor(browsers, whose), may: 'write' }] }
}

/** Takes all doors off the disk. Once no agent stands behind one: it would not see the one that is made anew. */
export async function dropDoors(browsers: string): Promise<void> {
  await rm(doorsOf(browsers), { recursive: true, force: true })
}

const doorsOf = (browsers: string): string => join(dirname(browsers), 'doors')
