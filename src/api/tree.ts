import { z } from 'zod'
import { AgentId, ProjectId, Seq, SessionId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { Interaction } from '../model/interaction.ts'
import { Rule } from '../model/rules.ts'
import {
  BranchName,
  DeletePreview,
  Name,
  PlaceKind,
  Project,
  Session,
  SessionState,
  Space,
  Workspace,
} from '../model/tree.ts'
import { Confirm, Flag, inWorkspace, operation, Paging, paged } from './operation.ts'

const byId = { workspace: WorkspaceId }

interface Level<At extends z.ZodRawShape, Row extends z.ZodType> {
  readonly word: string
  readonly path: string
  /** Input fields that name one row. */
  readonly at: At
  readonly row: Row
}

const WORKSPACE = { word: 'workspace', path: '/workspaces/:workspace', at: byId, row: Workspace }
const level = <Id extends z.ZodType, Row extends z.ZodType>(word: string, id: Id, row: Row) => ({
  word,
  path: `/workspaces/:workspace/${word.toLowerCase()}s/:id`,
  at: inWorkspace(id),
  row,
})
const SPACE = level('Space', SpaceId, Space)
const PROJECT = level('project', ProjectId, Project)
const SESSION = level('session', SessionId, Session)

const rename = <At extends z.ZodRawShape, Row extends z.ZodType>(summary: string, { path, at, row }: Level<At, Row>) =>
  operation({
    summary,
    http: ['PATCH', path],
    input: z.object({ ...at, name: Name }),
    output: row,
    errors: ['not_found'],
  })

const archive = <At extends z.ZodRawShape, Row extends z.ZodType>({ word, path, at, row }: Level<At, Row>) =>
  operation({
    summary: `Archive a ${word} (hide it from lists), or restore it.`,
    http: ['POST', `${path}/archive`],
    input: z.object({ ...at, archived: z.boolean().default(true) }),
    output: row,
    errors: ['not_found'],
  })

const remove = <At extends z.ZodRawShape>(summary: string, { path, at }: Level<At, z.ZodType>) =>
  operation({
    summary,
    http: ['DELETE', path],
    // Agents and folders of a branch are on its machine.
    at: 'machine',
    input: z.object({ ...at, confirm: Confirm }),
    output: z.object({ deleted: z.boolean(), preview: DeletePreview }),
    errors: ['not_found', 'busy', 'forbidden'],
  })

const WithArchived = Flag.describe('Include archived ones.')

const Text = z.string().min(1).max(200)

const WorkingCopyOptions = {
  branch: BranchName.optional().describe('worktree: branch to create or to use; default: a new branch.'),
  start: Text.optional().describe('worktree: commit to start from; default: HEAD.'),
  include: z.array(z.string().min(1).max(1_024)).max(200).default([]).describe('Globs of ignored files to copy.'),
  setup: z
    .array(z.string().max(8_192))
    .min(1)
    .max(200)
    .optional()
    .describe('Setup command: a program and its arguments, run in the new working copy.'),
  driver: z.string().min(1).max(100).optional().describe('overlay: isolation driver; see `places.drivers`.'),
}

export const tree = {
  'workspaces.list': operation({
    summary: 'List the workspaces that the caller may enter.',
    http: ['GET', '/workspaces'],
    input: z.object({}),
    output: z.object({ workspaces: z.array(Workspace) }),
    errors: [],
  }),
  'workspaces.create': operation({
    summary: 'Create a workspace. Its id never changes. Idempotent: an existing workspace is returned.',
    http: ['POST', '/workspaces'],
    input: z.object({ id: WorkspaceId, name: Name.optional() }),
    output: Workspace,
    errors: ['forbidden'],
  }),
  'workspaces.get': operation({
    summary: 'Get the content of a workspace as of `seq` of its log. Follow the log from `seq`.',
    http: ['GET', '/workspaces/:workspace'],
    input: z.object({
      ...byId,
      sessions: z.coerce
        .number()
        .int()
        .min(0)
        .max(500)
        .default(200)
        .describe('Maximum number of sessions, newest first.'),
    }),
    output: z.object({
      seq: z.number().int(),
      workspace: Workspace,
      spaces: z.array(Space),
      projects: z.array(Project),
      sessions: z.array(Session),
      interactions: z.array(Interaction),
      rules: z.array(Rule),
    }),
    errors: ['not_found'],
  }),
  'workspaces.rename': rename('Rename a workspace. Its id stays.', WORKSPACE),
  'workspaces.archive': archive(WORKSPACE),
  'workspaces.delete': remove(
    'Delete a workspace with all its logs. Without `confirm`, only preview the deletion. Your own folders are never touched.',
    WORKSPACE,
  ),
  'spaces.list': operation({
    summary: 'List the Spaces of a workspace.',
    http: ['GET', '/workspaces/:workspace/spaces'],
    input: z.object({ ...byId, archived: WithArchived }),
    output: z.object({ spaces: z.array(Space) }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'spaces.create': operation({
    summary:
      'Create a Space for one folder (`folder`), or a blank Space with a folder that Carrel creates. The folder never changes. A first project is created as well.',
    http: ['POST', '/workspaces/:workspace/spaces'],
    input: z.object({
      ...byId,
      folder: z.string().min(1).max(4096).optional().describe('Absolute path; omit it for a blank Space.'),
      name: Name.optional(),
    }),
    output: z.object({ space: Space, project: Project }),
    errors: ['not_found'],
  }),
  'spaces.get': operation({
    summary: 'Get one Space with its projects. Checks whether its folder exists.',
    http: ['GET', '/workspaces/:workspace/spaces/:id'],
    at: 'machine',
    input: z.object({ ...SPACE.at }),
    output: z.object({ space: Space, projects: z.array(Project), branch: z.string().nullable() }),
    errors: ['not_found'],
  }),
  'spaces.rename': rename('Rename a Space.', SPACE),
  'spaces.archive': archive(SPACE),
  'spaces.delete': remove(
    'Delete a Space with its projects and logs. Without `confirm`, only preview the deletion. Your own folder is never touched; the folder of a blank Space is deleted.',
    SPACE,
  ),
  'projects.list': operation({
    summary: 'List the projects of a workspace, or of one Space.',
    http: ['GET', '/workspaces/:workspace/projects'],
    input: z.object({ ...byId, space: SpaceId.optional(), archived: WithArchived }),
    output: z.object({ projects: z.array(Project) }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'projects.create': operation({
    summary:
      'Create a project in a Space. Its working copy is the folder itself (`direct`), a git worktree on its own branch (`worktree`), or an isolated view of any folder (`overlay`). The last two are created in the background; see `place.state`.',
    http: ['POST', '/workspaces/:workspace/projects'],
    at: 'machine',
    input: z.object({ ...byId, space: SpaceId, name: Name, place: PlaceKind.default('direct'), ...WorkingCopyOptions }),
    output: Project,
    errors: ['not_found', 'unavailable'],
  }),
  'projects.rename': rename('Rename a project.', PROJECT),
  'projects.archive': archive(PROJECT),
  'projects.delete': remove(
    'Delete a project with its sessions. Without `confirm`, only preview the deletion. Files stay.',
    PROJECT,
  ),
  'sessions.list': operation({
    summary: 'List sessions, last changed first.',
    http: ['GET', '/workspaces/:workspace/sessions'],
    input: z.object({
      ...byId,
      ...Paging,
      space: SpaceId.optional(),
      project: ProjectId.optional(),
      state: SessionState.optional().describe('Only sessions in this state.'),
      text: z.string().max(200).optional().describe('Only sessions with this text in their name, in any case.'),
      archived: Flag.describe('Archived sessions, instead of the others.'),
    }),
    output: paged('sessions', Session),
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.create': operation({
    summary: 'Create a session in a project.',
    http: ['POST', '/workspaces/:workspace/sessions'],
    input: z.object({ ...byId, project: ProjectId, agent: AgentId.optional(), name: Name.optional() }),
    output: Session,
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.get': operation({
    summary: 'Get one session.',
    http: ['GET', '/workspaces/:workspace/sessions/:id'],
    input: z.object({ ...inWorkspace(SessionId) }),
    output: Session,
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.rename': rename('Rename a session. Carrel never replaces a name that you gave.', SESSION),
  'sessions.fork': operation({
    summary: 'Fork a session: create a new session with a copy of the log up to `seq`. Files are not touched.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/fork'],
    input: z.object({
      ...inWorkspace(SessionId),
      seq: Seq.describe('Last event to copy.'),
      name: Name.optional(),
    }),
    output: Session,
    errors: ['not_found'],
  }),
  'sessions.archive': archive(SESSION),
  'sessions.delete': operation({
    summary: 'Delete a session with its log. Without `confirm`, only preview the deletion. Files stay.',
    http: ['DELETE', '/workspaces/:workspace/sessions/:id'],
    at: 'machine',
    input: z.object({ ...inWorkspace(SessionId), confirm: Confirm }),
    output: z.object({ deleted: z.boolean(), preview: DeletePreview }),
    errors: ['not_found', 'busy'],
  }),
} as const
