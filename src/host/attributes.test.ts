import { chmodSync, linkSync, lstatSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ACCESS, isRoot, OWNER, RICH, richly } from '../../test/support/attributes-setup.ts'
import { listen, newPlace } from '../../test/support/scripted-setup.ts'
import { writeTextFile } from './agent/files.ts'
import { attributesAt, lossTexts, setAttributes } from './attributes.ts'

const NOTHING = { readsAll: false, own: [], programs: [] }

describe('F2: attributes', () => {
  it.skipIf(!RICH)('of one file are given to another, and its own are removed', () => {
    // The disk of this machine has no extended attributes.
    const { cwd } = newPlace()
    const [from, to] = [join(cwd, 'from'), join(cwd, 'to')]
    for (const path of [from, to]) writeFileSync(path, '')
    richly(from)
    setAttributes(to, { ...OWNER, extended: { 'user.other': 'eA==' } })
    expect(setAttributes(to, attributesAt(from))).toEqual([])
    expect(attributesAt(to)).toEqual(attributesAt(from))
    expect(attributesAt(to)).toEqual({
      ...OWNER,
      extended: { 'user.note': 'a2VlcA==', 'system.posix_acl_access': ACCESS },
    })
  })

  it('that could not be kept, and cut links, are said in words', () => {
    expect(lossTexts('a', { lost: [], links: 1 })).toEqual([])
    expect(lossTexts('a', { lost: ['owner', 'group'], links: 3 })).toEqual([
      'a could not keep its owner, group: Carrel has no right to set them.',
      'a had 3 names (hard links). Only this name has the new content; the link to the others was cut.',
    ])
  })
})

it.skipIf(!RICH)(
  'F2: an agent’s write keeps all but setuid and setgid, and cuts a hard link with a notice',
  async () => {
    // The disk of this machine has no extended attributes.
    const place = newPlace()
    const path = join(place.cwd, 'shared')
    const twin = join(place.cwd, 'twin')
    writeFileSync(path, 'old')
    linkSync(path, twin)
    richly(path)
    chmodSync(path, 0o6755)
    const before = attributesAt(path)
    const { notices, listener } = listen()
    await writeTextFile({ path, content: 'new' }, place, { listener, beside: NOTHING })
    expect(attributesAt(path)).toEqual(before)
    expect(lstatSync(path).mode & 0o7777).toBe(0o755)
    expect([readFileSync(path, 'utf8'), readFileSync(twin, 'utf8')]).toEqual(['new', 'old'])
    expect(notices).toEqual([expect.stringMatching(/shared had 2 names \(hard links\)/)])
  },
)

it.skipIf(!isRoot)('F2: new files and folders of an agent of root belong to the owner of the folder', async () => {
  // Only root works in the folders of others.
  const place = newPlace()
  setAttributes(place.cwd, { ...OWNER, extended: {} })
  await writeTextFile({ path: join(place.cwd, 'a/b/c'), content: 'new' }, place, {
    listener: listen().listener,
    beside: NOTHING,
  })
  for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(place.cwd, path))).toMatchObject(OWNER)
})
