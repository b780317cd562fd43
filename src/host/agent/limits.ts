import { sizeWords } from '../../model/settings/sizes.ts'
import type { LimitReached } from '../cgroups/cgroup.ts'
import type { Pipe } from '../process/pipes.ts'
import type { Exit } from '../process/process.ts'

const KILLED = 137

/** Returns the limit that ended an agent, or null. A shell reports a kill as an exit code. */
export function endedBy({ code, signal, reached = [] }: Exit): LimitReached | null {
  const killed = signal === 'SIGKILL' || code === KILLED
  return (killed && reached.find(({ limit }) => limit === 'memoryBytes')) || null
}

export const howItEnded = ({ code, signal }: Exit): string => (signal === null ? `exit code ${code}` : signal)

/** Describes an unrequested end of an agent, in one or two sentences. */
export function endText(name: string, exit: Exit): string {
  const by = endedBy(exit)
  if (by) return `${name} was ended: it and its processes used more than ${amountOf(by)}.`
  if (exit.closed) return closedText(name, exit.closed)
  const text = `${name} ended in the middle of its work (${howItEnded(exit)}).`
  const full = exit.reached?.find(({ limit }) => limit === 'pids')
  return full ? `${text} It and its processes had reached the limit of ${amountOf(full)}.` : text
}

const closedText = (name: string, closed: Pipe): string =>
  closed === 'output'
    ? `${name} closed its output in the middle of its work, so that nothing more could come from it, and was ended.`
    : `${name} closed its input in the middle of its work, so that nothing could reach it any more, and was ended.`

/** Describes a reached limit of an agent that still runs. */
export function limitText(reached: LimitReached): string {
  return reached.limit === 'memoryBytes'
    ? `The system ended a process of the agent: the agent and its processes used more than ${amountOf(reached)}, their limit.`
    : `The agent and its processes reached their limit of ${amountOf(reached)}: further processes did not start.`
}

const amountOf = ({ limit, at }: LimitReached): string =>
  limit === 'memoryBytes' ? `${sizeWords(at)} of memory` : `${at} processes and threads at once`
