import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digest, fresh, git, plainFolder, repository, top, world, write } from '../../../test/support/places-setup.ts'
import { createGit } from './git.ts'
import type { PlaceRecord } from './place.ts'
import { openWorktree } from './worktree.ts'

const w = world()
const { places, ask } = w
const topOf = (record: PlaceRecord) => record.git?.top ?? ''
const branches = (repo: string) => git(repo, 'branch', '--format=%(refname:short)').split('\n')

describe('a worktree', () => {
  it('has its own branch at its start commit, and is removed without a trace', async () => {
    const source = repository()
    const before = git(source, 'status', '--porcelain=v2', '--branch')
    const record = await places.make(ask({ kind: 'worktree', source, id: 'prj_one' }))
    expect(record.git).toMatchObject({
      branch: 'carrel/prj_one',
      madeBranch: true,
      base: git(source, 'rev-parse', 'HEAD'),
    })
    const place = await places.open(record)
    expect(place).toMatchObject({ kind: 'worktree', driver: 'git worktree', enter: [], namespace: null, layer: null })
    expect(place.root).toBe(place.path)
    expect(readFileSync(join(place.path, 'sub/b.txt'), 'utf8')).toBe('b')
    expect(git(place.path, 'status', '--porcelain')).toBe('')
    expect(await places.removalRisks(record)).toEqual({ missing: false, changed: [], unpushed: 0, underway: null })
    expect(await places.remove(record)).toEqual({ kept: [] })
    expect(branches(source)).toEqual(['main'])
    expect(git(source, 'worktree', 'list').split('\n')).toHaveLength(1)
    expect(existsSync(join(w.parent, 'prj_one'))).toBe(false)
    expect(git(source, 'status', '--porcelain=v2', '--branch')).toBe(before)
  })

  it('F8: is not said to be gone when git cannot answer', async () => {
    const record = await places.make(ask({ kind: 'worktree', source: repository() }))
    const withoutGit = createGit({ path: '/nowhere' } as Parameters<typeof createGit>[0])
    await expect(openWorktree(withoutGit, record)).rejects.toMatchObject({ code: 'unavailable' })
    expect((await places.open(record)).path).toBe(record.path)
  })

  it('F1: 32 concurrent worktrees of one repository are all made, and none changes the settings', async () => {
    const source = repository()
    const settings = readFileSync(join(source, '.git/config'))
    const records = await Promise.all(Array.from({ length: 32 }, () => places.make(ask({ kind: 'worktree', source }))))
    for (const [index, record] of records.entries()) {
      writeFileSync(join(record.path, 'own.txt'), `${index}`)
      git(record.path, 'add', '.')
    }
    for (const [index, record] of records.entries()) git(record.path, 'commit', '-q', '-m', `work ${index}`)
    await Promise.all(records.map((record) => places.open(record)))
    records.forEach((record, index) => {
      expect(git(source, 'show', `${record.git?.branch}:own.txt`)).toBe(`${index}`)
    })
    const kept = await Promise.all(records.map((record) => places.remove(record)))
    expect(kept.map(({ kept: [text] }) => text)).toEqual(
      records.map(({ git: own }) => `The branch ${own?.branch} stays: 1 of its commits exist nowhere else.`),
    )
    expect(branches(source)).toHaveLength(33)
    expect(readFileSync(join(source, '.git/config'))).toEqual(settings)
    git(source, 'fsck', '--strict')
  })

  it('lists what would be lost: changes, new files, unique commits, an unfinished merge', async () => {
    const source = repository()
    const record = await places.make(ask({ kind: 'worktree', source }))
    write(record.path, { 'a.txt': 'mine', 'new/file.txt': 'new' })
    expect((await places.removalRisks(record)).changed).toEqual(['a.txt', 'new/file.txt'])
    git(record.path, 'add', '.')
    git(record.path, 'commit', '-q', '-m', 'mine')
    write(source, { 'a.txt': 'theirs' })
    git(source, 'commit', '-q', '-am', 'theirs')
    expect(() => git(record.path, 'merge', '-q', 'main')).toThrow()
    expect(await places.removalRisks(record)).toEqual({
      missing: false,
      changed: ['a.txt'],
      unpushed: 1,
      underway: 'a merge',
    })
    rmSync(record.path, { recursive: true })
    expect(await places.removalRisks(record)).toMatchObject({ missing: true, unpushed: 1 })
    expect((await places.remove(record)).kept).toHaveLength(1)
    expect(git(source, 'worktree', 'list').split('\n')).toHaveLength(1)
  })

  it('never deletes an earlier branch, and saves commits that are on none', async () => {
    const source = repository()
    git(source, 'branch', 'topic')
    const record = await places.make(ask({ kind: 'worktree', source, branch: 'topic' }))
    expect(record.git).toMatchObject({ branch: 'topic', madeBranch: false })
    git(record.path, 'checkout', '-q', '--detach')
    git(record.path, 'commit', '-q', '--allow-empty', '-m', 'lost')
    const lost = git(record.path, 'rev-parse', 'HEAD')
    expect((await places.removalRisks(record)).unpushed).toBe(1)
    expect((await places.remove(record)).kept).toEqual([
      '1 commits were on no branch: they are on topic-detached now.',
      'The branch topic stays: Carrel did not make it.',
    ])
    expect(git(source, 'rev-parse', 'topic-detached')).toBe(lost)
  })

  it('F8: an empty folder, another repository or a link in its place is refused, and never opened elsewhere', async () => {
    const outer = repository()
    const inside = world({}, join(outer, 'data/places'))
    const source = repository()
    const record = await inside.places.make(inside.ask({ kind: 'worktree', source }))
    const at = topOf(record)
    const refused = async () => {
      const failure = { code: 'gone', message: expect.stringContaining('make a new project on that branch') }
      await expect(inside.places.open(record)).rejects.toMatchObject(failure)
    }
    rmSync(at, { recursive: true })
    await refused()
    mkdirSync(at)
    await refused()
    await expect(inside.places.remove(record)).rejects.toMatchObject({ code: 'gone' })
    git(at, 'init', '-q')
    await refused()
    rmSync(at, { recursive: true })
    symlinkSync(source, at)
    await refused()
    rmSync(at)
    const pipes = plainFolder({})
    execFileSync('mkfifo', [join(pipes, 'gitdir')])
    write(at, { '.git': `gitdir: ${pipes}\n` })
    await refused()
  })

  it('explains impossible requests, and leaves nothing', async () => {
    const source = repository()
    const before = git(source, 'show-ref')
    const empty = plainFolder({})
    git(empty, 'init', '-q')
    const astray = repository()
    git(astray, 'config', 'core.worktree', plainFolder())
    const broken = plainFolder({ '.git': 'gitdir: /nowhere/at/all\n' })
    const wrong = (parts: object, text: string) =>
      expect(places.make(ask({ kind: 'worktree', source, ...parts }))).rejects.toMatchObject({
        code: 'bad_input',
        message: expect.stringContaining(text),
      })
    await wrong({ source: plainFolder() }, 'is not in a work tree of git')
    await wrong({ source: empty }, 'has no commit yet')
    await wrong({ source: astray }, 'set by core.worktree')
    await wrong({ source: broken }, 'not a git repository: /nowhere/at/all')
    await wrong({ branch: 'main' }, 'is checked out at')
    await wrong({ branch: '--force' }, 'cannot be the name')
    await wrong({ branch: 'a..b' }, 'cannot be the name')
    await wrong({ start: 'nowhere' }, 'has no commit nowhere')
    await wrong({ start: '--all' }, 'has no commit')
    await wrong({ driver: 'copy' }, 'has no driver')
    mkdirSync(join(source, 'fresh'))
    await wrong({ source: join(source, 'fresh') }, 'Commit it first')
    const out = { patch: '', base: null, branch: 'out', parent: w.parent, signal: new AbortController().signal }
    for (const folder of [plainFolder(), empty, astray, broken])
      await expect(places.exportBranch({ ...out, source: folder })).rejects.toMatchObject({
        code: 'bad_input',
        message: expect.stringContaining('export a patch'),
      })
    await expect(places.exportBranch({ ...out, source: join(top, 'gone') })).rejects.toMatchObject({ code: 'gone' })
    expect(git(source, 'show-ref')).toBe(before)
    expect(git(source, 'worktree', 'list').split('\n')).toHaveLength(1)
    expect(readdirSync(w.parent).filter((name) => name !== 'bases' && /^\./.test(name))).toEqual([])
  })
})

