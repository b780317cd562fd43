import { expect, it } from 'vitest'
import * as log from '../../../test/support/session-log.ts'
import { only, seeLog } from '../../../test/support/session-log.ts'
import { itemText } from './item-text.ts'

it('a run that changes files has one item for all of them, whatever comes in between', () => {
  const seen = seeLog([
    ...log.underWay(),
    log.changed(1, 2, 'a.txt'),
    log.says('on'),
    log.changed(1, 3, 'a.txt', 'b.txt'),
  ])
  const item = only(seen, 'files')
  expect(item).toMatchObject({ n: 4, seq: 6, run: log.run(1), before: 1, after: 3, place: 'space:here' })
  expect(item.counts).toEqual({ created: 0, modified: 2, deleted: 0 })
  expect(itemText(item)).toBe('a.txt\nb.txt')
  expect(seen.view.changed).toBe(2)
})

it('the next run begins with none, and what is found of the one before goes to that one', () => {
  const seen = seeLog([
    ...log.underWay(),
    log.changed(1, 2, 'a.txt'),
    log.ended(1),
    log.asked(2),
    log.admitted(2),
    log.changed(1, 3, 'a.txt', 'late.txt'),
  ])
  const runs = [...seen.items.values()].flatMap((item) => (item.kind === 'files' ? [item.run] : []))
  expect(runs).toEqual([log.run(1), log.run(1)])
  expect(seen.view.changed).toBe(0)
})

it('who else changed the same paths stands at what the run changed, each other run once', () => {
  const others = [log.conflicts(1, 2, 'b.txt'), log.conflicts(1, 3, 'b.txt'), log.conflicts(1, 2, 'a.txt', 'b.txt')]
  const { conflicts } = only(seeLog([...log.underWay(), log.changed(1, 2, 'b.txt'), ...others]), 'files')
  expect(conflicts.map(({ run, paths }) => [run, ...paths]).sort()).toEqual([
    [log.run(2), 'a.txt', 'b.txt'],
    [log.run(3), 'b.txt'],
  ])
})

it('an act that concerns a session is an item of no run', () => {
  const acts = [
    [log.acted('files.restored', { how: 'undo' }), 'undone'],
    [log.acted('files.restored', { how: 'restore' }), 'restored'],
    [log.acted('files.taken'), 'taken'],
    [log.acted('files.applied', { project: 'prj_00000000000000000000000001' }), 'applied'],
  ] as const
  for (const [said, what] of acts) {
    const item = only(seeLog([...log.underWay(), said]), 'act')
    expect(item).toMatchObject({ what, run: null, act: log.act(1), by: log.ADA, before: 4, after: 5, count: 1 })
    expect(itemText(item)).toBe('a.txt')
  }
})
