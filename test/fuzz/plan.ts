import type { Edit } from './edits.ts'

/** Authors of a story. `c` works in the working copy of its own, if the story has one. */
export type Agent = 'a' | 'b' | 'c'
export type Who = Agent | 'person'

/**
 * One part of a step, in order. `begin`: a prompt whose run has begun. `both`: two whole runs at once. `ask`: a
 * question, which stays open until `answer`. `kill`: `kill -9` of the server and a new one. `act`: an act while a run
 * is at work, after the last edit of the step.
 */
export type Move =
  | { do: 'edit'; who: Who; edits: Edit[]; isOneCall: boolean }
  | { do: 'begin' | 'ask' | 'answer' | 'end'; who: Agent }
  | { do: 'both'; edits: Record<'a' | 'b', Edit[]>; isOneCall: boolean }
  | { do: 'kill' }
  | { do: 'act'; act: ActStep }

export type Undone =
  | { kind: 'run'; step: number; who: Agent }
  | { kind: 'session'; who: Agent }
  | { kind: 'act'; step: number }

/**
 * An act with its words: `leaves` leaves every path that needs a decision, else all are overwritten. `only`: this path
 * and everything below it.
 */
export type ActStep = { leaves: boolean; only: string | null; killAfterMs: number | null } & (
  | { do: 'undo'; of: Undone }
  | { do: 'restore'; to: number }
  | { do: 'apply' }
)

/** A step of a story. Numbers of steps name it for ever, so that a story without some of its steps is a story. */
export type Step = { id: number } & (
  | { do: 'work'; copy: boolean; moves: Move[] }
  | { do: 'rules'; ignore: string[]; maxFileBytes: number }
  | ActStep
)

export interface Story {
  readonly seed: number
  readonly copy: 'worktree' | 'overlay' | null
  /** Number of further files: a larger folder is scanned by hints. */
  readonly filler: number
  readonly steps: readonly Step[]
}

const AREAS = {
  a: ['f0', 'f1', 'd0', 'd0/f0', 'd0/f1', 'd0/e', 'd0/e/f0', 'd0/n.dat', 'n0'],
  b: ['f2', 'f3', 'd1', 'd1/f0', 'd1/f1', 'd1/e', 'd1/e/f0', 'm.dat', 'd1/n 1'],
}
const ALL = [...AREAS.a, ...AREAS.b, 'd2', 'd2/f0', 'd2/e/f1', 'd0/e/n2', 'o/x', 'o']
const FOLDERS = ['', '', 'd0', 'd1', 'd0/e']
const LINES = ['f0', 'd1/', '*.dat', '!m.dat', '/f2', 'e/', 'f1', '!f1', 'o/', 'd0/f*', '/d0', 'n*', '# nothing']
const LIMITS = [33_554_432, 33_554_432, 100, 100, 150]
const MODES = [0o644, 0o600, 0o755, 0o640, 0o444, 0o000]

/** Makes choices from a seed. */
interface Chooser {
  readonly many: (from: number, to: number) => number
  readonly one: <T>(list: readonly T[]) => T
  readonly often: (share: number) => boolean
  readonly text: (lines: number) => string
}

function chooserOf(chance: () => number): Chooser {
  let token = 0
  const many = (from: number, to: number) => from + Math.floor(chance() * (to - from + 1))
  const line = () => {
    token += 1
    return `t${token}x ${'abc'.slice(0, many(1, 3))}\n`
  }
  return {
    many,
    one: (list) => list[Math.floor(chance() * list.length)] as never,
    often: (share) => chance() < share,
    text: (lines) => Array.from({ length: lines }, line).join(''),
  }
}

/** The files of the person before the story begins. */
export function firstEdits(filler: number): Edit[] {
  let token = 1_000_000
  const line = () => {
    token += 1
    return `t${token}x first\n`
  }
  const text = (lines: number) => Array.from({ length: lines }, line).join('')
  const folders: Edit[] = ['d0', 'd1', 'd0/e', 'o'].map((path) => ({ do: 'mkdir', path }))
  const files = ['f0', 'f1', 'f2', 'f3', 'd0/f0', 'd0/f1', 'd0/e/f0', 'd1/f0', 'd1/f1', 'o/x', 'm.dat']
  const more = Array.from({ length: filler }, (_, at) => `d1/filler-${at}`)
  return [
    ...folders,
    ...[...files, ...more].map((path): Edit => ({ do: 'write', path, text: text(6), how: 'through' })),
  ]
}

