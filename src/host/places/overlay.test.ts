import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  containment,
  contents,
  digest,
  fresh,
  git,
  plainFolder,
  repository,
  top,
  world,
  write,
} from '../../../test/support/places-setup.ts'
import { sweepLedger } from '../process/ledger.ts'
import { spawnTree } from '../process/process.ts'
import { DRIVERS } from './drivers.ts'
import type { Place, PlaceRecord } from './place.ts'
import { changedIn } from './upper.ts'

const w = world()
const { places, ask } = w
const drivers = await places.drivers()
const has = (name: string) => drivers.find((driver) => driver.name === name)?.usable === true
/**
 * Drivers of this machine: overlayfs everywhere except on other systems than Linux and where namespaces are forbidden.
 */
const usable = DRIVERS.filter(has)

/** Runs a command in a place as an agent would; resolves to its output. */
async function inside(place: Place, script: string): Promise<string> {
  const parts = { cwd: place.path, enter: place.enter, env: { PATH: process.env.PATH ?? '' }, containment }
  const how = { ledger: w.ledger, label: 'agent', now: Date.now }
  const tree = await spawnTree({ command: '/bin/sh', args: ['-c', script], ...parts, ...how })
  const chunks: Buffer[] = []
  tree.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  tree.stdin.end()
  const exit = await tree.exited
  if (exit.code !== 0) throw new Error(`${exit.code}: ${exit.stderrTail}`)
  return Buffer.concat(chunks).toString()
}

async function changes(record: PlaceRecord): Promise<string[]> {
  const { layer, root } = await places.open(record)
  if (!layer) throw new Error('no layer')
  return (await changedIn({ ...layer, root })).map(({ path, what }) => `${what} ${path}`)
}

describe.each(usable)('a view made by %s', (driver) => {
  it('shows the folder as it was, takes every change, and leaves the folder alone', async () => {
    const source = plainFolder({ 'a.txt': 'a', 'sub/b.txt': 'b', 'sub/deep/c.txt': 'c', 'gone/d.txt': 'd' })
    mkdirSync(join(source, 'empty'))
    symlinkSync('a.txt', join(source, 'link'))
    chmodSync(join(source, 'a.txt'), 0o440)
    utimesSync(join(source, 'sub'), 1_000, 1_000)
    const before = { ...contents(source) }
    const untouched = digest(source)
    const record = await places.make(ask({ kind: 'overlay', source, driver }))
    const place = await places.open(record)
    expect(place).toMatchObject({ kind: 'overlay', driver })
    expect(contents(place.root)).toEqual(before)
    expect(statSync(join(place.root, 'a.txt')).mode & 0o777).toBe(0o440)
    expect(statSync(join(place.root, 'sub')).mtimeMs).toBe(1_000_000)
    const script = 'pwd; echo new > new.txt; mv sub/b.txt sub/moved.txt; rm -r gone; echo more >> sub/deep/c.txt'
    expect(await inside(place, script)).toBe(`${place.path}\n`)
    expect(digest(source)).toBe(untouched)
    expect(contents(place.root)).toMatchObject({
      'new.txt': 'new\n',
      'sub/moved.txt': 'b',
      'sub/deep/c.txt': 'cmore\n',
    })
    const { changed, ...rest } = await places.removalRisks(record)
    expect(rest).toEqual({ missing: false, unpushed: 0, underway: null })
    expect(changed).toEqual(expect.arrayContaining(['gone', 'new.txt', 'sub/b.txt', 'sub/deep/c.txt', 'sub/moved.txt']))
    expect(await places.remove(record)).toEqual({ kept: [] })
    expect(digest(source)).toBe(untouched)
    expect(existsSync(record.overlay?.folder ?? '')).toBe(false)
    await expect(places.open(record)).rejects.toMatchObject({ code: 'gone' })
    expect(await places.removalRisks(record)).toMatchObject({ missing: true })
  })

  it('F1: copies folders of every shape, and touches no .git in them', async () => {
    const main = repository()
    const linked = join(top, fresh('linked'))
    git(main, 'worktree', 'add', '-q', '-b', 'side', linked)
    const around = plainFolder({})
    git(around, 'clone', '-q', '--bare', main, '.bare')
    writeFileSync(join(around, '.git'), 'gitdir: ./.bare\n')
    const module = repository()
    git(module, 'submodule', '--quiet', 'add', main, 'module')
    const nested = repository()
    git(nested, 'clone', '-q', main, 'nested')
    const sparse = repository()
    git(sparse, 'sparse-checkout', 'set', 'sub/deep')
    const readOnly = repository()
    chmodSync(join(readOnly, 'sub'), 0o555)
    const shapes = {
      plain: plainFolder(),
      main,
      linked,
      around,
      module,
      nested,
      sparse,
      below: join(main, 'sub'),
      readOnly,
    }
    for (const [shape, source] of Object.entries(shapes)) {
      const untouched = [digest(source), digest(main)]
      const record = await places.make(ask({ kind: 'overlay', source, driver }))
      const place = await places.open(record)
      await places.removalRisks(record)
      const { '.git': pointer, ...rest } = contents(source)
      const expected = shape === 'linked' ? rest : { ...rest, ...(pointer === undefined ? {} : { '.git': pointer }) }
      expect(contents(place.root), shape).toEqual(expected)
      const note = shape === 'linked' ? [expect.stringContaining('lead to a repository outside')] : []
      expect(record.notes, shape).toEqual(note)
      if (['main', 'module', 'nested', 'sparse'].includes(shape))
        await inside(
          place,
          'git -c safe.directory="*" status --porcelain && git -c safe.directory="*" checkout -q -b mine',
        )
      expect([digest(source), digest(main)], shape).toEqual(untouched)
      await places.remove(record)
    }
  })

  it('a link out of the folder, and a pipe in it, are reported', async () => {
    const source = plainFolder({ 'a.txt': 'a' })
    symlinkSync(top, join(source, 'up'))
    await inside({ path: source, enter: [] } as unknown as Place, 'mkfifo pipe')
    const record = await places.make(ask({ kind: 'overlay', source, driver }))
    expect(record.notes).toEqual([
      '1 sockets, pipes or devices were left out (pipe).',
      expect.stringMatching(/^1 links lead out of the folder .*\(up\)\.$/),
    ])
  })
})

