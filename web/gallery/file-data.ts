import { structuredPatch } from 'diff'
import type { Output } from '../../src/api/index.ts'
import type {
  Act,
  Author,
  FileDiff,
  FileState,
  HistoryStatus,
  Hunk,
  Plan,
  PlanEntry,
  Snapshot,
} from '../../src/model/files/history.ts'
import type { Touched } from '../files/groups.ts'
import { ADA, tail } from './example-log.ts'

/** Fixed answers of a server about files, for the examples. */
export const session = (n: number) => `ses_${tail(n)}` as never
const run = (n: number) => `run_${tail(n)}` as never

export const MINE: Author = { kind: 'run', run: run(1), session: session(1) }
export const OTHER: Author = { kind: 'run', run: run(2), session: session(2) }
export const PERSON: Author = { kind: 'outside' }
const SEVERAL: Author = { kind: 'unknown', among: [run(1), run(2)] }
const ONE_OR_OTHER: Author = { kind: 'unknown', among: [run(1)] }
const ACT: Author = { kind: 'act', act: `act_${tail(1)}` as never, by: ADA }

export const state = (digest: string, size = 240, mode = 0o644): FileState => ({ kind: 'file', digest, mode, size })

export const status = (patch: Partial<HistoryStatus> = {}): HistoryStatus => ({
  state: 'ready',
  progress: null,
  n: 12,
  files: 1_204,
  snapshots: 12,
  bytes: 2_400_000,
  gaps: 3,
  watching: true,
  problem: null,
  ...patch,
})

export const touched = (path: string, more: Partial<Touched> = {}): Touched => ({
  path,
  before: state('a'),
  after: state('b'),
  author: MINE,
  certainty: 'sole',
  times: 1,
  changedSince: false,
  ...more,
})

export const CHANGES: Touched[] = [
  touched('README.md'),
  touched('src/beds.ts', { times: 4 }),
  touched('src/water.ts', { before: null }),
  touched('src/old/drought.ts', { after: null }),
  touched('src/plan.ts', { changedSince: true }),
  touched('run.sh', { before: state('a', 40, 0o644), after: state('a', 40, 0o755) }),
]

export const BY_MANY: Touched[] = [
  ...CHANGES.slice(0, 3),
  touched('src/beds.ts', { author: OTHER, certainty: 'reported' }),
  touched('notes.txt', { author: PERSON, certainty: 'external' }),
  touched('lock.json', { author: SEVERAL, certainty: 'overlapping' }),
  touched('seeds.csv', { author: ONE_OR_OTHER, certainty: 'unwatched' }),
  touched('src/plan.ts', { author: ACT, certainty: 'external' }),
]

export const MANY: Touched[] = Array.from({ length: 500 }, (_, at) =>
  touched(`beds/row-${String(at % 25).padStart(2, '0')}/bed-${String(at).padStart(3, '0')}.ts`),
).sort((a, b) => (a.path < b.path ? -1 : 1))

export const EXTREME: Touched[] = [
  touched(`src/${'a-folder-with-a-long-name/'.repeat(8)}the-file-at-the-end-of-it-which-is-long-too.test.ts`),
  touched(`${'x'.repeat(180)}.ts`),
  touched('مزرعة/خطة الحديقة.txt'),
  touched('a name with \udcff no text.bin'),
  touched('link', { after: { kind: 'link', digest: 'c', mode: 0o777, size: 12 } }),
  touched('empty folder', { before: null, after: { kind: 'folder', digest: null, mode: 0o755, size: 0 } }),
]

export const BEFORE = `import { rain } from '../stories/weather.ts'

export interface Bed {
  readonly name: string
  readonly water: number
}

/** Beds that need water today. */
export function dry(beds: readonly Bed[]): Bed[] {
  return beds.filter((bed) => bed.water < 2)
}

export function total(beds: readonly Bed[]): number {
  let sum = 0
  for (const bed of beds) sum = sum + bed.water
  return sum
}

${Array.from({ length: 30 }, (_, at) => `export const row${at} = ${at}`).join('\n')}

export function report(beds: readonly Bed[]): string {
  return beds.map((bed) => bed.name).join(', ')
}
`
export const AFTER = BEFORE.replace('bed.water < 2)', 'bed.water < 2 && !rain(bed.name))')
  .replace(
    '  let sum = 0\n  for (const bed of beds) sum = sum + bed.water\n  return sum\n',
    '  return beds.reduce((sum, { water }) => sum + water, 0)\n',
  )
  .replace("bed.name).join(', ')", "bed.name.padEnd(12)).join('\\n')")

