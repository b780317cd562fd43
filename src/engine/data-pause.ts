import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { identityOf, machineId, readBinding, writeBinding } from '../host/identity/binding.ts'
import { sweepLedger } from '../host/process/ledger.ts'
import { type BindingNote, cutByPause, type FolderIdentity, type Pause, pauseOf } from '../model/binding.ts'
import { CarrelError } from '../model/errors.ts'
import { fileTrouble } from '../model/files/file-trouble.ts'
import { absentAsNull } from '../primitives/absent-as-null.ts'
import { errorCode } from '../primitives/error-code.ts'
import { holderOfFolder, lockFolder } from '../store/sqlite/lock.ts'
import { NODE_FILE } from './data-folder.ts'

/**
 * The pause of a data folder that is one of two with the same sessions. While there is a reason, the engine starts no
 * work and refuses every operation that is not reading. A person ends the pause (`server.unpause`).
 */
export interface DataPause {
  /** Null while the data folder works. */
  readonly reason: Pause | null
  /** Pauses the folder for a reason that its database shows, unless it is paused already. */
  begin(found: Pause | null): void
  /** Returns the true reason for the end of a run that began before the pause of this folder was ended; else null. */
  cut(begun: number): string | null
  /**
   * Ends the pause: binds the folder to its place, and pauses the other data folder where it is on this machine. Agents
   * that its server left running are ended.
   * Returns the path of that one; null where it was not found. Safe to repeat. `isHeard`: whether the database has heard
   * of the other one lately.
   * @throws busy while a process uses the other data folder; then nothing was changed
   */
  end(now: number, isHeard: () => Promise<boolean>): Promise<string | null>
}

interface Opening {
  readonly dataFolder: string
  /** Replaces the id of this machine, in tests. */
  readonly machine?: string | null | undefined
  /** Called with both paths for a folder that was renamed, mounted elsewhere or copied. Safe to repeat. */
  readonly onMoved: (from: string, to: string) => Promise<void>
}

/** Reads whether a data folder is paused, and binds a new or renamed one. Call it under the lock of the folder. */
export async function openPause({ dataFolder, machine, onMoved }: Opening): Promise<DataPause> {
  const here = await identityOf(dataFolder, machine === undefined ? await machineId() : machine)
  let note = await readBinding(dataFolder)
  const from = note?.bound?.path ?? here.path
  if (from !== here.path && !here.path.startsWith(`${from}/`)) await onMoved(from, here.path)
  let reason = pauseOf(note, here)
  const known = reason === null ? note?.bound : null
  // A container may not know what the machine around it knew.
  const own = { ...here, machine: here.machine ?? known?.machine ?? null, born: here.born ?? known?.born ?? null }
  const bind = async (ended: BindingNote['ended']) => {
    note = { format: 1, bound: own, pause: null, ended }
    await writeBinding(dataFolder, note)
  }
  if (reason === null && !isBound(note, own)) await bind(note?.ended ?? null)
  return {
    get reason() {
      return reason
    },
    begin(found) {
      reason ??= found
    },
    cut: (begun) => (note === null ? null : cutByPause(note, begun)),
    async end(now, isHeard) {
      if (reason === null) return null
      const other = reason.why === 'database' ? null : await findOther(dataFolder, reason.other, here.path)
      if (await isHeard()) throw new CarrelError('busy', HEARD)
      if (other !== null) await replace(other, here.path, now)
      // The notes about processes are copies: their processes belong to the other folder.
      if (reason.why !== 'replaced') await forgetProcesses(dataFolder)
      await bind({ ...reason, endedAt: now })
      reason = null
      return other
    },
  }
}

const isBound = (note: BindingNote | null, here: FolderIdentity): boolean =>
  JSON.stringify(note?.bound) === JSON.stringify(here)

/** Folders with notes about the processes of a data folder. The first is the ledger of all. */
const PROCESSES = 'processes'
const PROCESS_NOTES = [PROCESSES, 'keepers', 'browsers', 'doors']

async function forgetProcesses(dataFolder: string): Promise<void> {
  for (const name of PROCESS_NOTES) await rm(join(dataFolder, name), { recursive: true, force: true })
}

/** Returns the path of the other data folder where it is on this machine; else null. @throws busy while it is in use */
async function findOther(dataFolder: string, other: string, here: string): Promise<string | null> {
  const nodeOf = (folder: string) => absentAsNull(readFile(join(folder, NODE_FILE), 'utf8'))
  const theirs = await nodeOf(other).catch((thrown) => {
    // A folder that this user may not enter is as far away as one on another machine: the caller warns of both.
    if (['EACCES', 'EPERM'].includes(errorCode(thrown))) return null
    throw fileTrouble(`The other data folder ${other}`, thrown)
  })
  if (other === here || theirs === null || theirs !== (await nodeOf(dataFolder))) return null
  const holder = holderOfFolder(other)
  if (holder) throw inUse(other, holder.pid)
  return other
}

/** Ends the agents that the other data folder left running, and pauses it from its next start on. */
async function replace(other: string, here: string, now: number): Promise<void> {
  const lock = await lockFolder(other)
  try {
    await sweepLedger(join(other, PROCESSES))
    const note = await readBinding(other)
    if (note?.pause) return
    const pause = { why: 'replaced', other: here, at: now } as const
    await writeBinding(other, { format: 1, bound: note?.bound ?? null, pause, ended: note?.ended ?? null })
  } finally {
    lock.release()
  }
}

const HEARD =
  'The other Carrel with this data works on the same database. Stop it first, so that no work is done twice. After a crash, wait for 15 seconds. Then run `carrel unpause` again.'

function inUse(other: string, pid: number | null): CarrelError {
  const user = pid === null ? 'a process' : `process ${pid}`
  const message = `The data folder ${other} is in use by ${user}. Stop that one first, so that no work is done twice. Then run \`carrel unpause\` again.`
  return new CarrelError('busy', message, { folder: other, pid })
}
