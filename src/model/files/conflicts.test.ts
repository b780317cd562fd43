import { describe, expect, it } from 'vitest'
import { globMatches } from '../glob.ts'
import { RunId, SessionId } from '../ids.ts'
import { choose, classify, conflictsOf, DEFAULT_PATH_RULES, onlyLeft, type PathLoss } from './conflicts.ts'
import { type Author, type PlanEntry, PlanRequest } from './history.ts'

const OF_CLASS: Record<string, string[]> = {
  'system block': ['.git/config', 'vendor/x/.git/HEAD', 'sub/.git'],
  'system confirm': [
    '.env',
    'apps/web/.env',
    '.env.local',
    'apps/web/.env.production.local',
    'prod.env',
    '.envrc',
    'secrets/db.txt',
    'deploy/secrets/a/b',
    'secrets.yaml',
    'config/credentials.json',
    '.npmrc',
    'home/.ssh/config',
    'keys/id_ed25519',
    'certs/server.pem',
    'docker-compose.yml',
    'deploy/compose.yaml',
    'docker-compose.override.yml',
    '.github/workflows/ci.yml',
    '.github/actions/setup/action.yml',
    '.gitlab-ci.yml',
    '.circleci/config.yml',
    'Jenkinsfile',
    'azure-pipelines.yml',
  ],
  'platform confirm': [
    'AGENTS.md',
    'packages/a/AGENTS.md',
    'CLAUDE.md',
    'docs/CLAUDE.local.md',
    '.claude/settings.json',
    '.claude/skills/x/SKILL.md',
    '.codex/config.toml',
    'packages/a/.cursor/rules/x.mdc',
    '.mcp.json',
    '.cursorrules',
    'opencode.json',
    '.github/copilot-instructions.md',
    '.github/prompts/x.md',
    'prompts/x',
    'prompts/deep/er/x.md',
    'skills/x/SKILL.md',
    'review.prompt.md',
  ],
  'work allow': [
    'tsconfig.json',
    '.vscode/settings.json',
    '.environment',
    'docs/secrets-of-x.md',
    'dialogs/x',
    'src/agents/x',
    'src/prompts/x',
    'src/skills/x.ts',
    'catalogs/x.json',
    'ui.logic.ts',
    'settings.json',
    'config.json',
    '.env.example',
    'apps/web/.env.template',
    'src/environment.ts',
    'src/credentials.ts',
    'src/key.ts',
    'src/composer.yml',
    'src/logs/reader.ts',
    'src/build/x.ts',
    'src/tmp/x',
    'a.git/x',
    'gitlab-ci.yml',
    'agents.md',
    'monkey.pemx',
    'docs/AGENTS.md.txt',
    '.github/CODEOWNERS',
  ],
  'temporary allow': [
    'tmp/x',
    'temp/a/b',
    'logs/today',
    'dist/index.js',
    'packages/a/dist/index.js',
    'a/node_modules/b/index.js',
    '.cache/x',
    'src/__pycache__/x.pyc',
    'server.log',
    'src/deep/server.log',
    'coverage/lcov.info',
    '.next/x',
    'a/.DS_Store',
  ],
}

const cases = Object.entries(OF_CLASS).flatMap(([words, paths]) => paths.map((path) => [path, words] as const))

it('the table is worth its name', () => expect(cases.length).toBeGreaterThanOrEqual(60))

it.each(cases)('%s: %s', (path, words) => {
  const verdict = classify(path, DEFAULT_PATH_RULES, globMatches)
  expect(`${verdict.class} ${verdict.action}`).toBe(words)
})

it('the first rule that matches decides, and everything else is work', () => {
  const rules = [
    { glob: 'a/b/**', class: 'work', action: 'allow' },
    { glob: 'a/**', class: 'system', action: 'block' },
  ] as const
  expect(classify('a/b/c', rules, globMatches)).toMatchObject({ class: 'work', glob: 'a/b/**' })
  expect(classify('a/c', rules, globMatches)).toMatchObject({ class: 'system', action: 'block', glob: 'a/**' })
  expect(classify('x/a/c', rules, globMatches)).toEqual({ class: 'work', action: 'allow', glob: null })
})