describe('included files', () => {
  const files = { '.gitignore': '.env\n*.key\nbuild/\n', 'a.txt': 'a' }

  it('are those outside of git that the request and the folder list; nothing is overwritten', async () => {
    const source = repository({ ...files, 'conf/b.txt': 'b' })
    write(source, {
      '.env': 'SECRET=1',
      'conf/x.key': 'key',
      'build/out': 'out',
      '.worktreeinclude': '# keys\n*.key\n',
    })
    chmodSync(join(source, '.env'), 0o600)
    const record = await places.make(ask({ kind: 'worktree', source, include: ['.env', 'a.txt'] }))
    expect(readFileSync(join(record.path, '.env'), 'utf8')).toBe('SECRET=1')
    expect(statSync(join(record.path, '.env')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(record.path, 'conf/x.key'), 'utf8')).toBe('key')
    expect(existsSync(join(record.path, 'build'))).toBe(false)
  })

  it('are not written through a link that the branch has', async () => {
    const outside = plainFolder({})
    const source = repository({ ...files, 'conf/b.txt': 'b' })
    git(source, 'checkout', '-q', '-b', 'evil')
    git(source, 'rm', '-rq', 'conf')
    symlinkSync(outside, join(source, 'conf'))
    git(source, 'add', '.')
    git(source, 'commit', '-q', '-m', 'evil')
    git(source, 'checkout', '-q', 'main')
    write(source, { 'conf/x.key': 'key' })
    await places.make(ask({ kind: 'worktree', source, branch: 'evil', include: ['*.key'] }))
    expect(readdirSync(outside)).toEqual([])
  })

  it('the set-up command runs there, with an environment of its own', async () => {
    const own = world({ LANG: 'C' })
    const source = repository()
    const setup = ['/bin/sh', '-c', 'pwd > ready; env > vars; echo said']
    const record = await own.places.make(own.ask({ kind: 'worktree', source, setup, id: 'prj_setup' }))
    expect(readFileSync(join(record.path, 'ready'), 'utf8').trim()).toBe(record.path)
    const names = readFileSync(join(record.path, 'vars'), 'utf8').match(/^\w+(?==)/gm) ?? []
    expect(
      names.filter((name) => !['PATH', 'LANG', 'CARREL_TREE', 'PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)),
    ).toEqual([])
    expect(readFileSync(join(own.parent, 'prj_setup/setup.log'), 'utf8')).toBe('said\n')
  })

  it('F8: a failed set-up leaves no folder, no worktree and no branch, and shows its output', async () => {
    const source = repository()
    for (const kind of ['worktree', 'overlay'] as const) {
      const id = fresh('prj')
      const setup = ['/bin/sh', '-c', 'echo half > half; echo "no such package" >&2; exit 3']
      await expect(places.make(ask({ kind, source, setup, id }))).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/ended with 3.*no such package/s),
      })
      expect(existsSync(join(w.parent, id))).toBe(false)
    }
    expect(branches(source)).toEqual(['main'])
    expect(git(source, 'worktree', 'list').split('\n')).toHaveLength(1)
  })

  it('P1: cancelling ends the set-up and removes everything', async () => {
    const source = repository()
    const off = new AbortController()
    const setup = ['/bin/sh', '-c', 'sleep 60']
    const onProgress = (text: string) => void (text.startsWith('Running') && off.abort(new Error('called off')))
    const made = places.make(ask({ kind: 'worktree', source, setup, signal: off.signal, onProgress }))
    await expect(made).rejects.toThrow('called off')
    expect(branches(source)).toEqual(['main'])
    expect(readdirSync(w.ledger)).toEqual([])
  })
})

