import { z } from 'zod'
import { FileRules } from '../model/files/conflicts.ts'
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
} from '../model/files/history.ts'
import { ActId, ProjectId, RunId, SessionId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { BranchName } from '../model/tree.ts'
import { Confirm, inWorkspace, operation, Paging, paged } from './operation.ts'

/** A project identifies its place. `direct` projects of one Space share a place and its history. */
const inProject = { workspace: WorkspaceId, project: ProjectId }
const N = z.coerce.number().int().min(0).describe('Snapshot number.')
const At = N.optional().describe('Snapshot number; default: the newest.')

/** Changes of one author to one path: the state before the first and after the last. */
const Touched = z.object({
  path: FilePath,
  before: FileState.nullable(),
  after: FileState.nullable(),
  author: Author,
  certainty: Change.shape.certainty,
  times: z.number().int(),
  /** Another author changed the path later. */
  changedSince: z.boolean(),
})

export const files = {
  'history.status': operation({
    summary: 'Get the status of the file history of a working copy: import, size and gaps.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history'],
    at: 'machine',
    input: z.object({ ...inProject }),
    output: HistoryStatus,
    errors: ['not_found', 'gone'],
    forAgents: true,
  }),
  'history.snapshots': operation({
    summary: 'List the snapshots of a working copy, of all its sessions, newest first.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/snapshots'],
    at: 'machine',
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
    summary: 'Take a snapshot: scan the working copy now and store all changes since the last scan.',
    http: ['POST', '/workspaces/:workspace/projects/:project/history/capture'],
    at: 'machine',
    input: z.object({
      ...inProject,
      accept: z
        .boolean()
        .default(false)
        .describe(
          'Go on with another folder that stands where the folder of the working copy was. Files that it lacks count as deleted by you, and a restore brings them back.',
        ),
    }),
    output: z.object({ n: z.number().int(), changed: z.number().int() }),
    errors: ['not_found', 'gone', 'busy'],
  }),
  'history.pin': operation({
    summary: 'Pin a snapshot so that it is never removed, or unpin it.',
    http: ['POST', '/workspaces/:workspace/projects/:project/history/snapshots/:n/pin'],
    at: 'machine',
    input: z.object({ ...inProject, n: N, pinned: z.boolean().default(true) }),
    output: z.object({ pinned: z.boolean() }),
    errors: ['not_found'],
  }),
  'history.changes': operation({
    summary:
      'List the changes in a working copy: by a run, by a session, or between two snapshots (`from`, `to`). Each path is listed once, with its state before and after.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/changes'],
    at: 'machine',
    input: z.object({
      ...inProject,
      run: RunId.optional(),
      session: SessionId.optional(),
      act: ActId.optional(),
      from: N.optional().describe('Snapshot number of the older state.'),
      to: At,
    }),
    output: z.object({ changes: z.array(Touched), cut: z.boolean() }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'history.path': operation({
    summary: 'List the changes of one path with their authors, newest first.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/path'],
    at: 'machine',
    input: z.object({ ...inProject, path: FilePath, ...Paging }),
    output: paged('changes', Change),
    errors: ['not_found'],
    forAgents: true,
  }),
  'history.diff': operation({
    summary:
      'Compare one path in two snapshots, as hunks with their authors. Without `to`: the present file on disk. With `run` or `session`: the states before its first change and after its last change of the path.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/diff'],
    at: 'machine',
    input: z.object({
      ...inProject,
      path: FilePath,
      from: N.optional().describe('Snapshot number of the older state.'),
      to: At,
      run: RunId.optional(),
      session: SessionId.optional(),
    }),
    output: FileDiff,
    errors: ['not_found', 'gone'],
    forAgents: true,
  }),
  'history.file': operation({
    summary: 'Get the content of a file in a snapshot. Text as text, other content in base64; at most 16 MiB.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/file'],
    at: 'machine',
    input: z.object({ ...inProject, path: FilePath, at: At }),
    output: z.object({ state: FileState, encoding: z.enum(['text', 'base64']), content: z.string() }),
    errors: ['not_found', 'gone', 'too_large'],
    forAgents: true,
  }),
  'history.gaps': operation({
    summary: 'List the paths that the history does not track, with reasons, largest first.',
    http: ['GET', '/workspaces/:workspace/projects/:project/history/gaps'],
    at: 'machine',
    input: z.object({ ...inProject, limit: Paging.limit }),
    output: z.object({ gaps: z.array(Gap) }),
    errors: ['not_found'],
  }),
  'changes.list': operation({
    summary: 'List the changes in all working copies of a workspace, with authors and times, newest first.',
    http: ['GET', '/workspaces/:workspace/changes'],
    at: 'machine',
    input: z.object({
      workspace: WorkspaceId,
      ...Paging,
      space: SpaceId.optional(),
      session: SessionId.optional(),
      author: z.enum(['run', 'outside', 'act', 'unknown']).optional().describe('Only changes of this kind of author.'),
      path: z.string().max(8_192).optional().describe('Path or prefix of a path.'),
    }),
    output: paged('changes', z.object({ space: SpaceId, project: ProjectId.nullable(), change: Change })),
    errors: ['not_found'],
  }),
  'plans.make': operation({
    summary:
      'Plan a restore, undo or apply: lists the paths to write and the authors of their present content. Writes nothing. For `apply`, `project` is the target: the Space’s own folder.',
    http: ['POST', '/workspaces/:workspace/projects/:project/plans'],
    at: 'machine',
    input: z.object({ ...inProject, request: PlanRequest }),
    output: Plan,
    errors: ['not_found', 'gone', 'unavailable'],
  }),
  'plans.diff': operation({
    summary: 'Preview a plan for one path, as hunks. A request may select hunks by their index.',
    http: ['POST', '/workspaces/:workspace/projects/:project/plans/diff'],
    at: 'machine',
    input: z.object({ ...inProject, request: PlanRequest, path: FilePath }),
    output: FileDiff,
    errors: ['not_found', 'gone'],
  }),
  'plans.apply': operation({
    summary:
      'Apply a plan atomically. `digest`: the digest of the reviewed plan. Name every path that needs confirmation in `overwrite` or `leave`. `unwatched` decides about all other paths that need it only because no server looked when they were written.',
    http: ['POST', '/workspaces/:workspace/projects/:project/plans/apply'],
    at: 'machine',
    input: z.object({
      ...inProject,
      request: PlanRequest,
      digest: z.string().max(128),
      overwrite: z.array(FilePath).max(10_000).default([]),
      leave: z.array(FilePath).max(10_000).default([]),
      unwatched: z.enum(['overwrite', 'leave']).optional(),
    }),
    output: Act,
    errors: ['not_found', 'stale_plan', 'conflict', 'busy', 'gone'],
  }),
  'acts.list': operation({
    summary: 'List the restores, undos and applies in a working copy, newest first. Each can be undone.',
    http: ['GET', '/workspaces/:workspace/projects/:project/acts'],
    at: 'machine',
    input: z.object({ ...inProject, ...Paging }),
    output: paged('acts', Act),
    errors: ['not_found'],
  }),
  'fileRules.get': operation({
    summary: 'Get the file rules of a Space: files left out of the history, and paths that need confirmation.',
    http: ['GET', '/workspaces/:workspace/spaces/:id/file-rules'],
    input: z.object({ ...inWorkspace(SpaceId) }),
    output: z.object({ rules: FileRules, defaults: FileRules, changed: z.boolean() }),
    errors: ['not_found'],
  }),
  'fileRules.set': operation({
    summary:
      'Change the file rules of a Space. Given fields replace the present ones; null resets all to the defaults.',
    http: ['POST', '/workspaces/:workspace/spaces/:id/file-rules'],
    input: z.object({ ...inWorkspace(SpaceId), rules: FileRules.partial().nullable() }),
    output: z.object({ rules: FileRules }),
    errors: ['not_found'],
  }),
  'fileRules.check': operation({
    summary: 'Find the file rule that decides on a path.',
    http: ['GET', '/workspaces/:workspace/spaces/:id/file-rules/check'],
    at: 'machine',
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
    summary:
      'List the isolation drivers for working copies on this machine, best first, with reasons for unusable ones.',
    http: ['GET', '/copies/drivers'],
    input: z.object({}),
    output: z.object({ drivers: z.array(z.object({ name: z.string(), usable: z.boolean(), detail: z.string() })) }),
    errors: [],
  }),
  'places.previewRemoval': operation({
    summary: 'Preview the removal of a project’s working copy: the work that would be lost now.',
    http: ['GET', '/workspaces/:workspace/projects/:project/copy'],
    at: 'machine',
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
      'Remove the working copy of a project. Without `confirm`, only list the work that would be lost. With `confirm`, save that work in the history first; the answer has the command to restore it. Idempotent. The project and its sessions stay.',
    http: ['DELETE', '/workspaces/:workspace/projects/:project/copy'],
    at: 'machine',
    input: z.object({ ...inProject, confirm: Confirm }),
    output: z.object({
      removed: z.boolean(),
      lost: z.array(z.string()),
      kept: z.array(z.string()),
      /** Command that restores the files. */
      restore: z.string().nullable(),
    }),
    errors: ['not_found', 'busy', 'forbidden'],
  }),
  'places.export': operation({
    summary: 'Export the changes of a project’s own working copy as a patch or as a branch of the Space’s repository.',
    http: ['POST', '/workspaces/:workspace/projects/:project/copy/export'],
    at: 'machine',
    input: z.object({
      ...inProject,
      as: z.enum(['patch', 'branch']),
      branch: BranchName.optional(),
    }),
    output: z.object({ patch: z.string().nullable(), branch: z.string().nullable(), commit: z.string().nullable() }),
    errors: ['not_found', 'gone'],
  }),
} as const
