import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { branchOf, checkFolder, folderState, insideRoots, nearbyGitFolders } from './folders.ts'
import { identityAt } from './root-folder.ts'

const top = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-folders-')))
afterAll(() => rmSync(top, { recursive: true, force: true }))
const at = (...parts: string[]) => join(top, ...parts)
for (const folder of [
  'home/work/inner',
  'home/.ssh/keys',
  'home/.config/x',
  'data/spaces',
  'home/space/sub',
  'home/apart',
  'home/space-two',
]) {
  mkdirSync(at(folder), { recursive: true })
}
writeFileSync(at('home/file.txt'), 'x')
symlinkSync(at('home/space'), at('home/link-to-space'))
symlinkSync(at('home/.ssh'), at('home/innocent'))
symlinkSync('loop', at('home/loop'))
const rules = { home: at('home'), dataFolder: at('data'), others: [at('home/space')] }

describe('a folder for a Space', () => {
  it('is accepted by its real path', async () => {
    symlinkSync(at('home/apart'), at('home/alias'))
    expect(await checkFolder(at('home/alias'), rules)).toEqual({ real: at('home/apart'), key: at('home/apart') })
    expect(await checkFolder(at('home/space-two'), rules)).toMatchObject({ real: at('home/space-two') })
  })

  it.each([
    ['/', /root of the disk/],
    [at('home'), /home folder as a whole/],
    [top, /contains your home/],
    ['relative/path', /full path/],
    ['/etc', /belongs to the system/],
    ['/proc/self', /belongs to the system/],
    [at('home/.ssh'), /keys and settings/],
    [at('home/.ssh/keys'), /keys and settings/],
    [at('home/innocent'), /keys and settings/],
    [at('home/.config/x'), /keys and settings/],
    [at('data'), /Carrel's own data/],
    [at('data/spaces'), /Carrel's own data/],
    [at('home/space'), /Space already/],
    [at('home/link-to-space'), /Space already/],
    [at('home/space/sub'), /inside the Space/],
    [at('home/link-to-space/sub'), /inside the Space/],
    [at('home/file.txt'), /is a file/],
    [at('home/none'), /does not exist/],
    [at('home/loop'), /leads back to itself/],
    ['/tmp\0/x', /not a path/],
  ])('refuses %s with a sentence', async (path, message) => {
    await expect(checkFolder(path, rules)).rejects.toMatchObject({
      code: 'bad_input',
      message: expect.stringMatching(message),
    })
  })

  it('refuses a folder that contains another Space', async () => {
    const others = [at('home/work/inner')]
    await expect(checkFolder(at('home/work'), { ...rules, others })).rejects.toThrow(/contains the Space/)
  })

  it('refuses a folder that cannot be read', async () => {
    mkdirSync(at('home/shut'))
    chmodSync(at('home/shut'), 0)
    // Root can read everything, so the check runs as another user.
    const root = process.getuid?.() === 0
    if (root) {
      chmodSync(top, 0o755)
      process.seteuid?.(65_534)
    }
    try {
      await expect(checkFolder(at('home/shut'), rules)).rejects.toThrow(/cannot be read/)
    } finally {
      if (root) process.seteuid?.(0)
    }
  })

  it('that disappears, becomes a file or a link, or is another one, is missing', async () => {
    expect(await folderState(at('home/work'))).toBe('present')
    expect(await folderState(at('home/gone'))).toBe('missing')
    expect(await folderState(at('home/file.txt'))).toBe('missing')
    expect(await folderState(at('home/link-to-space'))).toBe('missing')
    const [work, space] = [identityAt(at('home/work')), identityAt(at('home/space'))]
    expect(await folderState(at('home/work'), work)).toBe('present')
    expect(await folderState(at('home/work'), space)).toBe('missing')
  })

  it('that cannot be looked at is not missing', async () => {
    expect(await folderState(at('home/loop/inside'))).toBe('present')
  })
})

describe('a path inside roots', () => {
  const root = at('place')
  mkdirSync(join(root, 'sub'), { recursive: true })
  mkdirSync(at('place-two'))
  symlinkSync(at('home'), join(root, 'out'))
  symlinkSync(at('nowhere'), join(root, 'dangling'))
  symlinkSync(join(root, 'sub'), join(root, 'in'))
  symlinkSync(root, at('root-link'))

  it('is resolved to its real path, also before it exists', async () => {
    expect(await insideRoots(join(root, 'sub'), [root])).toEqual({ real: join(root, 'sub'), root })
    expect(await insideRoots(join(root, 'in/new/file'), [root])).toEqual({ real: join(root, 'sub/new/file'), root })
    expect(await insideRoots(at('root-link/a'), [at('root-link')])).toEqual({ real: join(root, 'a'), root })
  })

  it.each([
    at('place-two/x'),
    at('place/out/x'),
    at('place/out'),
    at('place/dangling'),
    at('place/dangling/x'),
    `${top}/place/../place/sub`,
    `${top}/place/sub/../../home`,
    'sub',
    '/etc/passwd',
    `${top}/place/\0`,
  ])('refuses %s', async (path) => {
    expect(await insideRoots(path, [root])).toBeNull()
  })
})

it('F1: the branch is read from .git/HEAD and nothing else', async () => {
  mkdirSync(at('home/work/.git'))
  writeFileSync(at('home/work/.git/HEAD'), 'ref: refs/heads/feature/x\n')
  writeFileSync(at('home/apart/.git'), `gitdir: ${at('home/work/.git/worktrees/w')}\n`)
  mkdirSync(at('home/work/.git/worktrees/w'), { recursive: true })
  writeFileSync(at('home/work/.git/worktrees/w/HEAD'), '0123456789abcdef0123456789abcdef01234567\n')
  expect(await branchOf(at('home/work'))).toBe('feature/x')
  expect(await branchOf(at('home/apart'))).toBe('01234567')
  expect(await branchOf(at('home/space'))).toBeNull()
  // Opening a pipe would block forever.
  mkdirSync(at('home/space-two/.git'))
  execFileSync('mkfifo', [at('home/space-two/.git/HEAD')])
  expect(await branchOf(at('home/space-two'))).toBeNull()
})

it('nearby git folders are found without following links, up to the limit', async () => {
  mkdirSync(at('near/a/.git'), { recursive: true })
  mkdirSync(at('near/b/c/.git'), { recursive: true })
  mkdirSync(at('near/a/inner/.git'), { recursive: true })
  symlinkSync(at('home/work'), at('near/linked'))
  expect(await nearbyGitFolders(at('near'), 10)).toEqual([at('near/a'), at('near/b/c')])
  expect(await nearbyGitFolders(at('near'), 1)).toHaveLength(1)
})
