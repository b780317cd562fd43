import { z } from 'zod'
import { AgentId, Millis, RuleId, SpaceId, WorkspaceId } from './ids.ts'
import type { Question } from './interaction.ts'

/**
 * A standing answer to permission questions. Rules are tried in order, first match wins, none means `ask`.
 * A field that is null matches everything. `path` is an anchored glob on the path relative to the Space's folder,
 * or absolute when it starts with `/`; `command` is the whole command, with `*` for any run of characters.
 */
export const Rule = z.object({
  id: RuleId,
  workspace: WorkspaceId,
  space: SpaceId.nullable(),
  action: z.enum(['allow', 'ask', 'deny']),
  agent: AgentId.nullable(),
  toolKind: z.string().max(64).nullable(),
  path: z.string().max(1024).nullable(),
  command: z.string().max(4096).nullable(),
  createdAt: Millis,
})
export type Rule = z.infer<typeof Rule>

export interface RuleSubject {
  readonly space: string
  readonly folder: string
  readonly agent: string
  readonly question: Question
}

/**
 * Finds the first rule that decides a question; null means that a person is asked.
 * A rule with a path matches only when every path the question names matches: one path outside is a reason to ask.
 */
export function decide(rules: readonly Rule[], subject: RuleSubject, matches: GlobMatch): Rule | null {
  if (subject.question.kind !== 'permission') return null
  const rule = rules.find((candidate) => applies(candidate, subject, matches))
  return rule && rule.action !== 'ask' ? rule : null
}

/** Whether a path (with `/` between its parts) matches an anchored glob. The engine passes its library's. */
export type GlobMatch = (path: string, glob: string) => boolean

function applies(rule: Rule, { space, folder, agent, question }: RuleSubject, matches: GlobMatch): boolean {
  if (rule.space !== null && rule.space !== space) return false
  if (rule.agent !== null && rule.agent !== agent) return false
  if (rule.toolKind !== null && rule.toolKind !== question.toolKind) return false
  if (rule.command !== null && !commandMatches(question.command, rule.command)) return false
  if (rule.path === null) return true
  const glob = rule.path
  return question.paths.length > 0 && question.paths.every((path) => pathMatches(path, glob, folder, matches))
}

function pathMatches(path: string, glob: string, folder: string, matches: GlobMatch): boolean {
  // A path that climbs is not what it seems to be, so no rule may speak for it.
  if (path.split('/').includes('..')) return false
  if (glob.startsWith('/')) return path.startsWith('/') && matches(path.slice(1), glob.slice(1))
  if (!path.startsWith('/')) return matches(path, glob)
  return path.startsWith(`${folder}/`) && matches(path.slice(folder.length + 1), glob)
}

function commandMatches(command: string | null, pattern: string): boolean {
  if (command === null) return false
  const parts = pattern.split('*')
  if (parts.length === 1) return command === pattern
  // A wildcard must not swallow a second command: `npm test*` does not stand for `npm test; rm -rf /`.
  if (/[;&|<>`$\n\r]/.test(command) && !/[;&|<>`$\n\r]/.test(pattern)) return false
  const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('[^]*')}$`).test(command)
}