describe.runIf(has('overlayfs'))('overlayfs', () => {
  const made = async (files?: Record<string, string>) => {
    const source = plainFolder(files)
    const record = await places.make(ask({ kind: 'overlay', source, driver: 'overlayfs' }))
    return { source, record, place: await places.open(record) }
  }

  it('the upper folder lists exactly what was changed', async () => {
    const files = {
      'a.txt': 'a',
      'touched.txt': 't',
      'opened.txt': 'o',
      'dir/x': 'x',
      'dir/y': 'y',
      'old/z': 'z',
      'as-file': 'f',
      'as-dir/k': 'k',
    }
    const { record, place } = await made(files)
    expect(await changes(record)).toEqual([])
    await inside(place, 'exec 3<>opened.txt; exec 3>&-; chmod 600 touched.txt')
    expect(await changes(record)).toEqual(['written touched.txt'])
    // A recreated folder hides its earlier content.
    await inside(
      place,
      'rm -r dir && mkdir dir && echo n > dir/x && mv old new && rm as-file && mkdir as-file && rm -r as-dir && echo f > as-dir',
    )
    expect(await changes(record)).toEqual([
      'written as-dir',
      'written as-file',
      'written dir/x',
      'removed dir/y',
      'written new',
      'written new/z',
      'removed old',
      'written touched.txt',
    ])
    // Size and time stay the same: only the bytes differ.
    await inside(place, 'echo -n A > tmp && touch -r a.txt tmp && cat tmp > a.txt && touch -r tmp a.txt && rm tmp')
    expect(await changes(record)).toContain('written a.txt')
  })

  it('F8: its path exists only inside the view: a command started outside by mistake fails', async () => {
    const { place } = await made()
    expect(existsSync(place.path)).toBe(false)
    await expect(inside({ ...place, enter: [] }, 'true')).rejects.toThrow()
    const other = await made()
    await expect(inside({ ...place, enter: other.place.enter }, 'true')).rejects.toThrow(/126/)
    await expect(inside(place, 'touch ../beside')).rejects.toThrow(/Read-only/)
  })

  it('the same view is opened again after a restart, with its content and no old process', async () => {
    const { record, place, source } = await made()
    await inside(place, 'rm -r sub && mkdir sub && echo kept > sub/kept')
    const before = contents(place.root)
    await places.close()
    expect(await sweepLedger(w.ledger)).toEqual([])
    const later = world({}, w.parent)
    write(source, { 'a.txt': 'changed meanwhile' })
    const again = await later.places.open(record)
    expect(again.path).toBe(place.path)
    expect(contents(again.root)).toEqual(before)
    expect(again.namespace).toBe((await later.places.open(record)).namespace)
  })

  it('an agent that outlives its server, and those that come after, are in one view', async () => {
    const { record, place } = await made()
    const parts = { cwd: place.path, enter: place.enter, env: { PATH: process.env.PATH ?? '' }, containment }
    const script = 'echo up; read x; cat later; echo mine > mine; echo done; read x'
    const how = { command: '/bin/sh', args: ['-c', script], ledger: w.ledger, label: 'agent', now: Date.now }
    const tree = await spawnTree({ ...parts, ...how })
    const message = () => new Promise<string>((resolve) => tree.stdout.once('data', (chunk) => resolve(`${chunk}`)))
    await message()
    await places.close()
    const again = await world({}, w.parent).places.open(record)
    expect(again.namespace).toBe(place.namespace)
    await inside(again, 'echo later > later')
    const answer = message()
    tree.stdin.write('go\n')
    expect(await answer).toContain('later')
    await expect.poll(() => existsSync(join(again.root, 'mine'))).toBe(true)
    await tree.kill()
    expect(await inside(again, 'cat mine')).toBe('mine\n')
  })

  it('32 concurrent overlays share one frozen folder, which is removed with the last', async () => {
    const own = world()
    const source = plainFolder()
    const all = Array.from({ length: 32 }, (_, index) => ({ id: `prj_${index}` }))
    // The files must be older than the clock's grain, or they count as just changed.
    await expect.poll(() => Date.now() - statSync(join(source, 'sub/deep')).ctimeMs).toBeGreaterThan(200)
    const records = await Promise.all(all.map(({ id }) => own.places.make(own.ask({ kind: 'overlay', source, id }))))
    expect(new Set(records.map(({ overlay }) => overlay?.base)).size).toBe(1)
    const opened = await Promise.all(records.map((record) => own.places.open(record)))
    await Promise.all(opened.map((place, index) => inside(place, `echo ${index} > own; rm a.txt`)))
    for (const [index, { root }] of opened.entries()) {
      expect(readFileSync(join(root, 'own'), 'utf8')).toBe(`${index}\n`)
      expect(existsSync(join(root, 'a.txt'))).toBe(false)
    }
    expect(readFileSync(join(source, 'a.txt'), 'utf8')).toBe('a')
    const [last, ...rest] = records as [PlaceRecord, ...PlaceRecord[]]
    await Promise.all(rest.map((record) => own.places.remove(record)))
    expect(readdirSync(join(own.parent, 'bases'))).toHaveLength(1)
    expect(readFileSync(join((await own.places.open(last)).root, 'own'), 'utf8')).toBe('0\n')
    await own.places.remove(last)
    expect(readdirSync(join(own.parent, 'bases'))).toEqual([])
  })

  it('F8: a view with a missing part is refused, with the next step', async () => {
    const { record } = await made()
    await rename(record.overlay?.base ?? '', join(top, fresh('away')))
    await expect(places.open(record)).rejects.toMatchObject({
      code: 'gone',
      message: expect.stringContaining('is missing'),
    })
  })
})

