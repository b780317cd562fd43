import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BY, openActWorld, restoreTo, undoOf, undoOfAct } from '../../../../test/support/act-world.ts'
import { isRoot, OWNER, RICH, richly } from '../../../../test/support/attributes-setup.ts'
import { attributesAt, setAttributes } from '../../attributes.ts'
import { diskPath } from '../log/paths.ts'

/** Names with invalid UTF-8, and all others that file systems permit. */
const ODD = [
  ':name',
  '-leading',
  'new\nline',
  'sp ace',
  'ünï',
  '日本',
  '\udcff\udc80raw',
  '"quoted"',
  'a\\b',
  '.dot',
  '*?[x]',
]

// Forty files are synced one by one, which takes time on a busy disk.
it('F3: restore is identity over odd names, line ends, modes, links, loops and empty folders', {
  timeout: 120_000,
}, async () => {
  await using world = await openActWorld({ keep: 'k' })
  const { root } = world
  for (const name of ODD) world.write(`odd/${name}/${name}`, name)
  world.write('crlf', '\ufeffa\r\nb\r\nc')
  world.write('empty', '')
  world.write('bytes', Buffer.from([0, 255, 10, 13]))
  world.write('modes/secret', 's')
  chmodSync(join(root, 'modes/secret'), 0o600)
  world.write('modes/run', 'r')
  chmodSync(join(root, 'modes/run'), 0o755)
  world.write('modes/gid', 'g')
  chmodSync(join(root, 'modes/gid'), 0o2755)
  mkdirSync(join(root, 'modes/shared'))
  chmodSync(join(root, 'modes/shared'), 0o3770)
  mkdirSync(join(root, 'hollow/deep'), { recursive: true })
  symlinkSync('nowhere', join(root, 'dangling'))
  symlinkSync('loop', join(root, 'loop'))
  symlinkSync('modes', join(root, 'to-folder'))
  symlinkSync(Buffer.from([0x61, 0xff]), join(root, 'raw-target'))
  const to = await world.look()
  const then = world.seen()
  for (const name of readdirSync(root)) if (name !== 'keep') rmSync(join(root, name), { recursive: true })
  world.write('odd', 'a file now')
  symlinkSync('keep', join(root, 'modes'))
  mkdirSync(join(root, 'crlf'))
  await world.look(['a'])
  const now = world.seen()
  const act = await world.act(restoreTo(to))
  // The rights of a program do not come back with its content.
  expect(world.seen()).toEqual({ ...then, 'modes/gid': 'file 755 g' })
  expect(act.left).toEqual([])
  await world.act(undoOfAct(act))
  expect(world.seen()).toEqual(now)
})

it('F2: the undo of an undo is identity, and so is the undo of that', async () => {
  await using world = await openActWorld({ 'a.txt': 'a\n', 'd/b': 'b\n', gone: 'g\n' })
  world.write('a.txt', 'A\n')
  chmodSync(join(world.root, 'd/b'), 0o700)
  rmSync(join(world.root, 'gone'))
  world.write('new/deep/c', 'c\n')
  await world.look(['a'])
  const after = world.seen()
  const undo = await world.act(undoOf('a'))
  const before = world.seen()
  expect(before).not.toEqual(after)
  const redo = await world.act(undoOfAct(undo))
  expect(world.seen()).toEqual(after)
  await world.act(undoOfAct(redo))
  expect(world.seen()).toEqual(before)
})

it('F3: files that are not in the plan keep their times and their place on the disk', async () => {
  await using world = await openActWorld({ a: '1', b: '1', 'd/c': '1' })
  utimesSync(join(world.root, 'b'), 1_000, 1_000)
  utimesSync(join(world.root, 'd/c'), 2_000, 2_000)
  world.write('a', '2')
  chmodSync(join(world.root, 'd/c'), 0o600)
  await world.look(['a'])
  const [b, c] = ['b', 'd/c'].map((path) => lstatSync(join(world.root, path)))
  await world.act(undoOf('a'))
  expect(lstatSync(join(world.root, 'b'))).toMatchObject({ mtimeMs: 1_000_000, ino: b?.ino, ctimeMs: b?.ctimeMs })
  // A mode alone is set on the existing file.
  expect(lstatSync(join(world.root, 'd/c'))).toMatchObject({ mtimeMs: 2_000_000, ino: c?.ino })
})

