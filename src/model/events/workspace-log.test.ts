import { expect, it } from 'vitest'
import { ADA, interaction, permission, rule, run, SESSION } from '../../../test/support/session-log.ts'
import { directPlace } from '../tree.ts'
import {
  EMPTY_WORKSPACE,
  foldWorkspace,
  parseWorkspaceEvent,
  type WorkspaceChange,
  type WorkspaceView,
} from './workspace-log.ts'

const id = (prefix: string, n: number) => `${prefix}_${String(n).padStart(26, '0')}`
const common = { workspace: 'default', createdAt: 1, archivedAt: null }
const space = (n: number) => ({
  ...common,
  id: id('spc', n),
  name: 'work',
  kind: 'folder',
  folder: `/work-${n}`,
  state: 'present',
})
const project = (n: number, of: number) => ({
  ...common,
  id: id('prj', n),
  space: id('spc', of),
  name: 'main',
  place: directPlace(`/work-${of}`),
})
const session = (n: number, of: number, name = 'talk') => ({
  ...common,
  id: id('ses', n),
  space: id('spc', of),
  project: id('prj', of),
  name,
  namedBy: 'default',
  agent: 'codex',
  state: 'idle',
  questions: 0,
  queued: 0,
  head: 1,
  lastRun: null,
  changed: 0,
  forkedFrom: null,
  updatedAt: 1,
  closedAt: null,
})
const question = (n: number, of: number, state = 'open') => ({
  id: interaction(n),
  workspace: 'default',
  space: id('spc', of),
  session: id('ses', of),
  run: run(1),
  agent: 'codex',
  state,
  question: permission,
  openedAt: 1,
  expiresAt: null,
  answer: state === 'open' ? null : { option: 'yes' },
  answeredBy: state === 'open' ? null : ADA,
  answeredAt: null,
})
const ruleOf = (n: number, of: number | null) => ({
  id: rule(n),
  workspace: 'default',
  space: of === null ? null : id('spc', of),
  action: 'ask',
  agent: null,
  toolKind: null,
  path: null,
  command: null,
  createdAt: 1,
})
type EventDraft = [WorkspaceChange['type'], unknown]
const read = (said: readonly EventDraft[]) =>
  said.map(([type, data], index) =>
    parseWorkspaceEvent({ workspace: 'default', seq: index + 1, at: index, type, data }),
  )
const see = (said: readonly EventDraft[], from: WorkspaceView = EMPTY_WORKSPACE) =>
  read(said).reduce(foldWorkspace, from)
const ids = ({ spaces, projects, sessions, interactions, rules }: WorkspaceView) => [
  Object.keys(spaces).length,
  Object.keys(projects).length,
  Object.keys(sessions).length,
  Object.keys(interactions).length,
  Object.keys(rules).length,
]

/** Two Spaces with one of everything in each, and a rule for all of them. */
const full: EventDraft[] = [
  ['workspace.changed', { workspace: { id: 'Default', name: 'Mine', createdAt: 1, archivedAt: null } }],
  ...[1, 2].flatMap((n): EventDraft[] => [
    ['space.changed', { space: space(n) }],
    ['project.changed', { project: project(n, n) }],
    ['session.changed', { session: session(n, n) }],
    ['interaction.changed', { interaction: question(n, n) }],
    ['rule.changed', { rule: ruleOf(n, n) }],
  ]),
  ['rule.changed', { rule: ruleOf(3, null) }],
]

it('the last line about a thing is the truth about it', () => {
  const view = see([...full, ['session.changed', { session: session(1, 1, 'renamed') }]])
  expect(view.seq).toBe(13)
  expect(view.workspace?.id).toBe('default')
  expect(view.sessions[SESSION]?.name).toBe('renamed')
  expect(ids(view)).toEqual([2, 2, 2, 2, 3])
})

it('only open questions are shown', () => {
  const view = see([...full, ['interaction.changed', { interaction: question(1, 1, 'answered') }]])
  expect(Object.keys(view.interactions)).toEqual([interaction(2)])
})

it('what is deleted takes what lies below it along', () => {
  expect(ids(see([...full, ['session.deleted', { id: id('ses', 1) }]]))).toEqual([2, 2, 1, 1, 3])
  expect(ids(see([...full, ['project.deleted', { id: id('prj', 1) }]]))).toEqual([2, 1, 1, 1, 3])
  expect(ids(see([...full, ['space.deleted', { id: id('spc', 1) }]]))).toEqual([1, 1, 1, 1, 2])
  expect(ids(see([...full, ['rule.deleted', { id: rule(3) }]]))).toEqual([2, 2, 2, 2, 2])
})

it('a line of a question stays when the list of sessions does not reach to its session', () => {
  const view = see([...full.slice(0, 1), full[4]!, ['project.deleted', { id: id('prj', 1) }]])
  expect(Object.keys(view.interactions)).toEqual([interaction(1)])
})

it('lines that the view already has are left alone, and halves are the whole', () => {
  const all = see(full)
  expect(see(full, all)).toBe(all)
  for (let at = 0; at <= full.length; at += 1) {
    const half = see(full.slice(0, at))
    expect(read(full).reduce(foldWorkspace, half)).toEqual(all)
  }
})

it('a type that is not known here passes and moves the seq only', () => {
  for (const type of ['vector.changed', 'constructor', '__proto__']) {
    const event = parseWorkspaceEvent({ workspace: 'default', seq: 1, at: 0, type, data: { any: 1 } })
    expect(event.data).toEqual({ any: 1 })
    expect(foldWorkspace(EMPTY_WORKSPACE, event)).toEqual({ ...EMPTY_WORKSPACE, seq: 1 })
  }
})

it('a known type without its shape is refused', () => {
  expect(() => see([['session.changed', { session: { id: SESSION } }]])).toThrow()
  expect(() => see([['space.deleted', { id: 'spc_short' }]])).toThrow()
})
