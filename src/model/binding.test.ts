import { describe, expect, it } from 'vitest'
import {
  type BindingNote,
  cutByPause,
  type FolderIdentity,
  pausedError,
  pauseOf,
  pauseOfDatabase,
  pauseText,
} from './binding.ts'

const HERE: FolderIdentity = { path: '/srv/carrel', machine: 'one', device: '259', inode: '1001', born: '5' }
const noteOf = (more: Partial<BindingNote> = {}): BindingNote => ({
  format: 1,
  bound: HERE,
  pause: null,
  ended: null,
  ...more,
})
const COPIED = { why: 'copied', other: '/srv/carrel', at: null }
const RESTORED = { why: 'restored', other: '/old', at: 0 } as const

describe('a data folder knows its disk and machine', () => {
  const cases: [name: string, now: Partial<FolderIdentity>, paused: boolean][] = [
    ['started again', {}, false],
    ['renamed, or mounted at another path', { path: '/srv/other' }, false],
    ['on a disk that has another number after a restart', { device: '260' }, false],
    ['in a container without a machine id', { machine: null }, false],
    ['on a file system without a time of creation', { born: null }, false],
    ['copied beside the first', { path: '/srv/copy', inode: '1002', born: '6' }, true],
    ['copied to the path of the first, which was moved away', { inode: '1002', born: '6' }, true],
    ['copied to another disk', { path: '/mnt/carrel', device: '300', inode: '1001', born: '6' }, true],
    ['copied to another disk without times of creation', { path: '/mnt/carrel', device: '300', born: null }, true],
    ['copied into the inode of the deleted first', { born: '6' }, true],
    ['on a copied disk at the same path, such as the root of a mount', { device: '300', born: '6' }, true],
    ['on a cloned machine with an id of its own', { machine: 'two' }, true],
    ['copied to another machine', { machine: 'two', inode: '7', born: '6' }, true],
  ]
  it.each(cases)('%s', (_, now, paused) => {
    expect(pauseOf(noteOf(), { ...HERE, ...now })).toEqual(paused ? COPIED : null)
  })

  it('a folder without a note is a new one; a restored or replaced one is paused wherever it is', () => {
    expect(pauseOf(null, HERE)).toBeNull()
    expect(pauseOf(noteOf({ bound: null, pause: RESTORED }), HERE)).toEqual(RESTORED)
    expect(pauseOf(noteOf({ pause: { ...RESTORED, why: 'replaced' } }), HERE)).toMatchObject({ why: 'replaced' })
    expect(pauseOf(noteOf({ bound: null }), HERE)).toBeNull()
  })
})

it('an embedded database knows the machine that uses it, so a copy of the file alone is known too', () => {
  const [one, two] = [
    { id: '1', name: 'anvil' },
    { id: '2', name: 'forge' },
  ]
  expect(pauseOfDatabase([], '1')).toBeNull()
  expect(pauseOfDatabase([one], '1')).toBeNull()
  expect(pauseOfDatabase([one, two], '2')).toBeNull()
  expect(pauseOfDatabase([one], '2')).toEqual({ why: 'database', other: 'anvil', at: null })
})

it('the words of a pause name the other folder, and only to callers who may see paths', () => {
  expect(pauseText(RESTORED)).toBe('This data folder was restored from a backup of /old, made 1970-01-01 00:00 UTC.')
  expect(pauseText({ why: 'copied', other: '/old', at: null })).toBe('This data folder is a copy of /old.')
  expect(pauseText({ ...RESTORED, why: 'database', other: 'anvil' })).toContain('of the machine anvil')
  expect(pauseText({ ...RESTORED, why: 'replaced' })).toContain('/old goes on instead of this one')
  expect(pausedError(RESTORED, true)).toMatchObject({ code: 'paused', message: expect.stringContaining('/old') })
  expect(pausedError(RESTORED, false).message).toMatch(/^Carrel is paused here.*`carrel unpause`/)
})

it('only runs from before the decision ended because of the copy', () => {
  const ended = { ...RESTORED, endedAt: 100 }
  expect(cutByPause(noteOf(), 50)).toBeNull()
  expect(cutByPause(noteOf({ ended }), 50)).toContain('restored from a backup')
  expect(cutByPause(noteOf({ ended: { ...ended, why: 'copied' } }), 50)).toContain('folder was copied')
  expect(cutByPause(noteOf({ ended: { ...ended, why: 'database' } }), 50)).toContain('database was copied')
  expect(cutByPause(noteOf({ ended }), 100)).toBeNull()
  expect(cutByPause(noteOf({ ended: { ...ended, why: 'replaced' } }), 50)).toBeNull()
})