export function diffOf(
  path: string,
  before: string | null,
  after: string | null,
  authors: Author[] = [MINE],
): FileDiff {
  const patch = structuredPatch('a', 'b', before ?? '', after ?? '', '', '', { context: 3 })
  const hunks = (patch?.hunks ?? []).map(
    ({ oldStart, oldLines, newStart, newLines, lines }, at): Hunk => ({
      ...{ oldStart, oldLines, newStart, newLines, lines },
      author: authors[at % authors.length] ?? null,
    }),
  )
  return {
    path,
    before: before === null ? null : state('a', before.length),
    after: after === null ? null : state('b', after.length),
    content: 'text',
    hunks,
    texts: { before: before ?? '', after: after ?? '' },
  }
}

export const DIFF = diffOf('src/beds.ts', BEFORE, AFTER, [MINE, OTHER, PERSON])
export const bare = (content: FileDiff['content'], more: Partial<FileDiff> = {}): FileDiff => ({
  path: 'picture.png',
  before: state('a', 40_000),
  after: state('b', 52_400),
  content,
  hunks: [],
  texts: null,
  ...more,
})

export const snapshots = (now: number): Snapshot[] =>
  (
    [
      [12, 'run_end', MINE, 1, 2, 0, false],
      [11, 'tool', MINE, 0, 3, 0, false],
      [10, 'outside', PERSON, 0, 1, 0, true],
      [9, 'act', ACT, 0, 4, 1, false],
      [8, 'before_act', null, 2, 14, 0, false],
      [7, 'tool', OTHER, 120, 0, 37, false],
      [1, 'opened', null, 1_204, 0, 0, false],
    ] as const
  ).map(([n, reason, author, created, modified, deleted, pinned]) => ({
    n,
    at: now - (12 - n) * 3_900_000,
    reason,
    author,
    counts: { created, modified, deleted },
    pinned,
  }))

const entry = (path: string, more: Partial<PlanEntry> = {}): PlanEntry => ({
  path,
  now: state('b'),
  next: state('a'),
  how: 'write',
  author: MINE,
  conflicts: [],
  ...more,
})

export const plan = (now: number): Plan => ({
  request: { kind: 'undo', of: { kind: 'session', session: session(1) } },
  entries: [
    entry('.env', { conflicts: [{ kind: 'file_rule', class: 'system', action: 'block', pattern: '**/.env' }] }),
    entry('AGENTS.md', {
      conflicts: [{ kind: 'file_rule', class: 'platform', action: 'confirm', pattern: 'AGENTS.md' }],
    }),
    entry('README.md'),
    entry('lock.json', { author: SEVERAL, conflicts: [{ kind: 'uncertain', among: [run(1), run(2)] }] }),
    entry('seeds.csv', { author: ONE_OR_OTHER, conflicts: [{ kind: 'unwatched', among: [run(1)] }] }),
    entry('seeds.md', { author: ONE_OR_OTHER, conflicts: [{ kind: 'unwatched', among: [run(1)] }] }),
    entry('src/beds.ts', {
      author: OTHER,
      conflicts: [
        { kind: 'others_work', by: OTHER, at: now - 600_000 },
        { kind: 'in_use', run: run(2), session: session(2) },
      ],
    }),
    entry('src/old/drought.ts', { now: null, author: null }),
    entry('src/plan.ts', { how: 'merge', author: PERSON }),
    entry('src/rows.ts', { author: PERSON, conflicts: [{ kind: 'merge_conflict', hunks: 2 }] }),
    entry('src/water.ts', { next: null, how: 'delete' }),
  ],
  gaps: [
    { path: 'node_modules', why: 'ignored', bytes: 184_000_000, files: 21_404 },
    { path: 'film.mov', why: 'too_large', bytes: 2_147_000_000, files: null },
    { path: 'run.sock', why: 'special', bytes: null, files: null },
  ],
  digest: 'one',
})

export const act = (now: number): Act => ({
  id: `act_${tail(2)}` as never,
  request: { kind: 'undo', of: { kind: 'session', session: session(1) } },
  by: ADA,
  at: now,
  before: 12,
  after: 13,
  written: ['README.md', 'src/beds.ts', 'src/plan.ts'],
  left: ['src/rows.ts'],
  taken: [{ author: OTHER, paths: ['src/beds.ts'] }],
  applied: null,
})

export const RULES: Output<'fileRules.get'>['rules'] = {
  ignore: ['node_modules/', 'dist/', '!.env'],
  useGitignore: true,
  maxFileBytes: 67_108_864,
  paths: [
    { glob: '**/.env', class: 'system', action: 'block' },
    { glob: 'AGENTS.md', class: 'platform', action: 'confirm' },
    { glob: '**/.cache/**', class: 'temporary', action: 'allow' },
  ],
}

export const DRIVERS: Output<'places.drivers'> = {
  drivers: [
    {
      name: 'overlayfs',
      usable: true,
      detail: 'A view is made in milliseconds and takes the room of what is changed.',
    },
    { name: 'reflink', usable: false, detail: 'The disk is ext4, which cannot share blocks between files.' },
    { name: 'copy', usable: true, detail: 'Works everywhere and takes the room of the whole folder.' },
  ],
}
