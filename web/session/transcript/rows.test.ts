import { describe, expect, it } from 'vitest'
import type { Item, RunItem } from '../../../src/model/events/items.ts'
import { rowsOf } from './rows.ts'

const run = { kind: 'run', n: 1, seq: 8, state: 'ended' }
const files = {
  kind: 'files',
  n: 4,
  place: 'space:a',
  counts: { created: 1, modified: 1, deleted: 0 },
  files: [{ path: 'a.txt' }, { path: 'b.txt' }],
}
const act = (n: number, what: string, paths = ['a.txt', 'b.txt']) => ({
  kind: 'act',
  n,
  what,
  place: 'space:a',
  paths,
  count: paths.length,
})
const rows = (...items: object[]) => rowsOf([run, files, ...items] as unknown as Item[], 0, null)
const shape = (...items: object[]) =>
  rows(...items).map((row) => (row.kind === 'item' ? `${row.item.kind} ${row.item.n}` : row.kind))
const undone = (...items: object[]) =>
  rows(...items).flatMap((row) => (row.kind === 'item' && row.item.kind === 'files' ? [row.undone?.n ?? null] : []))

describe('the rows of a transcript', () => {
  it('show what a run changed and how it ended before what was done about it afterwards', () => {
    expect(shape({ kind: 'message', n: 6 }, act(9, 'undone'))).toEqual([
      'run 1',
      'message 6',
      'files 4',
      'end',
      'act 9',
    ])
    expect(shape(act(9, 'undone'), { kind: 'run', n: 12, state: 'started' })).toEqual([
      'run 1',
      'files 4',
      'end',
      'act 9',
      'run 12',
    ])
  })

  it('L11: show an afterword below the end of its run, with a label once', () => {
    const said = (n: number, of: string) => ({ kind: 'message', n, run: of, afterword: true })
    const labelled = (...items: object[]) =>
      rowsOf(items as unknown as Item[], 0, null).map((row) =>
        row.kind === 'item' ? `${row.item.kind} ${row.afterword}` : row.kind,
      )
    const [first, second] = [
      { ...run, run: 'run_1' },
      { ...run, n: 12, run: 'run_2', state: 'started' },
    ]
    expect(labelled(first, said(9, 'run_1'), said(10, 'run_1'), second, said(13, 'run_1'))).toEqual([
      'run null',
      'end',
      'message this',
      'message null',
      'run null',
      'message earlier',
    ])
  })

  it('let a run end after an act that came in the middle of it', () => {
    expect(shape(act(5, 'undone'), { kind: 'message', n: 6 })).toEqual([
      'run 1',
      'act 5',
      'message 6',
      'files 4',
      'end',
    ])
  })

  it('end a run whose beginning is not loaded, before what came after it', () => {
    const head = { kind: 'run', n: 1, state: 'ended' } as RunItem
    const items = [{ kind: 'message', n: 6 }, files, { kind: 'run', n: 12, state: 'started' }] as unknown as Item[]
    const kinds = (of: RunItem | null) =>
      rowsOf(items, 0, of).map((row) => (row.kind === 'item' ? row.item.n : row.key))
    expect(kinds(head)).toEqual([6, 4, 'end-1', 12])
    expect(kinds({ ...head, state: 'started' })).toEqual([6, 4, 12])
    expect(kinds(null)).toEqual([6, 4, 12])
  })

  it('say that all of it was taken back as long as that is so', () => {
    expect(undone()).toEqual([null])
    expect(undone(act(9, 'undone'))).toEqual([9])
    expect(undone(act(9, 'undone', ['a.txt']))).toEqual([null])
    expect(undone(act(9, 'undone'), act(10, 'restored'))).toEqual([null])
    expect(undone({ ...act(9, 'undone'), place: 'project:b' })).toEqual([null])
  })
})
