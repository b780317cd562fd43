import { expect, it } from 'vitest'
import { createSerial } from '../../../primitives/serial.ts'
import type { PlaceActivity } from '../../files/place-activity.ts'
import { createToolPaths } from '../../files/tool-paths.ts'
import { RunTimes } from './run-times.ts'

const now = () => 0
const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve))

it.each<[string, (times: RunTimes) => Promise<void>, string | null]>([
  ['a question', (times) => times.attend([{ toolCallId: null }]), 'waits'],
  ['that a run is parked', (times) => times.rest(), null],
])('F2: people hear of %s once no scan is under way that takes the run for one at work', async (_, turn, part) => {
  const scans = createSerial()
  const scan = () => scans.run(async () => undefined)
  const activity = { between: (work: () => void) => scans.run(async () => work()), scan } as unknown as PlaceActivity
  const paths = createToolPaths(() => null, now)
  const times = new RunTimes({ activity, paths, now, onFailure: () => undefined })
  times.ready(() => 1)
  await times.begin()
  const underWay = Promise.withResolvers<undefined>()
  void scans.run(() => underWay.promise)
  let told = false
  const telling = turn(times).then(() => {
    told = true
  })
  await turnOfLoop()
  expect([times.presence.now, told]).toEqual([part, false])
  underWay.resolve(undefined)
  await telling
})
