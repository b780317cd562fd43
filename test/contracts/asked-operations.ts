import type { Input, OperationName } from '../../src/api/index.ts'
import type { TestSession } from '../support/carrel-session.ts'

/** Ids of things on one machine. */
export interface Ids {
  readonly session: TestSession
  readonly run: string
  readonly preview: string
}

type Ask<N extends OperationName> = (ids: Ids) => Input<N>

export const workspace = 'default'
const inWorkspace = () => ({ workspace })
const ofSpace = ({ session }: Ids) => ({ workspace, id: session.space.id as string })
const ofProject = ({ session }: Ids) => ({ workspace, project: session.project })
const ofSession = ({ session }: Ids) => ({ workspace, id: session.id })
export const ofRun = ({ run }: Ids) => ({ workspace, id: run })
const undo = ({ run }: Ids) => ({ kind: 'undo' as const, of: { kind: 'run' as const, run } })
const prompt = 'pmt_00000000000000000000000000'
const rule = 'rul_00000000000000000000000000'
const question = 'int_00000000000000000000000000'
const hold = 'h'

/** An input for each operation. The compiler names an operation without one. */
export const ASKED: { readonly [N in OperationName]: Ask<N> } = {
  'workspaces.list': () => ({}),
  'workspaces.create': () => ({ id: 'other' }),
  'workspaces.get': inWorkspace,
  'workspaces.rename': () => ({ workspace, name: 'x' }),
  'workspaces.archive': inWorkspace,
  'workspaces.delete': () => ({ workspace, confirm: true }),
  'spaces.list': inWorkspace,
  'spaces.create': inWorkspace,
  'spaces.get': ofSpace,
  'spaces.rename': (ids) => ({ ...ofSpace(ids), name: 'x' }),
  'spaces.archive': ofSpace,
  'spaces.delete': (ids) => ({ ...ofSpace(ids), confirm: true }),
  'spaces.adopt': ofSpace,
  'machines.list': () => ({}),
  'projects.list': inWorkspace,
  'projects.create': ({ session }) => ({ workspace, space: session.space.id, name: 'x' }),
  'projects.rename': ({ session }) => ({ workspace, id: session.project, name: 'x' }),
  'projects.archive': ({ session }) => ({ workspace, id: session.project }),
  'projects.delete': ({ session }) => ({ workspace, id: session.project, confirm: true }),
  'sessions.list': inWorkspace,
  'sessions.create': ofProject,
  'sessions.get': ofSession,
  'sessions.rename': (ids) => ({ ...ofSession(ids), name: 'x' }),
  'sessions.fork': (ids) => ({ ...ofSession(ids), seq: 1 }),
  'sessions.archive': ofSession,
  'sessions.delete': (ids) => ({ ...ofSession(ids), confirm: true }),
  'sessions.view': ofSession,
  'sessions.items': ofSession,
  'sessions.events': ofSession,
  'sessions.prompt': (ids) => ({ ...ofSession(ids), content: 'x' }),
  'sessions.cancel': ofSession,
  'sessions.configure': ofSession,
  'sessions.close': ofSession,
  'sessions.rebuild': ofSession,
  'prompts.edit': (ids) => ({ ...ofSession(ids), prompt, content: 'x' }),
  'prompts.withdraw': (ids) => ({ ...ofSession(ids), prompt }),
  'runs.list': inWorkspace,
  'runs.get': ofRun,
  'runs.environment': ofRun,
  'interactions.list': inWorkspace,
  'interactions.get': () => ({ workspace, id: question }),
  'interactions.answer': () => ({ workspace, id: question, answer: { option: 'yes' } }),
  'rules.list': inWorkspace,
  'rules.add': () => ({ workspace, action: 'deny', command: 'rm' }),
  'rules.move': () => ({ workspace, id: rule }),
  'rules.remove': () => ({ workspace, id: rule }),
  'history.status': ofProject,
  'history.snapshots': ofProject,
  'history.capture': ofProject,
  'history.pin': (ids) => ({ ...ofProject(ids), n: 1 }),
  'history.changes': ofProject,
  'history.path': (ids) => ({ ...ofProject(ids), path: 'effects' }),
  'history.diff': (ids) => ({ ...ofProject(ids), path: 'effects', from: 1 }),
  'history.file': (ids) => ({ ...ofProject(ids), path: 'effects' }),
  'history.gaps': ofProject,
  'changes.list': inWorkspace,
  'plans.make': (ids) => ({ ...ofProject(ids), request: undo(ids) }),
  'plans.diff': (ids) => ({ ...ofProject(ids), request: undo(ids), path: 'effects' }),
  'plans.apply': (ids) => ({ ...ofProject(ids), request: undo(ids), digest: 'x' }),
  'acts.list': ofProject,
  'fileRules.get': ofSpace,
  'fileRules.set': (ids) => ({ ...ofSpace(ids), rules: null }),
  'fileRules.check': (ids) => ({ ...ofSpace(ids), path: 'effects' }),
  'places.drivers': () => ({}),
  'places.previewRemoval': ofProject,
  'places.remove': ofProject,
  'places.export': (ids) => ({ ...ofProject(ids), as: 'patch' }),
  'search.items': () => ({ workspace, text: 'effects' }),
  'secrets.list': inWorkspace,
  'secrets.put': () => ({ workspace, name: 'A', value: 'long enough a value' }),
  'secrets.remove': () => ({ workspace, name: 'A' }),
  'secrets.rotate': () => ({}),
  'environment.get': inWorkspace,
  'environment.set': () => ({ workspace, settings: {} }),
  'ports.list': inWorkspace,
  'ports.get': ({ preview }) => ({ workspace, preview }),
  'browsers.list': inWorkspace,
  'browsers.takeOver': ofRun,
  'browsers.handBack': ofRun,
  'browsers.input': (ids) => ({
    ...ofRun(ids),
    hold,
    inputs: [{ kind: 'key' as const, what: 'down' as const, key: 'a' }],
  }),
  'browsers.show': (ids) => ({ ...ofRun(ids), tab: 't' }),
  'browsers.keepPicture': ofRun,
  'sessions.export': ofSession,
  'retention.preview': () => ({}),
  'retention.apply': () => ({}),
  'agents.list': () => ({}),
  'folders.suggest': () => ({}),
  'server.status': () => ({}),
  'server.doctor': () => ({}),
  'server.unpause': () => ({}),
}

/** Operations about the node that answers. Their summaries say so. */
export const OF_NODE: readonly OperationName[] = [
  ...(['agents.list', 'folders.suggest', 'places.drivers', 'server.status', 'server.doctor'] as const),
  ...([
    'machines.list',
    'retention.preview',
    'retention.apply',
    'secrets.rotate',
    'spaces.create',
    'server.unpause',
  ] as const),
]
/** Requests and changes of rows in the database, which any node writes. */
export const OF_DATABASE: readonly OperationName[] = [
  ...(['workspaces.create', 'workspaces.rename', 'workspaces.archive', 'spaces.rename', 'spaces.archive'] as const),
  ...(['spaces.adopt', 'projects.rename', 'projects.archive', 'sessions.create', 'sessions.rename'] as const),
  ...(['sessions.fork', 'sessions.archive', 'sessions.prompt', 'sessions.cancel', 'sessions.configure'] as const),
  ...(['sessions.close', 'sessions.rebuild', 'prompts.edit', 'prompts.withdraw', 'interactions.answer'] as const),
  ...(['rules.add', 'rules.move', 'rules.remove', 'fileRules.set', 'secrets.put', 'secrets.remove'] as const),
  'environment.set',
]