describe('a concurrent writer', () => {
  it('F3: an edit between plan and apply makes the plan stale, and no byte changes', async () => {
    await using world = await openActWorld({ a: '1', b: '1' })
    world.write('a', '2')
    world.write('b', '2')
    await world.look(['a'])
    const plan = await world.plan(undoOf('a'))
    world.write('b', 'by me, just now')
    const seen = world.seen()
    await expect(world.applyPlan(plan)).rejects.toMatchObject({ code: 'stale_plan' })
    expect(world.seen()).toEqual(seen)
  })

  /**
   * Cases: a write by somebody at one moment of the act, and the files after it. The write survives, and everything
   * else is as before.
   */
  const cases: [string, string, (root: string) => void, Record<string, string>][] = [
    [
      'writes the last file of the plan',
      'put z',
      (root) => writeFileSync(join(root, 'z'), 'mine'),
      { z: 'file 644 mine' },
    ],
    [
      'writes into a file that was looked at',
      'keep z',
      (root) => writeFileSync(join(root, 'z'), 'mine'),
      { z: 'file 644 mine' },
    ],
    [
      'replaces a file that was looked at',
      'keep z',
      (root) => {
        writeFileSync(join(root, 'theirs'), 'mine')
        renameSync(join(root, 'theirs'), join(root, 'z'))
      },
      { z: 'file 644 mine' },
    ],
    ['takes a file away', 'keep z', (root) => rmSync(join(root, 'z')), { z: '' }],
    [
      'makes what is about to be made',
      'put back',
      (root) => writeFileSync(join(root, 'back'), 'mine'),
      { back: 'file 644 mine' },
    ],
    [
      'writes what is about to go',
      'away new',
      (root) => writeFileSync(join(root, 'new'), 'mine'),
      { new: 'file 644 mine' },
    ],
    [
      'puts something into a folder that is about to go',
      'unmake made',
      (root) => writeFileSync(join(root, 'made/x'), 'mine'),
      { 'made/x': 'file 644 mine' },
    ],
    [
      'makes a folder that is about to be made',
      'make past',
      (root) => mkdirSync(join(root, 'past')),
      { past: 'folder 755' },
    ],
    ['writes at the very end', 'sync', (root) => chmodSync(join(root, 'kept'), 0o640), { kept: 'file 640 k' }],
  ]

  it.each(cases)(
    'F3: a writer who %s stops the act; that change stays, and all else is as before',
    async (_, moment, strike, theirs) => {
      let root = ''
      let struck = false
      const point = (name: string) => {
        if (struck || name !== moment) return
        struck = true
        strike(root)
        if (moment === 'sync') throw new Error('the disk has an error')
      }
      await using world = await openActWorld({ a: '1', z: '1', back: '1', kept: 'k', 'past/p': '1' }, { point })
      root = world.root
      chmodSync(join(root, 'past'), 0o710)
      await world.look()
      world.write('a', '2')
      world.write('z', '2')
      world.write('new', '2')
      world.write('made/y', '2')
      rmSync(join(root, 'back'))
      rmSync(join(root, 'past'), { recursive: true })
      await world.look(['a'])
      const before = world.seen()
      const failure = await world.act(undoOf('a')).catch((error) => error)
      expect(failure.code).toBe(moment === 'sync' ? 'internal' : 'stale_plan')
      expect(struck).toBe(true)
      const expected = { ...before, ...theirs }
      for (const [path, text] of Object.entries(theirs)) if (text === '') delete expected[path]
      expect(world.seen()).toEqual(expected)
      expect(await world.history.acts(world.key, { before: null, limit: 10 })).toEqual([])
    },
  )

  it('F3: a folder that becomes a link during the act is not followed', async () => {
    let root = ''
    const point = (name: string) => {
      if (name !== 'stage d/a' || existsSync(join(root, 'aside'))) return
      renameSync(join(root, 'd'), join(root, 'aside'))
      symlinkSync(join(root, 'elsewhere'), join(root, 'd'))
    }
    await using world = await openActWorld({ 'd/a': '1', 'elsewhere/a': 'mine' }, { point })
    root = world.root
    world.write('d/a', '2')
    await world.look(['a'])
    await expect(world.act(undoOf('a'))).rejects.toMatchObject({ code: 'stale_plan' })
    expect(readdirSync(join(root, 'elsewhere'))).toEqual(['a'])
    expect([world.read('elsewhere/a'), world.read('aside/a')]).toEqual(['mine', '2'])
    expect(readdirSync(join(root, 'aside'))).toEqual(['a'])
  })
})

it('F2: one of two names of a file is written, the other stays', async () => {
  await using world = await openActWorld({ a: '1' })
  world.write('a', '2')
  linkSync(join(world.root, 'a'), join(world.root, 'same'))
  await world.look(['a'])
  await world.act({ ...undoOf('a'), paths: ['a'] })
  expect([world.read('a'), world.read('same')]).toEqual(['1', '2'])
})

