import type { Input } from '../../api/index.ts'
import type { KeptPicture, Sight } from '../../model/browser-sight.ts'
import { CarrelError } from '../../model/errors.ts'
import type { RunId, WorkspaceId } from '../../model/ids.ts'
import type { Caller } from '../../model/tree.ts'
import { enter, whoOf } from '../authorize.ts'
import type { BrowserAtHand } from '../browsers/browser-pool.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'

export const listBrowsers: Op<'browsers.list'> = async (ctx, caller, { workspace }) => {
  await enter(ctx, caller, workspace)
  const { most, taken } = ctx.browsers
  const uses = ctx.browsers.uses(workspace)
  const browsers = uses.map((use) => ({ ...use, holder: ctx.browserDesk.holder(use.run) }))
  return { most, taken, elsewhere: ctx.config.browserEndpoint !== null, browsers }
}

export const takeOverBrowser: Op<'browsers.takeOver'> = async (ctx, caller, input) =>
  await ctx.browserDesk.takeOver(await handIn(ctx, caller, input), whoOf(mayHandle(caller)))

export const handBackBrowser: Op<'browsers.handBack'> = async (ctx, caller, input) => {
  await runIn(ctx, caller, input)
  return { handedBack: ctx.browserDesk.handBack(input.id, input.hold ?? null, whoOf(mayHandle(caller))) }
}

export const inputToBrowser: Op<'browsers.input'> = async (ctx, caller, input) => {
  await ctx.browserDesk.input(await handIn(ctx, mayHandle(caller), input), input.hold, input.inputs)
  return {}
}

export const showTab: Op<'browsers.show'> = async (ctx, caller, input) => {
  await ctx.browserDesk.show(await handIn(ctx, mayHandle(caller), input), input.tab, input.hold ?? null)
  return {}
}

export const keepPicture: Op<'browsers.keepPicture'> = async (ctx, caller, input) => {
  const hand = await handIn(ctx, mayHandle(caller), input)
  const { data, url, title } = await ctx.browserDesk.picture(hand)
  const picture: KeptPicture = { image: { type: 'image', mimeType: 'image/jpeg', data }, url, title }
  hand.wish.tell('info', `${caller.name} kept a screenshot of ${title || url}.`, picture)
  const mask = await ctx.vault.maskOf(input.workspace)
  return { url: mask.text(url), title: mask.text(title) }
}

/**
 * The live view of the browser of a run, until it is over or `signal` fires.
 * @throws not_found where the caller may not see the run; gone where it has no browser that can be watched
 */
export async function* watchBrowser(
  ctx: Context,
  caller: Caller,
  input: Input<'runs.get'>,
  signal: AbortSignal,
): AsyncGenerator<Sight> {
  const hand = await handIn(ctx, caller, input as { workspace: WorkspaceId; id: RunId })
  const mask = await ctx.vault.maskOf(input.workspace)
  for await (const sight of ctx.browserDesk.watch(hand, signal))
    yield sight.kind === 'scene' && !mask.empty
      ? { kind: 'scene', scene: mask.value(sight.scene) as typeof sight.scene }
      : sight
}

/** @throws not_found */
async function runIn(ctx: Context, caller: Caller, { workspace, id }: { workspace: WorkspaceId; id: RunId }) {
  await enter(ctx, caller, workspace)
  const run = await ctx.store.log.run(workspace, id)
  if (!run) throw new CarrelError('not_found', `There is no run ${id} in this workspace.`, { id })
}

/** @throws not_found; gone with what may be the reason */
async function handIn(
  ctx: Context,
  caller: Caller,
  input: { workspace: WorkspaceId; id: RunId },
): Promise<BrowserAtHand> {
  await runIn(ctx, caller, input)
  const hand = ctx.browsers.of(input.id)
  if (hand !== null && hand.wish.workspace === input.workspace) return hand
  const { browserEndpoint } = ctx.config
  throw new CarrelError(
    'gone',
    browserEndpoint === null
      ? 'This run has no browser on this node: it has ended, waits for one, or was given none (`carrel env browsers`).'
      : 'The browsers of this server are those of a service elsewhere: they cannot be watched or taken over here.',
  )
}

/** A browser is taken over by people and their programs; an agent has its own. */
function mayHandle(caller: Caller): Caller {
  if (caller.face !== 'mcp') return caller
  throw new CarrelError('forbidden', 'An agent may not take over the browser of a run. People do, on the page.')
}