describe('making', () => {
  it('F8: an unusable requested driver is an error with the reason; nothing is left', async () => {
    const source = plainFolder()
    for (const { name, usable: works } of drivers.filter((one) => !one.usable)) {
      const made = places.make(ask({ kind: 'overlay', source, driver: name }))
      await expect(made).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining(`${name} is not available here`),
      })
      expect(works).toBe(false)
    }
    await expect(places.make(ask({ kind: 'overlay', source, driver: 'zfs' }))).rejects.toMatchObject({
      code: 'bad_input',
    })
    await expect(places.make(ask({ kind: 'overlay', source, branch: 'b' }))).rejects.toMatchObject({
      code: 'bad_input',
    })
    await expect(places.make(ask({ kind: 'overlay', source, id: '../x' }))).rejects.toMatchObject({ code: 'bad_input' })
    const blind = world()
    const path = blind.ask({ kind: 'overlay', source, driver: 'overlayfs', parent: join(top, 'no-tools/places') })
    const { openPlaces } = await import('./places.ts')
    const none = openPlaces({
      dataFolder: join(top, 'no-tools'),
      path: join(top, 'none'),
      env: {},
      containment,
      ledger: w.ledger,
      now: Date.now,
    })
    await expect(none.make(path)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/overlayfs is not available here/),
    })
    const copied = await none.make({ ...path, driver: null })
    expect(copied.driver).not.toBe('overlayfs')
    await none.remove(copied)
  })

  it('a place that a dead server left half made or half removed is cleared before the next is made', async () => {
    const source = repository()
    const first = world()
    const off = new AbortController()
    const record = await first.places.make(first.ask({ kind: 'worktree', source, id: 'prj_half' }))
    const file = join(first.parent, 'prj_half/place.json')
    writeFileSync(file, JSON.stringify({ made: false, record }))
    mkdirSync(join(first.parent, 'bases/.new-half/tree'), { recursive: true })
    mkdirSync(join(first.parent, '.going-half/x'), { recursive: true })
    off.abort()
    const next = world({}, first.parent)
    await next.places.make(next.ask({ kind: 'overlay', source, id: 'prj_whole' }))
    expect(readdirSync(first.parent).sort()).toEqual(['bases', 'prj_whole'])
    expect(readdirSync(join(first.parent, 'bases')).filter((name) => name.startsWith('.'))).toEqual([])
    expect(git(source, 'branch', '--list', 'carrel/*')).toBe('')
  })

  it('a missing folder is gone, not empty', async () => {
    const source = plainFolder()
    await rm(source, { recursive: true })
    await expect(places.make(ask({ kind: 'overlay', source }))).rejects.toMatchObject({ code: 'gone' })
    rmSync(source, { force: true })
  })
})
