import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type ActWorld,
  openActWorld,
  restoreTo,
  undoOf,
  undoOfAct,
  undoOfSession,
} from '../../../../test/support/act-world.ts'
import { run, session, writer } from '../../../../test/support/history-world.ts'
import { DEFAULT_PATH_RULES } from '../../../model/files/conflicts.ts'
import type { Plan } from '../../../model/files/history.ts'

const FIVE = 'one\n\ntwo\n\nthree\n\nfour\n\nfive\n'

async function edit(world: ActWorld, change: readonly [from: string, to: string], by: string[]) {
  world.write('a.txt', world.read('a.txt').replace(...change))
  await world.look(by)
}

const summary = (plan: Plan) =>
  plan.entries.map(({ path, how, conflicts }) => [path, how, ...conflicts.map(({ kind }) => kind)].join(' '))

describe('undo by content', () => {
  it('F2: where a run’s file was another author’s folder in between, each path is in the plan once and everything returns', async () => {
    await using world = await openActWorld({})
    world.write('f', 'a 0\n')
    await world.look(['a'])
    const at = join(world.root, 'f')
    rmSync(at)
    world.write('f/in', 'by a person\n')
    await world.look([])
    rmSync(at, { recursive: true })
    world.write('f', 'a 1\n')
    await world.look(['a'])
    const { entries } = await world.plan(undoOf('a'))
    expect(entries.map(({ path, next }) => [path, next?.kind])).toEqual([
      ['f', 'folder'],
      ['f/in', 'file'],
    ])
    expect(entries.every(({ conflicts }) => conflicts.length > 0)).toBe(true)
    await world.act(undoOf('a'), ['f', 'f/in'])
    expect(world.seen()).toEqual({ f: 'folder 755', 'f/in': 'file 644 by a person\n' })
  })

  it('F2: two agents and a person write one file in turns; undoing one keeps the others’ lines', async () => {
    await using world = await openActWorld({ 'a.txt': FIVE })
    await edit(world, ['one', 'ONE by A'], ['a'])
    await edit(world, ['two', 'TWO by B'], ['b'])
    await edit(world, ['three', 'THREE by me'], [])
    await edit(world, ['four', 'FOUR by A'], ['a'])
    await edit(world, ['five', 'FIVE by B'], ['b'])
    expect(summary(await world.plan(undoOf('a')))).toEqual(['a.txt merge'])
    expect(await world.act(undoOf('a'))).toMatchObject({ written: ['a.txt'], left: [], taken: [] })
    expect(world.read('a.txt')).toBe('one\n\nTWO by B\n\nTHREE by me\n\nfour\n\nFIVE by B\n')
    await world.act(undoOf('b'))
    expect(world.read('a.txt')).toBe('one\n\ntwo\n\nTHREE by me\n\nfour\n\nfive\n')
  })

  it('F2: the other order keeps the others too', async () => {
    await using world = await openActWorld({ 'a.txt': FIVE })
    await edit(world, ['one', 'ONE by A'], ['a'])
    await edit(world, ['two', 'TWO by B'], ['b'])
    await edit(world, ['three', 'THREE by me'], [])
    await world.act(undoOf('b'))
    expect(world.read('a.txt')).toBe('ONE by A\n\ntwo\n\nTHREE by me\n\nfour\n\nfive\n')
  })

  it('F2: lines that somebody else changed since are a conflict: nothing is written unless named, and then the whole', async () => {
    await using world = await openActWorld({ 'a.txt': FIVE, 'b.txt': 'b\n' })
    world.write('b.txt', 'b by A\n')
    await edit(world, ['one', 'ONE by A'], ['a'])
    await edit(world, ['ONE by A', 'ONE by B'], ['b'])
    const plan = await world.plan(undoOf('a'))
    expect(plan.entries).toMatchObject([
      {
        path: 'a.txt',
        how: 'write',
        author: { kind: 'run', run: run('b') },
        conflicts: [
          { kind: 'merge_conflict', hunks: 1 },
          { kind: 'others_work', by: { kind: 'run', run: run('b'), session: session('b') } },
        ],
      },
      { path: 'b.txt', conflicts: [] },
    ])
    await expect(world.applyPlan(plan)).rejects.toMatchObject({
      code: 'conflict',
      data: { conflicts: [{ path: 'a.txt' }] },
    })
    expect(world.read('b.txt')).toBe('b by A\n')
    expect(await world.applyPlan(plan, { leave: ['a.txt'] })).toMatchObject({ written: ['b.txt'], left: ['a.txt'] })
    expect(world.read('a.txt')).toContain('ONE by B')
    const act = await world.act(undoOf('a'), ['a.txt'])
    expect(world.read('a.txt')).toBe(FIVE)
    expect(act.taken).toMatchObject([{ author: { run: run('b') }, paths: ['a.txt'] }])
  })

  it('F2: what several may have written is undone only if named', async () => {
    await using world = await openActWorld({ 'a.txt': FIVE })
    world.write('a.txt', FIVE.toUpperCase())
    await world.look(['a', 'b'])
    expect((await world.plan(undoOf('a'))).entries).toMatchObject([
      { path: 'a.txt', conflicts: [{ kind: 'uncertain', among: [run('a'), run('b')] }] },
    ])
    await world.act(undoOf('b'), ['a.txt'])
    expect(world.read('a.txt')).toBe(FIVE)
  })

  it('F2: of several at work, the one that named a path is its author', async () => {
    await using world = await openActWorld({ 'a.txt': 'a\n', 'b.txt': 'b\n' })
    world.write('a.txt', 'A\n')
    world.write('b.txt', 'B\n')
    await world.look([], { writers: [writer('a', ['a.txt']), writer('b', ['b.txt'])] })
    expect(summary(await world.plan(undoOf('a')))).toEqual(['a.txt write'])
  })

  it('what is already as it should be is not in the plan', async () => {
    await using world = await openActWorld({ 'a.txt': 'a\n' })
    world.write('a.txt', 'A\n')
    await world.look(['a'])
    world.write('a.txt', 'a\n')
    expect((await world.plan(undoOf('a'))).entries).toEqual([])
    const act = await world.act(undoOf('a'))
    expect(act.before).toBe(act.after)
  })

  it('a session is undone with all its runs, and a snapshot with all its authors', async () => {
    await using world = await openActWorld({ 'a.txt': FIVE, 'b.txt': 'b\n' })
    const of = (name: string) => ({ writers: [{ ...writer(name), session: session('s') }] })
    world.write('a.txt', FIVE.replace('one', 'ONE'))
    await world.look([], of('r1'))
    await edit(world, ['three', 'THREE by me'], [])
    world.write('b.txt', 'B\n')
    world.write('a.txt', world.read('a.txt').replace('five', 'FIVE'))
    const n = await world.look([], of('r2'))
    expect(summary(await world.plan({ kind: 'undo', of: { kind: 'snapshot', n } }))).toEqual([
      'a.txt write',
      'b.txt write',
    ])
    await world.act(undoOfSession('s'))
    expect(world.read('a.txt')).toBe(FIVE.replace('three', 'THREE by me'))
    expect(world.read('b.txt')).toBe('b\n')
  })

  it('a mode that was changed goes back, and content that came since stays', async () => {
    await using world = await openActWorld({ 'a.txt': 'a\n' })
    chmodSync(join(world.root, 'a.txt'), 0o600)
    await world.look(['a'])
    world.write('a.txt', 'by me\n')
    await world.look()
    await world.act(undoOf('a'))
    expect(world.seen()).toEqual({ 'a.txt': 'file 644 by me\n' })
  })

  it('a rename is taken back on both sides', async () => {
    await using world = await openActWorld({ 'd/a.txt': 'a\n', keep: 'k' })
    const before = world.seen()
    mkdirSync(join(world.root, 'e'))
    renameSync(join(world.root, 'd/a.txt'), join(world.root, 'e/b.txt'))
    rmSync(join(world.root, 'd'), { recursive: true })
    await world.look(['a'])
    expect(summary(await world.plan(undoOf('a')))).toEqual(['d write', 'd/a.txt write', 'e delete', 'e/b.txt delete'])
    await world.act(undoOf('a'))
    expect(world.seen()).toEqual(before)
  })

  it('F2: what was moved and cannot go back to where it was is not taken from where it is', async () => {
    await using world = await openActWorld({ 'a.txt': 'by me\n' })
    renameSync(join(world.root, 'a.txt'), join(world.root, 'b.txt'))
    await world.look(['a'])
    world.write('a.txt', 'by me, anew\n')
    await world.look()
    expect(summary(await world.plan(undoOf('a')))).toEqual([
      'a.txt write merge_conflict others_work',
      'b.txt delete merge_conflict others_work',
    ])
    await world.act(undoOf('a'))
    expect([world.read('a.txt'), world.read('b.txt')]).toEqual(['by me, anew\n', 'by me\n'])
  })

  it('F2: a folder that somebody else put something into stays', async () => {
    await using world = await openActWorld({ keep: 'k' })
    world.write('d/e/by-a', 'a')
    await world.look(['a'])
    world.write('d/by-me', 'mine')
    await world.look()
    expect(summary(await world.plan(undoOf('a')))).toEqual(['d/e delete', 'd/e/by-a delete'])
    await world.act(undoOf('a'))
    expect(Object.keys(world.seen()).sort()).toEqual(['d', 'd/by-me', 'keep'])
  })

  it('F2: a folder that holds what the history leaves out stays', async () => {
    await using world = await openActWorld({ keep: 'k' })
    world.write('d/by-a', 'a')
    await world.look(['a'])
    world.write('d/node_modules/x', 'not covered')
    await world.act(undoOf('a'))
    expect(Object.keys(world.seen()).sort()).toEqual(['d', 'd/node_modules', 'd/node_modules/x', 'keep'])
  })

  it('a folder above that is needed and gone comes back', async () => {
    await using world = await openActWorld({ 'd/e/a.txt': 'a\n', 'd/b': 'b' })
    chmodSync(join(world.root, 'd'), 0o750)
    const to = await world.look()
    rmSync(join(world.root, 'd'), { recursive: true })
    await world.look(['a'])
    await world.act({ kind: 'undo', of: { kind: 'run', run: run('a') }, paths: ['d/e/a.txt'] })
    expect(world.seen()).toMatchObject({ d: 'folder 750', 'd/e': 'folder 755', 'd/e/a.txt': 'file 644 a\n' })
    expect(to).toBeGreaterThan(0)
  })

  it('undoing an unknown act is not found', async () => {
    await using world = await openActWorld({})
    await expect(world.plan(undoOfAct({ id: 'act_none' } as never))).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('restore', () => {
  it('F2: takes what the one session did, and asks for what others did', async () => {
    await using world = await openActWorld({ a: '1', b: '1', c: '1' })
    const to = await world.look()
    world.write('a', 'by A')
    world.write('b', 'by A')
    await world.look(['a'])
    world.write('b', 'by me')
    world.write('c', 'by me')
    await world.look()
    expect(summary(await world.plan(restoreTo(to)))).toEqual(['a write', 'b write others_work', 'c write others_work'])
    await world.act(restoreTo(to))
    expect([world.read('a'), world.read('b'), world.read('c')]).toEqual(['1', 'by me', 'by me'])
    await world.act(restoreTo(to), ['b', 'c'])
    expect([world.read('a'), world.read('b'), world.read('c')]).toEqual(['1', '1', '1'])
  })

  it('F2: where two sessions worked, each path of theirs is asked for', async () => {
    await using world = await openActWorld({ a: '1', b: '1' })
    const to = await world.look()
    world.write('a', 'by A')
    await world.look(['a'])
    world.write('b', 'by B')
    await world.look(['b'])
    expect(summary(await world.plan(restoreTo(to)))).toEqual(['a write others_work', 'b write others_work'])
  })

  it('F2: a write in between is asked about, whatever was written last', async () => {
    await using world = await openActWorld({ a: '1' })
    const to = await world.look()
    world.write('a', 'by me')
    await world.look()
    world.write('a', 'by A')
    await world.look(['a'])
    expect(summary(await world.plan(restoreTo(to)))).toEqual(['a write others_work'])
  })

  it('a thinned out snapshot is gone', async () => {
    await using world = await openActWorld({ a: '1' })
    await expect(world.plan(restoreTo(7))).rejects.toMatchObject({ code: 'gone' })
  })
})

describe('apply', () => {
  it('F2: applies a project’s changes, merges them with the Space, and asks where both changed the same lines', async () => {
    await using world = await openActWorld({ 'a.txt': FIVE, 'b.txt': 'b\n', 'same.txt': 's\n', '.env': 'K=1\n' })
    const theirs = await world.another('two', { 'a.txt': FIVE, 'b.txt': 'b\n', 'same.txt': 's\n', '.env': 'K=1\n' })
    const request = { kind: 'apply', from: 'prj_two' } as never
    const source = { key: theirs.key, base: await theirs.look(), writers: [] }
    theirs.write('a.txt', FIVE.replace('five', 'FIVE of the project'))
    theirs.write('b.txt', 'b of the project\n')
    theirs.write('same.txt', 'S\n')
    theirs.write('new/c.txt', 'c\n')
    theirs.write('.env', 'K=2\n')
    await theirs.look(['p'])
    world.write('a.txt', FIVE.replace('one', 'ONE of mine'))
    world.write('b.txt', 'b of mine\n')
    world.write('same.txt', 'S\n')
    await world.look()
    const more = { source, paths: DEFAULT_PATH_RULES }
    expect(summary(await world.plan(request, more))).toEqual([
      '.env write file_rule',
      'a.txt merge',
      'b.txt write merge_conflict others_work',
      'new write',
      'new/c.txt write',
    ])
    const act = await world.act(request, ['.env'], more)
    expect(world.read('a.txt')).toBe(FIVE.replace('one', 'ONE of mine').replace('five', 'FIVE of the project'))
    expect([world.read('b.txt'), world.read('new/c.txt'), world.read('.env')]).toEqual(['b of mine\n', 'c\n', 'K=2\n'])
    await world.act(undoOfAct(act))
    expect(world.read('a.txt')).toBe(FIVE.replace('one', 'ONE of mine'))
    expect(Object.keys(world.seen()).sort()).toEqual(['.env', 'a.txt', 'b.txt', 'same.txt'])
  })

  it('B1: only a project’s own place is applied, and only an open one', async () => {
    await using world = await openActWorld({ a: '1' })
    const request = { kind: 'apply', from: 'prj_two' } as never
    await expect(world.plan(request)).rejects.toMatchObject({ code: 'bad_input' })
    const source = { key: 'project:two', base: 1, writers: [] }
    await expect(world.plan(request, { source })).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('a plan', () => {
  it('F3: is the same for the same files, and differs for others', async () => {
    await using world = await openActWorld({ a: '1', b: '1' })
    world.write('a', '2')
    world.write('b', '2')
    await world.look(['a'])
    const { digest } = await world.plan(undoOf('a'))
    expect((await world.plan(undoOf('a'))).digest).toBe(digest)
    expect((await world.plan({ ...undoOf('a'), paths: ['a'] })).digest).not.toBe(digest)
    world.write('b', '3')
    expect((await world.plan(undoOf('a'))).digest).not.toBe(digest)
  })

  it('lists the objections of rules and of runs at work', async () => {
    await using world = await openActWorld({ '.env': '1', 'src/a.ts': '1', b: '1' })
    for (const path of ['.env', 'src/a.ts', 'b']) world.write(path, '2')
    await world.look(['a'])
    const active = [{ run: run('b'), session: session('b'), paths: ['src/a.ts'] }]
    expect(summary(await world.plan(undoOf('a'), { active, paths: DEFAULT_PATH_RULES }))).toEqual([
      '.env write file_rule',
      'b write',
      'src/a.ts write in_use',
    ])
    const blocked = [{ glob: 'b', class: 'system', action: 'block' } as const]
    await expect(world.act(undoOf('a'), ['b'], { paths: blocked })).rejects.toMatchObject({ code: 'conflict' })
    expect(world.read('b')).toBe('2')
  })

  it('F5: lists uncovered paths, and never writes a file that it could not restore', async () => {
    await using world = await openActWorld({ a: '1', 'node_modules/x': '1' })
    world.write('a', '2')
    await world.look(['a'])
    world.write('b', 'mine')
    await world.look()
    world.write('a', Buffer.alloc(33 * 1024 * 1024))
    const plan = await world.plan(undoOf('a'))
    expect(plan.gaps).toMatchObject([
      { path: 'a', why: 'too_large' },
      { path: 'node_modules', why: 'ignored' },
    ])
    expect(plan.entries[0]?.conflicts).toContainEqual({ kind: 'gap', why: 'too_large' })
    await expect(world.applyPlan(plan, { overwrite: ['a'] })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('F2: a folder that became a link is never followed', async () => {
    await using world = await openActWorld({ 'd/a': '1', 'elsewhere/a': 'mine' })
    world.write('d/a', '2')
    await world.look(['a'])
    rmSync(join(world.root, 'd'), { recursive: true })
    symlinkSync('elsewhere', join(world.root, 'd'))
    await world.look()
    const plan = await world.plan(undoOf('a'))
    expect(plan.entries[0]?.conflicts).toContainEqual({ kind: 'gap', why: '"d" is not a folder now' })
    await expect(world.applyPlan(plan, { overwrite: ['d/a'] })).rejects.toMatchObject({ code: 'conflict' })
    expect(world.read('elsewhere/a')).toBe('mine')
  })

  it('a path that becomes a folder, or was one, is planned with everything in it', async () => {
    await using world = await openActWorld({ d: 'a file' })
    rmSync(join(world.root, 'd'))
    world.write('d/a', 'by A')
    await world.look(['a'])
    expect(summary(await world.plan(undoOf('a')))).toEqual(['d write', 'd/a delete'])
    world.write('d/a', 'by me')
    await world.look()
    const plan = await world.plan(undoOf('a'))
    expect(summary(plan)).toEqual(['d write merge_conflict others_work', 'd/a delete merge_conflict others_work'])
    await expect(world.applyPlan(plan, { overwrite: ['d'], leave: ['d/a'] })).rejects.toMatchObject({
      code: 'conflict',
    })
    world.write('d/b', 'by me too')
    await world.look()
    const stuck = await world.plan(undoOf('a'))
    expect(stuck.entries[0]?.conflicts).toContainEqual({ kind: 'gap', why: 'the folder is not empty' })
  })
})
