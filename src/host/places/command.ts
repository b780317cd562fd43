import { onAbort } from '../../primitives/on-abort.ts'
import { awakeTimeout } from '../../primitives/timers.ts'
import { type Containment, processGroup } from '../process/containment.ts'
import { spawnTree } from '../process/process.ts'

/** Settings of the machine for every command of a place. */
export interface CommandHost {
  /** PATH for programs. */
  readonly path: string
  /** Complete environment of a set-up command: an allow-list. */
  readonly env: Readonly<Record<string, string>>
  readonly containment: Containment
  /** Folder of the ledger of live trees. */
  readonly ledger: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly enter?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly label: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly contained: boolean
}

export interface Ended {
  readonly code: number | null
  /** Newest output, both streams in order of arrival. */
  readonly output: string
  /** Last 4 KiB of stderr. */
  readonly stderr: string
  readonly late: boolean
}

/** Bytes of output that are kept: the newest. */
const OUTPUT_BYTES = 1 << 20

/**
 * Runs a command that writes, to its end. The ledger ensures that it never outlives the server (P1). The signal or the
 * timeout kills its whole tree.
 * @throws the reason of the signal, once no process of the command runs
 */
export async function runCommand(machine: CommandHost, ask: Command): Promise<Ended> {
  ask.signal.throwIfAborted()
  const { ledger, now } = machine
  const containment = ask.contained ? machine.containment : processGroup()
  const kept = newest()
  const tree = await spawnTree({ ...ask, containment, ledger, now, onStderr: kept.add })
  const late = new AbortController()
  const stopClock = awakeTimeout(ask.timeoutMs, () => late.abort())
  const off = AbortSignal.any([late.signal, ask.signal])
  const stop = onAbort(off, () => void tree.kill())
  try {
    tree.stdout.on('error', () => undefined)
    tree.stdout.on('data', kept.add)
    tree.stdin.end()
    const exit = await tree.exited
    ask.signal.throwIfAborted()
    return { code: exit.code, output: kept.text(), stderr: exit.stderrTail, late: late.signal.aborted }
  } finally {
    stop()
    stopClock()
  }
}

function newest() {
  const chunks: Buffer[] = []
  let bytes = 0
  return {
    add(chunk: Buffer) {
      chunks.push(chunk)
      bytes += chunk.length
      while (bytes > OUTPUT_BYTES && chunks.length > 1) bytes -= (chunks.shift() as Buffer).length
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  }
}
