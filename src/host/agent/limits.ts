import { sizeWords } from '../../model/sizes.ts'
import type { Reached } from '../cgroups/cgroup.ts'
import type { Exit } from '../process/process.ts'

const KILLED = 137

/** The limit by which an agent was ended; null where it ended otherwise. A shell around it tells a kill as a number. */
export function endedBy({ code, signal, reached = [] }: Exit): Reached | null {
  const killed = signal === 'SIGKILL' || code === KILLED
  return (killed && reached.find(({ limit }) => limit === 'memoryBytes')) || null
}

export function howItEnded({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal
}

/** How an agent ended that nobody asked to, in a sentence or two. */
export function endWords(name: string, exit: Exit): string {
  const by = endedBy(exit)
  if (by) return `${name} was ended: it and what it started used more than ${amountOf(by)}.`
  const text = `${name} ended in the middle of its work (${howItEnded(exit)}).`
  const full = exit.reached?.find(({ limit }) => limit === 'pids')
  return full ? `${text} It and what it started had reached the limit of ${amountOf(full)}.` : text
}

/** What people are told of an agent that lives on. */
export function reachedWords(reached: Reached): string {
  return reached.limit === 'memoryBytes'
    ? `The system ended a process of the agent's: it and what it started used more than ${amountOf(reached)}, their limit.`
    : `The agent and what it started reached their limit of ${amountOf(reached)}: what was to start beyond that did not start.`
}

const amountOf = ({ limit, at }: Reached): string =>
  limit === 'memoryBytes' ? `${sizeWords(at)} of memory` : `${at} processes and threads at once`
