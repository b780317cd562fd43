import { describe, expect, it } from 'vitest'
import { containmentOf, type Wall, type WallPlan } from './walls.ts'

const within = (walls: readonly Wall[], more: Partial<WallPlan> = {}) =>
  containmentOf({ walls, sealed: '/data/sealed', root: false, relay: null, ...more })
/** Returns the mounts in order, as `--how path`. */
const mounts = (walls: readonly Wall[]) => {
  const text = within(walls).wrap.join(' ')
  return text
    .slice('bwrap --ro-bind / / --dev /dev --proc /proc'.length, text.indexOf('--unshare-pid'))
    .trim()
    .split(/ (?=--(?!tmpfs))/)
    .filter((one) => one !== '')
}

describe('walls', () => {
  it.each<[string, Wall[], string[]]>([
    ['without walls all is to be read', [], []],
    ['a place is written', [{ path: '/w', may: 'write' }], ['--bind /w /w']],
    ['another folder stands in its stead', [{ path: '/tmp', may: 'write', from: '/d/t' }], ['--bind /d/t /tmp']],
    [
      'a secret folder is shut',
      [{ path: '/h/.ssh', may: 'nothing', is: 'folder' }],
      ['--perms 0000 --tmpfs /h/.ssh', '--remount-ro /h/.ssh'],
    ],
    [
      'a secret file is covered',
      [{ path: '/h/.netrc', may: 'nothing', is: 'file' }],
      ['--ro-bind /data/sealed /h/.netrc'],
    ],
    [
      'a place in a shut folder is reached, whatever the order of the walls',
      [
        { path: '/d/places/p', may: 'write' },
        { path: '/d', may: 'nothing', is: 'folder' },
      ],
      ['--perms 0111 --tmpfs /d', '--bind /d/places/p /d/places/p', '--remount-ro /d'],
    ],
    [
      'a shut folder in a place stays shut',
      [
        { path: '/h/.ssh', may: 'nothing', is: 'folder' },
        { path: '/h', may: 'write' },
      ],
      ['--bind /h /h', '--perms 0000 --tmpfs /h/.ssh', '--remount-ro /h/.ssh'],
    ],
    [
      'what is to be read in a place lies over it',
      [
        { path: '/w/.git/config', may: 'read' },
        { path: '/w', may: 'write' },
      ],
      ['--bind /w /w', '--ro-bind /w/.git/config /w/.git/config'],
    ],
    [
      'what is to be seen is shown where it is closed around it',
      [
        { path: '/tmp', may: 'write', from: '/d/t' },
        { path: '/tmp/app', may: 'see' },
        { path: '/d', may: 'nothing', is: 'folder' },
        { path: '/d/compiled', may: 'see' },
      ],
      [
        '--perms 0111 --tmpfs /d',
        '--bind /d/t /tmp',
        '--ro-bind /d/compiled /d/compiled',
        '--ro-bind /tmp/app /tmp/app',
        '--remount-ro /d',
      ],
    ],
    [
      'what is to be seen takes no right to write away',
      [
        { path: '/w', may: 'write' },
        { path: '/w/app', may: 'see' },
        { path: '/o', may: 'see' },
      ],
      ['--bind /w /w'],
    ],
    [
      'who works in a folder of secrets works there',
      [
        { path: '/h/.aws', may: 'nothing', is: 'folder' },
        { path: '/h/.aws', may: 'write' },
      ],
      ['--bind /h/.aws /h/.aws'],
    ],
    [
      'names that only begin alike are no folders of one another',
      [
        { path: '/da', may: 'nothing', is: 'folder' },
        { path: '/data', may: 'write' },
      ],
      ['--perms 0000 --tmpfs /da', '--bind /data /data', '--remount-ro /da'],
    ],
  ])('%s', (_name, walls, expected) => {
    expect(mounts(walls)).toEqual(expected)
  })

  it('isolates processes without capabilities; root keeps the one that an inner sandbox needs', () => {
    const apart = '--unshare-pid --unshare-ipc --die-with-parent --cap-drop ALL'
    expect(within([]).wrap.join(' ')).toMatch(new RegExp(`${apart} --$`))
    expect(within([], { root: true }).wrap.join(' ')).toMatch(new RegExp(`${apart} --cap-add CAP_SETFCAP --$`))
  })

  it('a relay implies an own network, and precedes the command', () => {
    const strict = within([], { relay: ['node', 'relay'] })
    expect(strict.wrap.slice(-4)).toEqual(['--unshare-net', '--', 'node', 'relay'])
    expect([within([]).depth, strict.depth]).toEqual([2, 3])
  })
})
