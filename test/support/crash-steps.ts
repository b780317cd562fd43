import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { DatabaseSync, StatementSync } from 'node:sqlite'

/**
 * Reports each step before this thread takes it: each call that changes the disk, and each commit of a database. A
 * process leaves the same disk at any moment between two steps, so a kill before each step covers a kill at any
 * moment. Longer contents are written in two halves; fsync, which only hurries the disk, is no step.
 */
export function tellSteps(tell: (name: string) => void): void {
  for (const name of CALLS) stepBefore(name, tell)
  for (const name of UNSEEN) Object.assign(fs, { [name]: () => refuse(name) })
  for (const name of UNSEEN.slice(1)) Object.assign(fs.promises, { [name]: () => refuse(name) })
  stepAtOpen(tell)
  stepAtWrite(tell)
  syncBuiltinESMExports()
  stepAtCommit(tell)
}

const CALLS = [
  ...['chmodSync', 'chownSync', 'copyFileSync', 'cpSync', 'fchmodSync', 'fchownSync', 'ftruncateSync', 'lchownSync'],
  ...['linkSync', 'mkdirSync', 'renameSync', 'rmSync', 'rmdirSync', 'symlinkSync', 'truncateSync', 'unlinkSync'],
  ...['appendFileSync', 'writeFileSync', 'writevSync'],
] as const

/** Functions that write without a step of ours. */
const UNSEEN = [
  'write',
  ...['appendFile', 'chmod', 'chown', 'copyFile', 'cp', 'lchown', 'link', 'mkdir', 'open', 'rename', 'rm', 'rmdir'],
  ...['symlink', 'truncate', 'unlink', 'writeFile'],
]

function refuse(name: string): never {
  throw new Error(`The history writes by ${name}, which is no step yet. Report it in crash-steps.ts.`)
}

const { lstatSync } = fs
type Call = (...args: unknown[]) => unknown
const calls = fs as unknown as Record<string, Call>

function stepBefore(name: string, tell: (name: string) => void): void {
  const call = calls[name] as Call
  calls[name] = (...args) => {
    if (!isIdle(name, args)) tell(`${name} ${nameOf(args.findLast((arg) => typeof arg === 'string'))}`)
    return call(...args)
  }
}

/** Tells whether the call changes nothing: the path is gone, exists, or has these attributes already. */
function isIdle(name: string, [path, ...args]: unknown[]): boolean {
  const seen = typeof path === 'number' ? fs.fstatSync(path) : lstatSync(path as string, { throwIfNoEntry: false })
  if (name === 'rmSync') return !seen
  if (name === 'mkdirSync') return seen !== undefined
  if (name.endsWith('chmodSync')) return (Number(seen?.mode) & 0o7777) === args[0]
  if (name.endsWith('chownSync')) return seen?.uid === args[0] && seen?.gid === args[1]
  return false
}

const nameOf = (path: unknown): string => String(path).split('/').slice(-1).join()

function stepAtOpen(tell: (name: string) => void): void {
  const { openSync } = fs
  const isMade = (flags: unknown) =>
    typeof flags === 'number' ? (flags & fs.constants.O_CREAT) !== 0 : /[wa]/.test(String(flags ?? 'r'))
  fs.openSync = (path, flags, mode) => {
    if (isMade(flags)) tell(`openSync ${nameOf(path)}`)
    return openSync(path, flags, mode)
  }
}

/** Shorter contents are written in one piece. Bytes. */
const HALVED = 8

function stepAtWrite(tell: (name: string) => void): void {
  const writeSync = calls.writeSync as (fd: number, bytes: Uint8Array, at?: number) => number
  const halved = new Set<number>()
  calls.writeSync = (fd, bytes, at = 0) => {
    tell('writeSync')
    const [file, all, from] = [fd as number, bytes as Uint8Array, at as number]
    // A disk may take fewer bytes than it receives: the caller continues after them.
    const isHalf = !halved.delete(file) && all.length - from >= HALVED
    if (!isHalf) return writeSync(file, all, from)
    halved.add(file)
    const half = Math.ceil((all.length - from) / 2)
    return writeSync(file, all.subarray(from, from + half))
  }
}

function stepAtCommit(tell: (name: string) => void): void {
  const { exec } = DatabaseSync.prototype
  const { run } = StatementSync.prototype
  let isOpen = false
  DatabaseSync.prototype.exec = function (sql) {
    const [first = ''] = sql.trim().split(/[\s;]/)
    const isWhole = /;\s*commit\s*$/.test(sql)
    if (first === 'commit' || isWhole || sql.includes('vacuum(')) tell(isWhole ? 'migration' : sql)
    exec.call(this, sql)
    isOpen = !isWhole && (first === 'begin' || (isOpen && first !== 'commit' && first !== 'rollback'))
  }
  StatementSync.prototype.run = function (...args) {
    if (!isOpen) tell(this.sourceSQL.trim().split(/\s+/).slice(0, 4).join(' '))
    return run.apply(this, args as never)
  }
}
