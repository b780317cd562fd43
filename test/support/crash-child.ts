import { writeSync } from 'node:fs'
import { tellSteps } from './crash-steps.ts'

/**
 * A process that performs an act in a place and stops for good before one of its steps, for the test to kill it
 * there. The test names the step by number or by the beginning of its name; the process prints the step. Without a
 * stop it prints `end`.
 */
const [act = '', top = '', stop = ''] = process.argv.slice(2)
const say = writeSync
let steps = 0
let isArmed = false
tellSteps((name) => {
  if (!isArmed) return
  steps += 1
  if (String(steps) !== stop && !(Number.isNaN(Number(stop)) && name.startsWith(stop))) return
  say(1, `${name}\n`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})
// Imported only now: modules that keep a function of the file system must keep the wrapped one.
const { CRASH_ACTS } = await import('./crash-acts.ts')
await CRASH_ACTS[act]?.(top, () => {
  isArmed = true
})
isArmed = false
say(1, 'end\n')
process.exit(0)
