import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BrowserNote } from '../../model/browser.ts'
import type { SandboxSpec } from '../sandbox/enclose.ts'

/**
 * The connection between an agent in a strict sandbox and its browser in another one: a folder for a socket, mounted in
 * both. Each conversation has one, since the agent's sandbox is built once and its browsers change.
 */
export type Door = Pick<SandboxSpec, 'shows' | 'leads'>

/** Path of the folder inside both sandboxes. */
const DOOR = '/run/carrel-door'
/** Path of the gate's socket inside both sandboxes. */
export const DOOR_SOCKET = join(DOOR, 'browser')

/** Returns the folder of a conversation's door on this machine, created where it is missing. */
function makeDoor(browsers: string, { session, agent }: Pick<BrowserNote, 'session' | 'agent'>): string {
  const name = createHash('sha256').update(`${session} ${agent}`).digest('hex').slice(0, 24)
  const path = join(doorsOf(browsers), name)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

/** The agent's side: a loopback port in its sandbox that leads to its browser. `browsers`: folder of all of them. */
export function agentDoor(browsers: string, owner: Pick<BrowserNote, 'session' | 'agent'>, url: string): Door {
  return {
    shows: [{ path: DOOR, from: makeDoor(browsers, owner), may: 'read' }],
    leads: [{ port: Number(new URL(url).port), socket: DOOR_SOCKET }],
  }
}

/** The browser's side: the same folder, writable for the gate's socket. */
export const browserDoor = (browsers: string, owner: Pick<BrowserNote, 'session' | 'agent'>): Pick<Door, 'shows'> => ({
  shows: [{ path: DOOR, from: makeDoor(browsers, owner), may: 'write' }],
})

/** Removes all doors. Only while no agent uses one: a running sandbox would not see the folder that replaces it. */
export async function dropDoors(browsers: string): Promise<void> {
  await rm(doorsOf(browsers), { recursive: true, force: true })
}

const doorsOf = (browsers: string): string => join(dirname(browsers), 'doors')