it('F3: temporary files of an act are gone after it, whatever the names', async () => {
  await using world = await openActWorld({ a: '1', 'd/b': '1' })
  for (const path of ['a', 'd/b']) world.write(path, '2')
  await world.look(['a'])
  await world.act(undoOf('a'))
  expect(
    readdirSync(world.root)
      .concat(readdirSync(join(world.root, 'd')))
      .sort(),
  ).toEqual(['a', 'b', 'd'])
})

it('a name with invalid UTF-8 is written at its place', async () => {
  await using world = await openActWorld({ '\udcff': '1' })
  world.write('\udcff', '2')
  await world.look(['a'])
  await world.act(undoOf('a'))
  expect(readdirSync(world.root, 'buffer')).toEqual([Buffer.from([0xff])])
  expect(lstatSync(diskPath(world.root, '\udcff')).size).toBe(1)
})

it('acts are stored, newest first, with their requester and the paths they left, and are authors of their writes', async () => {
  await using world = await openActWorld({ a: '1', b: '1' })
  world.write('a', '2')
  world.write('b', '2')
  await world.look(['a'])
  world.write('b', '3')
  await world.look()
  const undo = await world.act(undoOf('a'))
  const redo = await world.act(undoOfAct(undo))
  expect(undo).toMatchObject({ by: BY, request: undoOf('a'), written: ['a'], left: ['b'], taken: [] })
  expect(undo.after).toBe(undo.before + 1)
  const list = (before: typeof undo.id | null, limit: number) => world.history.acts(world.key, { before, limit })
  expect(await list(null, 10)).toEqual([redo, undo])
  expect(await list(null, 1)).toEqual([redo])
  expect(await list(redo.id, 10)).toEqual([undo])
  const { book } = world.keeper.placeOf(world.key)
  expect(book.lastChange('a')).toMatchObject({ author: { kind: 'act', act: redo.id, by: BY }, certainty: 'sole' })
  const other = await world.another('two', {})
  expect(await other.history.acts(other.key, { before: null, limit: 10 })).toEqual([])
})

describe('F2: owner, group, access control list and `user.*` attributes', () => {
  it.skipIf(!RICH)('come back with deleted files and folders; setuid and setgid of files do not', async () => {
    // The disk of this machine has no extended attributes.
    await using world = await openActWorld({ 'folder/deep/file': '1', plain: '2' })
    const paths = ['folder', 'folder/deep', 'folder/deep/file'].map((path) => join(world.root, path))
    const [folder = '', deep = '', file = ''] = paths
    for (const path of paths) richly(path)
    chmodSync(folder, 0o2775)
    chmodSync(file, 0o6755)
    utimesSync(file, 1, 1)
    // A changed owner of a known folder is no change of it, so only a hint names it.
    await world.look([], { paths: ['folder', 'folder/deep'] })
    const before = paths.map((path) => attributesAt(path))
    rmSync(folder, { recursive: true })
    await world.look(['r1'])
    const { notices } = await world.act(undoOf('r1'))
    expect(paths.map((path) => attributesAt(path))).toEqual(before)
    expect([folder, deep, file].map((path) => lstatSync(path).mode & 0o7000)).toEqual([0o2000, 0, 0])
    expect(notices).toBeUndefined()
  })

  it.skipIf(!RICH)('stay with a replaced file, whose hard links are cut with a notice', async () => {
    // The disk of this machine has no extended attributes.
    await using world = await openActWorld({ file: '1' })
    const path = join(world.root, 'file')
    richly(path)
    await world.look()
    writeFileSync(path, 'changed')
    await world.look(['r1'])
    linkSync(path, `${world.root}-twin`)
    const before = attributesAt(path)
    const { notices } = await world.act(undoOf('r1'))
    expect(attributesAt(path)).toEqual(before)
    expect([world.read('file'), readFileSync(`${world.root}-twin`, 'utf8')]).toEqual(['1', 'changed'])
    expect(notices).toEqual([expect.stringMatching(/^file had 2 names/)])
  })

  it.skipIf(!isRoot)('of a folder come back when the act that removed it is rolled back', async () => {
    // Only root may give a folder away.
    let fails = true
    const point = (name: string) => {
      if (name === 'sync' && fails) throw new Error('the disk has an error')
    }
    await using world = await openActWorld({ keep: 'k' }, { point })
    mkdirSync(join(world.root, 'made'))
    setAttributes(join(world.root, 'made'), { ...OWNER, extended: {} })
    await world.look(['r1'])
    await expect(world.act(undoOf('r1'))).rejects.toThrow()
    fails = false
    expect(lstatSync(join(world.root, 'made'))).toMatchObject(OWNER)
  })
})