type Draw = (c: Chooser, paths: readonly string[]) => Edit

const DRAWS: readonly (readonly [number, Draw])[] = [
  [20, (c, p) => ({ do: 'line', path: c.one(p), at: c.many(0, 7), text: c.text(1) })],
  [
    14,
    (c, p) => ({
      do: 'write',
      path: c.one(p),
      text: c.text(c.often(0.15) ? 20 : c.many(1, 6)),
      how: c.one(['through', 'through', 'replace', 'tool', 'client'] as const),
      aged: c.often(0.15),
    }),
  ],
  [8, (c, p) => ({ do: 'append', path: c.one(p), text: c.text(1) })],
  [3, (c, p) => ({ do: 'append', path: c.one(p), text: c.text(20) })],
  [2, (c, p) => ({ do: 'empty', path: c.one(p) })],
  [7, (c, p) => ({ do: 'remove', path: c.one(p) })],
  [4, (c, p) => ({ do: 'mkdir', path: c.one(p) })],
  [10, (c, p) => ({ do: 'move', path: c.one(p), to: c.one(p) })],
  [7, (c, p) => ({ do: 'swap', path: c.one(p), to: c.one(p) })],
  [4, (c, p) => ({ do: 'turn', path: c.one(p), text: c.text(2) })],
  [3, (c, p) => ({ do: 'link', path: c.one(p), target: c.one(['f0', 'd0', 'nowhere', '../out']) })],
  [4, (c, p) => ({ do: 'mode', path: c.one(p), mode: c.one(MODES) })],
  [3, (c, p) => ({ do: 'twin', path: c.one(p), to: c.one(p) })],
  [2, (c, p) => ({ do: 'pipe', path: c.one(p) })],
]

const URN = DRAWS.flatMap(([weight, one]) => Array<Draw>(weight).fill(one))

const draw = (c: Chooser, paths: readonly string[]): Edit => c.one(URN)(c, paths)

/** Draws an ignore file: written new, or removed. */
function drawIgnore(c: Chooser, folders: readonly string[]): Edit {
  const folder = c.one(folders)
  const path = folder === '' ? '.gitignore' : `${folder}/.gitignore`
  if (c.often(0.35)) return { do: 'remove', path }
  const text = Array.from({ length: c.many(1, 2) }, () => `${c.one(LINES)}\n`).join('')
  return { do: 'write', path, text, how: c.one(['through', 'replace', 'tool'] as const) }
}

function edits(c: Chooser, most: number, area: keyof typeof AREAS | null = null): Edit[] {
  const paths = area ? AREAS[area] : ALL
  const folders = area ? paths.filter((path) => ['d0', 'd1', 'd0/e'].includes(path)) : FOLDERS
  return Array.from({ length: c.many(1, most) }, () => (c.often(0.07) ? drawIgnore(c, folders) : draw(c, paths)))
}

const edit = (c: Chooser, who: Who, most = 4): Move => ({
  do: 'edit',
  who,
  edits: edits(c, most),
  isOneCall: c.often(0.5),
})

/** Draws a step of work from one of the ways in which three authors meet. */
function drawWork(c: Chooser, hasCopy: boolean): Omit<Extract<Step, { do: 'work' }>, 'id'> {
  const [one, other] = c.often(0.5) ? (['a', 'b'] as const) : (['b', 'a'] as const)
  const before = c.often(0.5) ? [edit(c, 'person', 3)] : []
  const alone = (who: Agent): Move[] => [{ do: 'begin', who }, edit(c, who), { do: 'end', who }]
  if (hasCopy && c.often(0.4)) return { do: 'work', copy: true, moves: [...before, ...alone('c')] }
  const ways: readonly (() => Move[])[] = [
    () => [edit(c, 'person', 4)],
    () => [...before, ...alone(one)],
    () => [...before, ...alone(one)],
    () => [...before, { do: 'both', edits: { a: edits(c, 3, 'a'), b: edits(c, 3, 'b') }, isOneCall: c.often(0.5) }],
    () => [...before, { do: 'begin', who: one }, edit(c, one), ...alone(other), edit(c, one), { do: 'end', who: one }],
    () => [
      { do: 'begin', who: one },
      edit(c, one, 3),
      { do: 'begin', who: other },
      edit(c, other, 3),
      { do: 'end', who: one },
      edit(c, 'person', 2),
      edit(c, other, 2),
      { do: 'end', who: other },
    ],
    () => [
      ...before,
      { do: 'begin', who: one },
      edit(c, one, 3),
      { do: 'ask', who: one },
      edit(c, 'person', 3),
      ...(c.often(0.4) ? alone(other) : []),
      { do: 'answer', who: one },
      edit(c, one, 2),
      { do: 'end', who: one },
    ],
    () => [...before, { do: 'begin', who: one }, edit(c, one), edit(c, 'person', 2), { do: 'end', who: one }],
  ]
  return { do: 'work', copy: false, moves: c.one(ways)() }
}