const run = RunId.parse(`run_${'1'.repeat(26)}`)
const session = SessionId.parse(`ses_${'1'.repeat(26)}`)
const by: Author = { kind: 'run', run, session }

describe('every reason has its kind', () => {
  const guard = {
    rules: DEFAULT_PATH_RULES,
    active: [{ run, session, paths: ['a', 'tmp/a', 'd'] }],
    matches: globMatches,
  }
  const loss = (part: Partial<PathLoss>): PathLoss => ({
    path: 'b',
    folder: false,
    taken: null,
    conflict: 0,
    among: [],
    unwatched: [],
    gap: null,
    onlyCopy: false,
    ...part,
  })
  const kinds = (part: Partial<PathLoss>) => conflictsOf(loss(part), guard).map(({ kind }) => kind)

  it.each<[string, Partial<PathLoss>, string[]]>([
    ['nothing speaks against it', {}, []],
    ['taken', { taken: { by, at: 1 } }, ['others_work']],
    ['conflict', { conflict: 2 }, ['merge_conflict']],
    ['uncertain', { among: [run] }, ['uncertain']],
    ['unwatched', { unwatched: [run] }, ['unwatched']],
    ['gap', { gap: 'ignored' }, ['gap']],
    ['class', { path: '.env' }, ['file_rule']],
    ['in use', { path: 'a' }, ['in_use']],
    [
      'all at once',
      { path: 'a', conflict: 1, taken: { by, at: 1 }, among: [run] },
      ['merge_conflict', 'others_work', 'uncertain', 'in_use'],
    ],
    ['temporary: who used or made it is no question', { path: 'tmp/a', among: [run], unwatched: [run] }, []],
    ['temporary: but bytes of others are', { path: 'tmp/a', taken: { by, at: 1 } }, ['others_work']],
    ['only copy', { onlyCopy: true }, ['only_copy']],
    ['temporary: but an only copy is', { path: 'tmp/a', onlyCopy: true }, ['only_copy']],
    ['a folder has no bytes', { path: '.claude', folder: true }, []],
    ['a folder has no bytes, in use', { path: 'd', folder: true }, []],
  ])('%s', (_, part, expected) => expect(kinds(part)).toEqual(expected))
})

