import { join } from 'node:path'
import type { PlaceSpec, Retention } from '../../src/host/history/history.ts'
import type { CrashPoint } from '../../src/host/history/undo/moves.ts'
import type { PlanRequest } from '../../src/model/files/history.ts'
import { type ActWorld, openActWorld, restoreTo, undoOf } from './act-world.ts'

/** The work of a process that a test kills at one of its steps, in a prepared place. Steps count from `arm` on. */
export type CrashAct = (top: string, arm: () => void) => Promise<unknown>

/** Builds an act that meets a disk error at its end and is rolled back. The steps of the roll-back count. */
const failing =
  (request: PlanRequest): CrashAct =>
  async (top, arm) => {
    const point: CrashPoint = (name) => {
      if (name === 'back') arm()
      if (name === 'sync') throw new Error('the disk has an error')
    }
    const world = await openActWorld({}, { top, point })
    const plan = await world.plan(request)
    await world.applyPlan(plan).catch(() => {})
  }

const acting =
  (request: PlanRequest): CrashAct =>
  async (top, arm) => {
    const world = await openActWorld({}, { top })
    const plan = await world.plan(request)
    arm()
    await world.applyPlan(plan)
  }

export const APPLY = { kind: 'apply', from: 'prj_two' } as PlanRequest
/** The first snapshot of the applied project is the base. */
export const fromTwo = { source: { key: 'space:two', base: 1, writers: [] } }

/** Returns the scope of the project `two` where its files are an overlay, mounted beside the copies of the place. */
const overlayAt = (mounted: string): PlaceSpec['scope'] => ({
  kind: 'layer',
  lower: join(mounted, 'lower'),
  upper: join(mounted, 'upper'),
})

/** Opens the Space and the project beside it; `mounted` is the folder of its overlay. */
export async function openPair(top: string, mounted?: string): Promise<{ space: ActWorld; project: ActWorld }> {
  const space = await openActWorld({}, { top })
  const where = mounted ? { root: join(mounted, 'view'), scope: overlayAt(mounted) } : {}
  return { space, project: await space.another('two', {}, where) }
}

const applying =
  (mountedAt: (top: string) => string | undefined): CrashAct =>
  async (top, arm) => {
    const { space } = await openPair(top, mountedAt(top))
    const plan = await space.plan(APPLY, fromTwo)
    arm()
    await space.applyPlan(plan, {}, fromTwo)
  }

/** Keeps the newest snapshot only, and snapshots in use. */
export const THIN: Retention = {
  now: 90 * 86_400_000,
  maxBytes: null,
  keepAllMs: 1,
  keepHourlyMs: 1,
  needed: new Map(),
}

export const CRASH_ACTS: Readonly<Record<string, CrashAct>> = {
  async open(top, arm) {
    arm()
    await openActWorld({}, { top })
  },
  async capture(top, arm) {
    const world = await openActWorld({}, { top })
    arm()
    await world.look(['a'])
  },
  async sweep(top, arm) {
    const { history } = await openActWorld({}, { top })
    arm()
    await history.sweep(THIN)
  },
  async forget(top, arm) {
    const { history, key } = await openActWorld({}, { top })
    arm()
    await history.forget(key)
  },
  undo: acting(undoOf('a')),
  'undo that is taken back': failing(undoOf('a')),
  restore: acting(restoreTo(2)),
  'restore that is taken back': failing(restoreTo(2)),
  'apply of a worktree': applying(() => undefined),
  'apply of an overlay': applying((top) => join(top, '../mounted')),
}
