import type { LimitReached } from '../host/cgroups/cgroup.ts'
import { type EffectiveEnvironment, effectiveEnvironment, type SettingsScope } from '../model/settings/environment.ts'
import { sizeShort } from '../model/settings/sizes.ts'
import type { Basics } from './basics.ts'

type SettingsContext = Pick<Basics, 'store' | 'config'>

export async function environmentOf(
  { store, config }: SettingsContext,
  scope: SettingsScope,
): Promise<EffectiveEnvironment> {
  const settings = await store.environment.at(scope)
  const layers = (['workspace', 'space', 'project'] as const).map((from) => ({ from, settings: settings[from] }))
  return effectiveEnvironment(layers, config.runBudgetMs === null ? {} : { limits: { ms: config.runBudgetMs } })
}

/** Returns the advice after a limit ended an agent: the scope that sets the limit, and how to raise it. */
export async function limitAdvice(
  ctx: SettingsContext,
  scope: SettingsScope,
  { limit, at }: LimitReached,
): Promise<string> {
  const setting = (await environmentOf(ctx, scope)).limits[limit]
  // The limit was changed meanwhile: the next process gets the new one.
  if (setting?.value !== at || setting.from === 'default') return 'Prompt again to continue the session.'
  const where = { workspace: '', space: ` --space ${scope.space}`, project: ` --project ${scope.project}` }[
    setting.from
  ]
  const more = limit === 'memoryBytes' ? sizeShort(at * 2) : at * 2
  return `The ${SCOPES[setting.from]} sets this limit. Raise it with \`carrel env set --limit ${limit}=${more}${where}\` or on the page, or ask for less at once. Then prompt again to continue the session.`
}

const SCOPES = { workspace: 'workspace', space: 'Space', project: 'project' } as const
