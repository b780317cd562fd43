import type { History } from '../../host/history/history.ts'
import { NAMED_PATHS, type Note } from '../../model/events/events.ts'
import type { Act, Author, FilePath } from '../../model/files/history.ts'
import type { SessionId } from '../../model/ids.ts'
import type { FilesContext } from './file-rooms.ts'
import type { OpenedPlace } from './project-places.ts'

type Concerned = Map<SessionId, Set<FilePath>>
interface NoteTo {
  readonly session: SessionId
  readonly note: Note
}

/** Returns the notes of an act: to sessions whose work it undid or applied, and to sessions whose files it overwrote. */
export async function notesOf(ctx: FilesContext, { key, project }: OpenedPlace, act: Act): Promise<NoteTo[]> {
  const history = await ctx.history()
  if (act.written.length === 0) return []
  const about = (paths: ReadonlySet<FilePath>) => ({
    act: act.id,
    by: act.by,
    place: key,
    before: act.before,
    after: act.after,
    count: paths.size,
    paths: [...paths].sort().slice(0, NAMED_PATHS),
  })
  const main = await concerned(ctx, history, key, act)
  const taken = await takenFrom(ctx, project.workspace, act)
  const notes: NoteTo[] = []
  for (const [session, paths] of main) {
    const data = about(paths)
    if (act.request.kind === 'apply') {
      notes.push({ session, note: { type: 'files.applied', data: { ...data, project: act.request.from } } })
    } else notes.push({ session, note: { type: 'files.restored', data: { ...data, how: howOf(act.request) } } })
  }
  for (const [session, paths] of taken) {
    if (!main.has(session)) notes.push({ session, note: { type: 'files.taken', data: about(paths) } })
  }
  return notes
}

/** An undo of an act restores the state before it, so it does not undo the work of a session. */
const howOf = (request: Act['request']) => (request.kind === 'undo' && request.of.kind !== 'act' ? 'undo' : 'restore')

async function concerned(ctx: FilesContext, history: History, key: string, act: Act): Promise<Concerned> {
  const { request } = act
  const written = new Set(act.written)
  const found: Concerned = new Map()
  const add = (author: Author, path: FilePath) => {
    if (author.kind === 'run' && written.has(path)) put(found, author.session, path)
  }
  if (request.kind === 'restore') {
    const span = { from: request.to, to: act.before, after: null, limit: 10_000 }
    for (const { path, author } of await history.between(key, span)) add(author, path)
  } else if (request.kind === 'apply') {
    const source = ctx.projectPlaces.followed.get(`project:${request.from}`)
    if (!source) return found
    const span = { from: 0, to: null, after: null, limit: 10_000 }
    for (const { path, author } of await history.between(source.key, span)) add(author, path)
  } else if (request.of.kind === 'session') {
    for (const path of written) put(found, request.of.session, path)
  } else if (request.of.kind === 'run') {
    for (const { author, path } of await history.changesBy(key, { run: request.of.run })) add(author, path)
  } else if (request.of.kind === 'snapshot') {
    for (const { author, path } of await history.changesBy(key, { n: request.of.n })) add(author, path)
  } else {
    const { act: id } = request.of
    const before = (await history.acts(key, { before: null, limit: 200 })).find((each) => each.id === id)
    return before ? await concerned(ctx, history, key, before) : found
  }
  return found
}

async function takenFrom(
  ctx: FilesContext,
  workspace: OpenedPlace['project']['workspace'],
  act: Act,
): Promise<Concerned> {
  const found: Concerned = new Map()
  for (const { author, paths } of act.taken) {
    if (author.kind === 'run') for (const path of paths) put(found, author.session, path)
    if (author.kind !== 'unknown') continue
    for (const id of author.among) {
      const run = await ctx.store.log.run(workspace, id)
      if (run) for (const path of paths) put(found, run.session, path)
    }
  }
  return found
}

function put(concerned: Concerned, session: SessionId, path: FilePath): void {
  const paths = concerned.get(session) ?? new Set()
  concerned.set(session, paths.add(path))
}

/** Writes the notes of a place's newest act, if a crash came between both. Idempotent. */
export async function writeMissingNotes(ctx: FilesContext, opened: OpenedPlace): Promise<void> {
  const [newest] = await (await ctx.history()).acts(opened.key, { before: null, limit: 1 })
  if (!newest || (await ctx.store.log.lastNoted(opened.key)) === newest.id) return
  await ctx.spaceLocks.note({
    space: opened.project.space,
    notes: await notesOf(ctx, opened, newest),
    act: { place: opened.key, id: newest.id },
  })
}