describe('repositories of every shape', () => {
  it('a sub-folder of a repository is the same sub-folder of the worktree', async () => {
    const source = repository()
    const record = await places.make(ask({ kind: 'worktree', source: join(source, 'sub') }))
    expect(record.path).toBe(join(topOf(record), 'sub'))
    expect(readdirSync((await places.open(record)).path).sort()).toEqual(['b.txt', 'deep'])
    await places.remove(record)
    expect(existsSync(topOf(record))).toBe(false)
  })

  it('a linked worktree gives a worktree of its repository', async () => {
    const main = repository()
    const source = join(top, fresh('linked'))
    git(main, 'worktree', 'add', '-q', '-b', 'side', source)
    git(source, 'commit', '-q', '--allow-empty', '-m', 'side')
    const record = await places.make(ask({ kind: 'worktree', source }))
    expect(record.git).toMatchObject({ repository: join(main, '.git'), base: git(source, 'rev-parse', 'side') })
    await places.open(record)
    await places.remove(record)
    expect(git(main, 'worktree', 'list').split('\n')).toHaveLength(2)
  })

  it('a bare repository, and a folder around one', async () => {
    const around = join(top, fresh('around'))
    mkdirSync(around)
    git(around, 'clone', '-q', '--bare', repository(), '.bare')
    writeFileSync(join(around, '.git'), 'gitdir: ./.bare\n')
    for (const source of [join(around, '.bare'), around]) {
      const record = await places.make(ask({ kind: 'worktree', source }))
      expect(record.git?.repository).toBe(join(around, '.bare'))
      expect(readFileSync(join((await places.open(record)).path, 'a.txt'), 'utf8')).toBe('a')
      expect(await places.remove(record)).toEqual({ kept: [] })
    }
  })

  it('submodules stay empty with a note; changes in an initialized one are found', async () => {
    const source = repository()
    git(source, 'submodule', '--quiet', 'add', repository(), 'module')
    git(source, 'commit', '-q', '-m', 'module')
    const record = await places.make(ask({ kind: 'worktree', source }))
    expect(record.notes).toEqual([expect.stringContaining('submodules are empty folders')])
    expect(readdirSync(join(record.path, 'module'))).toEqual([])
    git(record.path, 'submodule', '--quiet', 'update', '--init')
    expect((await places.removalRisks(record)).changed).toEqual([])
    write(record.path, { 'module/a.txt': 'changed' })
    expect((await places.removalRisks(record)).changed).toEqual(['module/a.txt'])
    await places.remove(record)
    expect(existsSync(topOf(record))).toBe(false)
  })

  it('a nested repository, read-only files and a sparse checkout', async () => {
    const source = repository({ 'a.txt': 'a', 'in/b.txt': 'b', 'out/c.txt': 'c', 'ro.txt': 'ro' })
    write(source, { 'nested/x': 'x' })
    git(join(source, 'nested'), 'init', '-q')
    chmodSync(join(source, 'ro.txt'), 0o444)
    git(source, 'sparse-checkout', 'set', 'in')
    const nested = digest(join(source, 'nested'))
    const record = await places.make(ask({ kind: 'worktree', source }))
    expect(readdirSync(record.path).sort()).toEqual(['.git', 'a.txt', 'in', 'ro.txt'])
    expect(await places.removalRisks(record)).toMatchObject({ missing: false, changed: [] })
    await places.remove(record)
    expect(digest(join(source, 'nested'))).toBe(nested)
  })

  it('files with a filter are as stored, with a note', async () => {
    const source = repository({ '.gitattributes': '*.bin filter=lfs\n', 'big.bin': 'version https://git-lfs' })
    const record = await places.make(ask({ kind: 'worktree', source }))
    expect(record.notes).toEqual([expect.stringMatching(/^1 of its files use the filter lfs, .*git lfs pull/)])
    expect(readFileSync(join(record.path, 'big.bin'), 'utf8')).toBe('version https://git-lfs')
  })
})