const killedWork = (c: Chooser): Omit<Extract<Step, { do: 'work' }>, 'id'> => ({
  do: 'work',
  copy: false,
  moves: [{ do: 'begin', who: 'a' }, edit(c, 'a', 3), { do: 'kill' }, edit(c, 'a', 2), { do: 'end', who: 'a' }],
})

/** An act while a run is at work. */
const actedWork = (c: Chooser, act: ActStep): Omit<Extract<Step, { do: 'work' }>, 'id'> => ({
  do: 'work',
  copy: false,
  moves: [{ do: 'begin', who: 'b' }, edit(c, 'b', 3), { do: 'act', act }, { do: 'end', who: 'b' }],
})

/** Draws an undo, restore or apply of something that an earlier step did. */
function drawAct(c: Chooser, earlier: readonly Step[], hasCopy: boolean): ActStep {
  const words = { leaves: c.often(0.25), only: c.often(0.15) ? c.one(ALL) : null, killAfterMs: null }
  const hasAct = (step: Step) =>
    step.do === 'work' ? step.moves.some((move) => move.do === 'act') : step.do !== 'rules'
  const acts = earlier.filter(hasAct)
  const works = earlier.filter((step) => step.do === 'work')
  const undo = (of: Undone): ActStep => ({ ...words, do: 'undo', of })
  const last = <T>(list: readonly T[]) => (c.often(0.6) ? list.at(-1) : c.one(list)) as T
  if (hasCopy && c.often(0.35)) return { ...words, do: 'apply' }
  if (acts.length > 0 && c.often(0.35)) return undo({ kind: 'act', step: last(acts).id })
  if (c.often(0.3)) return { ...words, do: 'restore', to: last(earlier).id }
  if (c.often(0.15)) return undo({ kind: 'session', who: c.one(['a', 'b']) })
  const work = last(works)
  const began = (work.moves ?? []).flatMap((move) =>
    move.do === 'both' ? ['a', 'b'] : move.do === 'begin' ? [move.who] : [],
  )
  return undo({ kind: 'run', step: work.id, who: began.length > 0 ? (c.one(began) as Agent) : 'a' })
}

/** Plans a story from a seed. `kills`: the server is killed in it too. */
export function planStory(
  chance: () => number,
  { seed, length, kills }: { seed: number; length: number; kills: boolean },
): Story {
  const c = chooserOf(chance)
  const copy = c.often(0.2) ? c.one(['worktree', 'overlay'] as const) : null
  const filler = c.often(0.2) ? 220 : 0
  const steps: Step[] = []
  for (let id = 0; id < length; id++) steps.push({ id, ...drawStep(c, steps, copy !== null, kills) })
  return { seed, copy, filler, steps }
}

type Unnamed<S> = S extends Step ? Omit<S, 'id'> : never

function drawStep(c: Chooser, earlier: readonly Step[], hasCopy: boolean, kills: boolean): Unnamed<Step> {
  const isFirst = !earlier.some((step) => step.do === 'work')
  if (!isFirst && kills && c.often(0.15))
    return c.often(0.6) ? { ...drawAct(c, earlier, hasCopy), killAfterMs: c.many(0, 30) } : killedWork(c)
  if (!isFirst && c.often(0.06))
    return { do: 'rules', ignore: c.often(0.6) ? [c.one(LINES)] : [], maxFileBytes: c.one(LIMITS) }
  if (!isFirst && c.often(0.06)) return actedWork(c, drawAct(c, earlier, hasCopy))
  if (!isFirst && c.often(0.42)) return drawAct(c, earlier, hasCopy)
  return drawWork(c, hasCopy)
}
