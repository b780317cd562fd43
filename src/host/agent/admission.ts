import { CarrelError } from '../../model/errors.ts'

/** Lets so many starts happen at once and keeps the others in order of arrival (P4). */
export interface Admission {
  /** Waits for a turn. Call the answer exactly when the start is over; calling it again does nothing. @throws unavailable when `signal` fires first. */
  acquire(signal: AbortSignal): Promise<() => void>
  readonly limit: number
  readonly active: number
  /** How many wait. */
  readonly queued: number
}

/** `limit` is about the number of cores: more starts at once make each of them slower and none earlier. */
export function createAdmission(limit: number): Admission {
  const waiting: Array<() => void> = []
  let active = 0
  const enter = () => {
    active += 1
    let released = false
    return () => {
      if (released) return
      released = true
      active -= 1
      waiting.shift()?.()
    }
  }
  return {
    limit,
    get active() {
      return active
    },
    get queued() {
      return waiting.length
    },
    acquire: async (signal) => {
      if (signal.aborted) throw refused()
      if (active < limit && waiting.length === 0) return enter()
      return await new Promise((resolve, reject) => {
        const turn = () => {
          signal.removeEventListener('abort', leave)
          resolve(enter())
        }
        const leave = () => {
          const place = waiting.indexOf(turn)
          if (place >= 0) waiting.splice(place, 1)
          reject(refused())
        }
        waiting.push(turn)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
  }
}

function refused(): CarrelError {
  return new CarrelError('unavailable', 'The start of an agent was called off while it waited for its turn.')
}
