import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { McpServer } from './mcp.ts'
import type { ScriptStep } from './script.ts'

/** Memory of one session, written after every step, so that kill -9 loses at most one. */
export interface Memory {
  readonly id: string
  readonly cwd: string
  /** Servers that the client sent with the session. */
  servers: McpServer[]
  title: string
  mode: string
  model: string
  turns: number
  /** Kinds of tools that were always allowed. */
  allowed: string[]
  /** Coarse transcript, as real agents replay it: whole messages, tool calls in their last state. */
  transcript: Array<Record<string, unknown>>
  /** Turn under way; it survives a crash, and the next prompt without a directive resumes it. */
  pending: { steps: ScriptStep[]; cursor: number } | null
}

/** Opens the session files of a folder. Only an id of this agent is ever used as a path. */
export function openMemory(folder: string) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const pathOf = (id: string) => join(folder, `${id}.json`)
  const known = (id: string) => /^scripted-[\w-]{1,80}$/.test(id)
  const load = (id: string): Memory | null => {
    if (!known(id)) return null
    try {
      return JSON.parse(readFileSync(pathOf(id), 'utf8')) as Memory
    } catch {
      return null
    }
  }
  return {
    load,
    save: (memory: Memory) => {
      writeFileSync(`${pathOf(memory.id)}.new`, JSON.stringify(memory), { mode: 0o600 })
      renameSync(`${pathOf(memory.id)}.new`, pathOf(memory.id))
    },
    forget: (id: string) => {
      if (known(id)) rmSync(pathOf(id), { force: true })
    },
    list: (cwd: string | null | undefined): Memory[] =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .map((name) => load(name.slice(0, -5)))
        .filter((memory) => memory !== null)
        .filter((memory) => !cwd || memory.cwd === cwd),
  }
}
