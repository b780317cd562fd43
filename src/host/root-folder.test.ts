import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkRoot, holdBelow, holdRoot, identityAt } from './root-folder.ts'

const top = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-root-')))
afterAll(() => rmSync(top, { recursive: true, force: true }))
let last = 0
const folder = (): string => {
  const path = join(top, `folder-${++last}`)
  mkdirSync(path)
  return path
}

describe('F8: a folder is the same one as before', () => {
  it('after writes in it, after a rename and after its way back; not when another one has its path', () => {
    const path = folder()
    const identity = identityAt(path)
    writeFileSync(join(path, 'a'), 'x')
    expect(identityAt(path)).toBe(identity)
    renameSync(path, `${path}-away`)
    expect(identityAt(path)).toBeNull()
    expect(identityAt(`${path}-away`)).toBe(identity)
    mkdirSync(path)
    expect(identityAt(path)).not.toBe(identity)
    rmSync(path, { recursive: true })
    renameSync(`${path}-away`, path)
    expect(identityAt(path)).toBe(identity)
  })

  it('and not when a new folder gets the inode of the removed one', () => {
    const path = folder()
    const identity = identityAt(path)
    rmSync(path, { recursive: true })
    mkdirSync(path)
    expect(identityAt(path)).not.toBe(identity)
  })

  it.each([
    ['nothing', () => undefined, /does not exist/],
    ['another folder', (path: string) => mkdirSync(path), /^Another folder stands where/],
    ['a link to it', (path: string) => symlinkSync(`${path}-away`, path), /^A link stands where/],
    ['a file', (path: string) => writeFileSync(path, ''), /^A file stands where/],
  ])('%s in its place is refused in words', (_, put, message) => {
    const path = folder()
    const identity = identityAt(path)
    renameSync(path, `${path}-away`)
    put(path)
    expect(() => checkRoot(path, identity)).toThrow(message)
    expect(() => holdRoot(path, identity)).toThrow(message)
  })
})

it.skipIf(process.platform !== 'linux')(
  'F8: a held folder stays itself when it is renamed, and a link below it is not followed',
  () => {
    // Other systems have no names for open folders.
    const path = folder()
    const root = holdRoot(path, identityAt(path))
    symlinkSync(top, join(path, 'out'))
    renameSync(path, `${path}-away`)
    mkdirSync(path)
    const below = holdBelow(root, ['new', 'deep'])
    writeFileSync(join(below?.path ?? '', 'a'), 'x')
    expect(readFileSync(join(`${path}-away`, 'new/deep/a'), 'utf8')).toBe('x')
    expect(holdBelow(root, ['out'])).toBeNull()
    expect(holdBelow(root, ['new', 'deep', 'a', 'b'])).toBeNull()
    below?.release()
    root.release()
  },
)
