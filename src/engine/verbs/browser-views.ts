import type { Input } from '../../api/index.ts'
import type { KeptPicture, Sight } from '../../model/browser-sight.ts'
import { CarrelError } from '../../model/errors.ts'
import type { RunId, WorkspaceId } from '../../model/ids.ts'
import type { Caller } from '../../model/tree.ts'
import { enter, runIn, whoOf } from '../authorize.ts'
import type { Basics } from '../basics.ts'
import type { RunBrowser } from '../browsers/run-browser.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'

type BrowserContext = Pick<Basics, 'store' | 'config'> & Pick<Context, 'browsers'>

interface RunKey {
  readonly workspace: WorkspaceId
  readonly id: RunId
}

export const listBrowsers: Op<'browsers.list'> = async (ctx, caller, { workspace }) => {
  await enter(ctx, caller, workspace)
  const { most, taken } = ctx.browsers
  return { most, taken, elsewhere: ctx.config.browserEndpoint !== null, browsers: ctx.browsers.uses(workspace) }
}

export const takeOverBrowser: Op<'browsers.takeOver'> = async (ctx, caller, input) => {
  const { view } = await browserIn(ctx, caller, input)
  return await view.takeOver(whoOf(mayControl(caller)))
}

export const handBackBrowser: Op<'browsers.handBack'> = async (ctx, caller, input) => {
  await runIn(ctx, caller, input.workspace, input.id)
  const by = whoOf(mayControl(caller))
  return { handedBack: ctx.browsers.of(input.id)?.view.handBack(input.hold ?? null, by) ?? false }
}

export const inputToBrowser: Op<'browsers.input'> = async (ctx, caller, input) => {
  const { view } = await browserIn(ctx, mayControl(caller), input)
  await view.input(input.hold, input.inputs)
  return {}
}

export const showTab: Op<'browsers.show'> = async (ctx, caller, input) => {
  const { view } = await browserIn(ctx, mayControl(caller), input)
  await view.show(input.tab, input.hold ?? null)
  return {}
}

export const keepPicture: Op<'browsers.keepPicture'> = async (ctx, caller, input) => {
  const { view, request } = await browserIn(ctx, mayControl(caller), input)
  const { data, url, title } = await view.picture()
  const picture: KeptPicture = { image: { type: 'image', mimeType: 'image/jpeg', data }, url, title }
  request.notify('info', `${caller.name} kept a screenshot of ${title || url}.`, picture)
  const mask = await ctx.vault.maskOf(input.workspace)
  return { url: mask.text(url), title: mask.text(title) }
}

/** Implements `Engine.watchBrowser`. @throws not_found where the caller may not see the run; gone without a browser */
export async function* watchBrowser(
  ctx: BrowserContext & Pick<Basics, 'vault'>,
  caller: Caller,
  input: Input<'runs.get'>,
  signal: AbortSignal,
): AsyncGenerator<Sight> {
  const { view } = await browserIn(ctx, caller, input as RunKey)
  const mask = await ctx.vault.maskOf(input.workspace)
  for await (const sight of view.watch(signal))
    yield sight.kind === 'scene' && !mask.empty
      ? { kind: 'scene', scene: mask.value(sight.scene) as typeof sight.scene }
      : sight
}

/** @throws not_found; gone with the possible reasons */
async function browserIn(ctx: BrowserContext, caller: Caller, input: RunKey): Promise<RunBrowser> {
  await runIn(ctx, caller, input.workspace, input.id)
  const browser = ctx.browsers.of(input.id)
  if (browser !== null && browser.request.workspace === input.workspace) return browser
  throw new CarrelError(
    'gone',
    ctx.config.browserEndpoint === null
      ? 'This run has no browser on this node: it has ended, waits for one, or was given none (`carrel env browsers`).'
      : 'This server uses browsers of a service: they cannot be watched or taken over here.',
  )
}

/** Refuses agents: only people and their programs take a browser over. @throws forbidden */
function mayControl(caller: Caller): Caller {
  if (caller.face !== 'mcp') return caller
  throw new CarrelError('forbidden', 'An agent may not take over the browser of a run. People do, on the page.')
}
