import type { History } from '../../host/history/history.ts'
import { NAMED_PATHS, type Note } from '../../model/events.ts'
import type { Act, Author, FilePath } from '../../model/history.ts'
import type { SessionId } from '../../model/ids.ts'
import type { Context } from '../context.ts'
import type { OpenedPlace } from './place-care.ts'

type Told = Map<SessionId, Set<FilePath>>
interface NoteTo {
  readonly session: SessionId
  readonly note: Note
}

/** What an act has to tell to whom: those whose work went back or over, and those whose files were taken on the way. */
export async function notesOf(ctx: Context, { key, project }: OpenedPlace, act: Act): Promise<NoteTo[]> {
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

/** The undo of an act brings back what was there before it, be that somebody's work: nothing is taken back. */
const howOf = (request: Act['request']) => (request.kind === 'undo' && request.of.kind !== 'act' ? 'undo' : 'restore')

/** The sessions that an act was about, each with the paths of its own that were written. */
async function concerned(ctx: Context, history: History, key: string, act: Act): Promise<Told> {
  const { request } = act
  const written = new Set(act.written)
  const told: Told = new Map()
  const add = (author: Author, path: FilePath) => {
    if (author.kind === 'run' && written.has(path)) put(told, author.session, path)
  }
  if (request.kind === 'restore') {
    const span = { from: request.to, to: act.before, after: null, limit: 10_000 }
    for (const { path, author } of await history.between(key, span)) add(author, path)
  } else if (request.kind === 'apply') {
    const source = ctx.care.followed.get(`project:${request.from}`)
    if (!source) return told
    const span = { from: 0, to: null, after: null, limit: 10_000 }
    for (const { path, author } of await history.between(source.key, span)) add(author, path)
  } else if (request.of.kind === 'session') {
    for (const path of written) put(told, request.of.session, path)
  } else if (request.of.kind === 'run') {
    for (const { author, path } of await history.changesBy(key, { run: request.of.run })) add(author, path)
  } else if (request.of.kind === 'snapshot') {
    for (const { author, path } of await history.changesBy(key, { n: request.of.n })) add(author, path)
  } else {
    const { act: id } = request.of
    const before = (await history.acts(key, { before: null, limit: 200 })).find((each) => each.id === id)
    return before ? await concerned(ctx, history, key, before) : told
  }
  return told
}

async function takenFrom(ctx: Context, workspace: OpenedPlace['project']['workspace'], act: Act): Promise<Told> {
  const told: Told = new Map()
  for (const { author, paths } of act.taken) {
    if (author.kind === 'run') for (const path of paths) put(told, author.session, path)
    if (author.kind !== 'unknown') continue
    for (const id of author.among) {
      const run = await ctx.store.log.run(workspace, id)
      if (run) for (const path of paths) put(told, run.session, path)
    }
  }
  return told
}

function put(told: Told, session: SessionId, path: FilePath): void {
  const paths = told.get(session) ?? new Set()
  told.set(session, paths.add(path))
}

/** Tells of the newest act of a place where a crash came between the act and its notes. */
export async function tellUntold(ctx: Context, opened: OpenedPlace): Promise<void> {
  const [newest] = await (await ctx.history()).acts(opened.key, { before: null, limit: 1 })
  if (!newest || (await ctx.store.log.lastNoted(opened.key)) === newest.id) return
  await ctx.spaces.note({
    space: opened.project.space,
    notes: await notesOf(ctx, opened, newest),
    act: { place: opened.key, id: newest.id },
  })
}