describe('who carries out a plan names what is conflicts', () => {
  const file = { kind: 'file', digest: 'x', mode: 0o644, size: 1 } as const
  const folder = { kind: 'folder', digest: null, mode: 0o755, size: 0 } as const
  const entry = (path: string, part: Partial<PlanEntry> = {}): PlanEntry => ({
    path,
    now: file,
    next: { ...file, digest: 'y' },
    how: 'write',
    author: null,
    conflicts: [],
    ...part,
  })
  const taken: PlanEntry['conflicts'] = [{ kind: 'others_work', by, at: 1 }]
  const plan = (...entries: PlanEntry[]) => ({
    request: PlanRequest.parse({ kind: 'restore', to: 1 }),
    entries,
    gaps: [],
    digest: '',
  })
  const open = (path: string) =>
    expect.objectContaining({ code: 'conflict', data: { conflicts: [expect.objectContaining({ path })] } })

  it('free paths are written without a name', () => {
    expect(choose(plan(entry('a')), { overwrite: [], leave: [] })).toMatchObject({ write: [{ path: 'a' }], left: [] })
  })
  it('a conflicts path that nobody named stops all, and is told', () => {
    const two = plan(entry('a'), entry('b', { conflicts: taken }))
    expect(() => choose(two, { overwrite: [], leave: [] })).toThrow(open('b'))
    expect(choose(two, { overwrite: ['b'], leave: [] }).write).toHaveLength(2)
    expect(choose(two, { overwrite: [], leave: ['b'] })).toMatchObject({ write: [{ path: 'a' }], left: ['b'] })
  })
  it('F2: one decision serves all paths that were written while no server looked, and no other path', () => {
    const unwatched: PlanEntry['conflicts'] = [{ kind: 'unwatched', among: [run] }]
    const cut = plan(entry('a'), entry('b', { conflicts: unwatched }), entry('c', { conflicts: unwatched }))
    expect(() => choose(cut, { overwrite: [], leave: [] })).toThrow(/`unwatched`/)
    expect(choose(cut, { overwrite: [], leave: [], unwatched: 'overwrite' })).toMatchObject({ left: [] })
    expect(choose(cut, { overwrite: [], leave: [], unwatched: 'leave' })).toMatchObject({ left: ['b', 'c'] })
    expect(choose(cut, { overwrite: [], leave: ['c'], unwatched: 'overwrite' })).toMatchObject({ left: ['c'] })
    expect(choose(cut, { overwrite: ['c'], leave: [], unwatched: 'leave' })).toMatchObject({ left: ['b'] })
    const more = plan(...cut.entries, entry('d', { conflicts: [...unwatched, ...taken] }))
    expect(() => choose(more, { overwrite: [], leave: [], unwatched: 'overwrite' })).toThrow(open('d'))
  })
  it('what a rule blocks, and what has no way back, can only be left', () => {
    const blocked = entry('a', { conflicts: [{ kind: 'file_rule', class: 'system', action: 'block', pattern: 'a' }] })
    const lost = entry('b', { conflicts: [{ kind: 'gap', why: 'too_large' }] })
    expect([blocked, lost, entry('c', { conflicts: taken })].map(onlyLeft)).toEqual([true, true, false])
    for (const one of [blocked, lost])
      expect(() => choose(plan(one), { overwrite: [one.path], leave: [] })).toThrow(open(one.path))
  })
  it('a name that is not in the plan, or is there twice, is bad input', () => {
    const one = plan(entry('a', { conflicts: taken }))
    const bad = expect.objectContaining({ code: 'bad_input' })
    expect(() => choose(one, { overwrite: ['a', 'x'], leave: [] })).toThrow(bad)
    expect(() => choose(one, { overwrite: ['a'], leave: ['a'] })).toThrow(bad)
  })
  it('F2: content stays that would only move to a path that is left, unless its path is named', () => {
    const holds = (digest: string) => ({ ...file, digest })
    const a = entry('a', { now: holds('1'), next: null })
    const b = entry('b', { now: holds('2'), next: holds('1'), conflicts: taken })
    const c = entry('c', { now: holds('3'), next: holds('2') })
    const leaving = (overwrite: string[], ...more: PlanEntry[]) =>
      choose(plan(a, b, c, ...more), { overwrite, leave: ['b'] })
    expect(leaving([])).toMatchObject({ write: [{ path: 'c' }], left: ['a', 'b'] })
    expect(leaving(['a'])).toMatchObject({ left: ['b'] })
    expect(leaving([], entry('d', { now: null, next: holds('1') }))).toMatchObject({ left: ['b'] })
    const circle = plan(
      entry('a', { now: holds('1'), next: holds('2'), conflicts: taken }),
      entry('b', { now: holds('2'), next: holds('3') }),
      entry('c', { now: holds('3'), next: holds('1') }),
    )
    expect(choose(circle, { overwrite: [], leave: ['a'] })).toMatchObject({ write: [], left: ['a', 'b', 'c'] })
  })
  it('a folder that keeps something stays', () => {
    const down = plan(
      entry('d', { now: folder, next: null, how: 'delete' }),
      entry('d/a', { next: null, how: 'delete' }),
      entry('d/b', { next: null, how: 'delete', conflicts: taken }),
    )
    expect(choose(down, { overwrite: [], leave: ['d/b'] })).toMatchObject({
      write: [{ path: 'd/a' }],
      left: ['d', 'd/b'],
    })
  })
  it('what changes its kind goes with what lies in it', () => {
    const swap = plan(entry('d', { next: folder, conflicts: taken }), entry('d/a', { now: null, conflicts: taken }))
    expect(() => choose(swap, { overwrite: ['d/a'], leave: ['d'] })).toThrow(open('d/a'))
    expect(choose(swap, { overwrite: [], leave: ['d', 'd/a'] }).write).toEqual([])
    const back = plan(entry('d', { now: folder, conflicts: taken }), entry('d/a', { next: null, conflicts: taken }))
    expect(() => choose(back, { overwrite: ['d'], leave: ['d/a'] })).toThrow(open('d'))
  })
})
