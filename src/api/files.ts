import { z } from 'zod'
import { FileRules } from '../model/conflicts.ts'
import {
  Act,
  Author,
  Change,
  FileDiff,
  FilePath,
  FileState,
  Gap,
  HistoryStatus,
  Plan,
  PlanRequest,
  Snapshot,
} from '../model/history.ts'
import { ActId, ProjectId, RunId, SessionId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { Flag, inWorkspace, Paging, paged } from './inputs.ts'
import { operation } from './operation.ts'

/** A project stands for its place: `direct` projects of one Space share one, and one history. */
const inProject = { workspace: WorkspaceId, project: ProjectId }
const N = z.coerce.number().int().min(0)
const At = N.optional().describe('A snapshot; left out for the newest.')

/** The changes of one author in one place, a path once: from before its first to after its last. */
const Touched = z.object({
  path: FilePath,
  before: FileState.nullable(),
  after: FileState.nullable(),
  author: Author,
  certainty: Change.shape.certainty,
  /** How many changes these are. */
  times: z.number().int(),
  /** The newest content is another's: what is there now is not what this author left. */
  changedSince: z.boolean(),
})

export const files = {
  'history.status': operation({
    summary: 'How far the history of a place is: import, size, and what is not covered.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history'],
    input: z.object({ ...inProject }),
    output: HistoryStatus,
    errors: ['not_found', 'gone'],
    forAgents: true,
  }),
  'history.snapshots': operation({
    summary: 'Snapshots of a place, newest first, of all sessions that work in it.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/snapshots'],
    input: z.object({
      ...inProject,
      ...Paging,
      session: SessionId.optional(),
      run: RunId.optional(),
      path: FilePath.optional(),
    }),
    output: paged('snapshots', Snapshot),
    errors: ['not_found'],
    forAgents: true,
  }),
  'history.capture': operation({
    summary: 'Look at the place now and store what changed since the last look.',
    http: ['POST', '/workspaces/:workspace/projects/:project/history/capture'],
    input: z.object({ ...inProject }),
    output: z.object({ n: z.number().int(), changed: z.number().int() }),
    errors: ['not_found', 'gone'],
  }),
  'history.pin': operation({
    summary: 'Keep a snapshot for good, or let it go with the others.',
    http: ['POST', '/workspaces/:workspace/projects/:project/history/snapshots/:n/pin'],
    input: z.object({ ...inProject, n: N, pinned: z.boolean().default(true) }),
    output: z.object({ pinned: z.boolean() }),
    errors: ['not_found'],
  }),
  'history.changes': operation({
    summary:
      'What was changed in a place: by a run, by a session, or between two snapshots (`from`, `to`). A path comes once, with its state before and after.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/changes'],
    input: z.object({
      ...inProject,
      run: RunId.optional(),
      session: SessionId.optional(),
      act: ActId.optional(),
      from: N.optional(),
      to: At,
    }),
    output: z.object({ changes: z.array(Touched), cut: z.boolean() }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'history.path': operation({
    summary: 'The changes of one path, newest first, with their authors.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/path'],
    input: z.object({ ...inProject, path: FilePath, ...Paging }),
    output: paged('changes', Change),
    errors: ['not_found'],
    forAgents: true,
  }),
  'history.diff': operation({
    summary:
      'One path in two snapshots, as hunks with their authors. Without `to`: what is on the disk now. With `run` or `session`: from before its first change of the path to after its last.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/diff'],
    input: z.object({
      ...inProject,
      path: FilePath,
      from: N.optional(),
      to: At,
      run: RunId.optional(),
      session: SessionId.optional(),
    }),
    output: FileDiff,
    errors: ['not_found', 'gone'],
    forAgents: true,
  }),
  'history.file': operation({
    summary: 'A file as it was in a snapshot. Text as text, everything else in base64; at most 16 MiB.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/file'],
    input: z.object({ ...inProject, path: FilePath, at: At }),
    output: z.object({ state: FileState, encoding: z.enum(['text', 'base64']), content: z.string() }),
    errors: ['not_found', 'gone', 'too_large'],
    forAgents: true,
  }),
  'history.gaps': operation({
    summary: 'What the history does not cover, and why, largest first.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/gaps'],
    input: z.object({ ...inProject, limit: Paging.limit }),
    output: z.object({ gaps: z.array(Gap) }),
    errors: ['not_found'],
  }),
  'changes.list': operation({
    summary: 'Who touched what, when, in all places of a workspace, newest first.',
    http: ['GET', '/workspaces/:workspace/changes'],
    input: z.object({
      workspace: WorkspaceId,
      ...Paging,
      space: SpaceId.optional(),
      session: SessionId.optional(),
      author: z.enum(['run', 'outside', 'act', 'unknown']).optional(),
      path: z.string().max(8_192).optional().describe('A path, or its beginning.'),
    }),
    output: paged('changes', z.object({ space: SpaceId, project: ProjectId.nullable(), change: Change })),
    errors: ['not_found'],
  }),

  'plans.make': operation({
    summary:
      'What a restore, undo or apply would write, and whose it is. Writes nothing. For `apply`, `project` is where it goes to: the Space’s own folder.',
    http: ['POST', '/workspaces/:workspace/projects/:project/plans'],
    input: z.object({ ...inProject, request: PlanRequest }),
    output: Plan,
    errors: ['not_found', 'gone', 'unavailable'],
  }),
  'plans.diff': operation({
    summary: 'What a plan would do to one path, as hunks; their positions may be chosen in the request.',
    http: ['POST', '/workspaces/:workspace/projects/:project/plans/diff'],
    input: z.object({ ...inProject, request: PlanRequest, path: FilePath }),
    output: FileDiff,
    errors: ['not_found', 'gone'],
  }),
  'plans.apply': operation({
    summary:
      'Do what a plan says, exactly, or nothing. `digest` is that of the plan that was looked at; every conflicts path is named in `overwrite` or in `leave`.',
    http: ['POST', '/workspaces/:workspace/projects/:project/plans/apply'],
    input: z.object({
      ...inProject,
      request: PlanRequest,
      digest: z.string().max(128),
      overwrite: z.array(FilePath).max(10_000).default([]),
      leave: z.array(FilePath).max(10_000).default([]),
    }),
    output: Act,
    errors: ['not_found', 'stale_plan', 'conflict', 'busy', 'gone'],
  }),
  'acts.list': operation({
    summary: 'Restores, undos and applies that were carried out in a place, newest first. Each can be undone.',
    http: ['GET', '/workspaces/:workspace/projects/:project/acts'],
    input: z.object({ ...inProject, ...Paging }),
    output: paged('acts', Act),
    errors: ['not_found'],
  }),

  'fileRules.get': operation({
    summary: 'What of a Space’s files is covered by the history, and which paths need a second look.',
    http: ['GET', '/workspaces/:workspace/spaces/:id/file-rules'],
    input: z.object({ ...inWorkspace(SpaceId) }),
    output: z.object({ rules: FileRules, defaults: FileRules, changed: z.boolean() }),
    errors: ['not_found'],
  }),
  'fileRules.set': operation({
    summary: 'Change these rules; null goes back to the defaults. What is named replaces what was.',
    http: ['POST', '/workspaces/:workspace/spaces/:id/file-rules'],
    input: z.object({ ...inWorkspace(SpaceId), rules: FileRules.partial().nullable() }),
    output: z.object({ rules: FileRules }),
    errors: ['not_found'],
  }),
  'fileRules.check': operation({
    summary: 'Which rule decides on a path.',
    http: ['GET', '/workspaces/:workspace/spaces/:id/file-rules/check'],
    input: z.object({ ...inWorkspace(SpaceId), path: FilePath }),
    output: z.object({
      class: z.string(),
      action: z.enum(['allow', 'confirm', 'block']),
      glob: z.string().nullable(),
      covered: z.boolean(),
    }),
    errors: ['not_found'],
  }),

  'places.drivers': operation({
    summary: 'How this machine can keep places apart, best first, and what it lacks.',
    http: ['GET', '/copies/drivers'],
    input: z.object({}),
    output: z.object({ drivers: z.array(z.object({ name: z.string(), usable: z.boolean(), detail: z.string() })) }),
    errors: [],
  }),
  'places.previewRemoval': operation({
    summary: 'What would be lost if the place of a project went now.',
    http: ['GET', '/workspaces/:workspace/projects/:project/copy'],
    input: z.object({ ...inProject }),
    output: z.object({
      kind: z.string(),
      driver: z.string(),
      path: z.string(),
      branch: z.string().nullable(),
      missing: z.boolean(),
      changed: z.array(z.string()),
      unpushed: z.number().int(),
      underway: z.string().nullable(),
    }),
    errors: ['not_found'],
  }),
  'places.remove': operation({
    summary:
      'Take the place of a project away, in two steps: without `confirm` it says what would be lost; with it, all of that goes into the history first, and the answer says how to bring it back. Of a place that is away already, both say only that. The project and its sessions stay.',
    http: ['DELETE', '/workspaces/:workspace/projects/:project/copy'],
    input: z.object({ ...inProject, confirm: Flag }),
    output: z.object({
      removed: z.boolean(),
      lost: z.array(z.string()),
      kept: z.array(z.string()),
      /** A command that brings the files back. */
      restore: z.string().nullable(),
    }),
    errors: ['not_found', 'busy', 'forbidden'],
  }),
  'places.export': operation({
    summary: 'What a project did in its own place, as a patch, or as a branch of the Space’s repository.',
    http: ['POST', '/workspaces/:workspace/projects/:project/copy/export'],
    input: z.object({
      ...inProject,
      as: z.enum(['patch', 'branch']),
      branch: z.string().min(1).max(200).optional(),
    }),
    output: z.object({ patch: z.string().nullable(), branch: z.string().nullable(), commit: z.string().nullable() }),
    errors: ['not_found', 'gone'],
  }),
} as const
