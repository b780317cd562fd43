import { writeSync } from 'node:fs'
import { openActWorld, undoOf } from './act-world.ts'

/**
 * A process that carries out an undo and stops for good at a step, by its number or its name, which it says, to be
 * killed there. Without a step to stop at it says `end`. With `fails` the disk has an error at the end, so that
 * everything is taken back; then the steps of that are counted.
 */
const [top = '', stop = '', mode = ''] = process.argv.slice(2)
let step = 0
let isBack = false
const point = (name: string) => {
  if (mode === 'fails' && name === 'sync') throw new Error('the disk has an error')
  isBack ||= name === 'back'
  if (mode === 'fails' && !isBack) return
  step += 1
  if (stop !== name && stop !== String(step)) return
  writeSync(1, `${name}\n`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
const world = await openActWorld({}, { top, point })
await world.act(undoOf('a')).catch((error: unknown) => {
  if (mode !== 'fails') throw error
})
writeSync(1, 'end\n')
process.exit(0)
