import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { McpServer } from './mcp.ts'
import type { Step } from './script.ts'

/** The scripted agent's memory of one session, written to disk after every step: `kill -9` loses at most one step. */
export interface Memory {
  readonly id: string
  readonly cwd: string
  /** MCP servers that the client named with the conversation. */
  servers: McpServer[]
  title: string
  mode: string
  model: string
  turns: number
  /** Kinds of tools that are always allowed. */
  allowed: string[]
  /** Coarse, as real agents replay: whole messages, tool calls in their last state. */
  transcript: Array<Record<string, unknown>>
  /** The unfinished turn. Survives a crash; the next prompt without a directive continues it. */
  pending: { steps: Step[]; cursor: number } | null
}

/** Opens the session files in one folder. An id becomes part of a path only if it looks like one of ours. */
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
