import { z } from 'zod'
import { AgentId, Millis, ProjectId, SpaceId, WorkspaceId } from './ids.ts'
import { SHORTEST_SECRET } from './mask.ts'

/** Names that decide how a program starts, or are Carrel's own: a value that people put must not stand in their place. */
const TAKEN =
  /^(PATH|HOME|SHELL|USER|LOGNAME|TERM|TMPDIR|TMP|TEMP|LANG|LANGUAGE|TZ|IFS|ENV|BASH_ENV|NODE_OPTIONS|LC_.*|LD_.*|DYLD_.*|CARREL_.*)$/

export const isTakenName = (name: string): boolean => TAKEN.test(name)

/** The name of a secret is the name of the variable that a run gets. */
export const SecretName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]{0,127}$/, 'takes 1 to 128 capital letters, digits and _, and begins with no digit')
  .refine((name) => !isTakenName(name), 'is a name that programs or Carrel need for themselves; choose another one')
export type SecretName = z.infer<typeof SecretName>

/** A short one could not be told from ordinary text, and so not be kept out of logs (B3). */
export const SecretValue = z
  .string()
  .min(SHORTEST_SECRET, `has at least ${SHORTEST_SECRET} characters: a shorter one could not be kept out of logs`)
  .max(16_384, 'has at most 16384 characters')
  .refine((value) => !value.includes('\0'), 'must not hold the character 0, which no environment can carry')

/**
 * What is known of a secret besides its value, which no verb gives out. It holds in a whole Workspace, in a Space or in
 * a Project; of several with one name a run gets the nearest.
 */
export const Secret = z.object({
  workspace: WorkspaceId,
  space: SpaceId.nullable(),
  project: ProjectId.nullable(),
  name: SecretName,
  /** Agents that get it; null for all. */
  give: z.array(AgentId).nullable(),
  /** Which key it is sealed under: a part of the key's digest. */
  key: z.string(),
  createdAt: Millis,
  updatedAt: Millis,
})
export type Secret = z.infer<typeof Secret>

/** What stands at rest. */
export interface SealedSecret extends Secret {
  readonly sealed: string
}

/** Where secrets are looked for, from far to near. */
export interface SecretPlace {
  readonly workspace: string
  readonly space: string
  readonly project: string
}

const RANK = ({ space, project }: Secret): number => (project !== null ? 2 : space !== null ? 1 : 0)

/** The secrets that hold in a place, the nearest of each name, and of those the ones that this agent is given. */
export function secretsFor<S extends Secret>(all: readonly S[], place: SecretPlace, agent: string): S[] {
  const nearest = new Map<string, S>()
  for (const secret of all) {
    if (secret.workspace !== place.workspace) continue
    if (secret.space !== null && secret.space !== place.space) continue
    if (secret.project !== null && secret.project !== place.project) continue
    const known = nearest.get(secret.name)
    if (!known || RANK(secret) > RANK(known)) nearest.set(secret.name, secret)
  }
  return [...nearest.values()].filter(({ give }) => give === null || give.includes(agent))
}
