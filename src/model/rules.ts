import { z } from 'zod'
import { AgentId, Millis, RuleId, SpaceId, WorkspaceId } from './ids.ts'
import type { Question } from './interaction.ts'

/**
 * Standing answer to permission questions. Rules apply in order; the first match wins, no match means `ask`.
 * A null field matches everything. `path`: an anchored glob, relative to the Space's folder or absolute with a leading
 * `/`. `command`: the whole command, with `*` for any characters.
 *
 * `allow` matches narrowly: all paths must match, none may contain `..`, and `*` matches no shell operator.
 * `ask` and `deny` match widely: one matching path is enough, and `*` matches anything. Otherwise a call with one
 * forbidden and one harmless path would evade the rule.
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
 * Returns the first rule that decides a question; null means that a person is asked.
 * Rules see only the paths in the question, not symbolic links or files that a command opens.
 */
export function decide(rules: readonly Rule[], subject: RuleSubject, matches: GlobMatch): Rule | null {
  if (subject.question.kind !== 'permission') return null
  const rule = rules.find((candidate) => applies(candidate, subject, matches))
  return rule && rule.action !== 'ask' ? rule : null
}

/** Whether a path with `/` between its parts matches an anchored glob. */
export type GlobMatch = (path: string, glob: string) => boolean

function applies(rule: Rule, { space, folder, agent, question }: RuleSubject, matches: GlobMatch): boolean {
  if (rule.space !== null && rule.space !== space) return false
  if (rule.agent !== null && rule.agent !== agent) return false
  if (rule.toolKind !== null && rule.toolKind !== question.toolKind) return false
  const narrow = rule.action === 'allow'
  if (rule.command !== null && !commandMatches(question.command, rule.command, narrow)) return false
  // A path with `..` may lead anywhere: no rule allows it without a person.
  if (narrow && question.paths.some((path) => path.split('/').includes('..'))) return false
  const glob = rule.path
  if (glob === null) return true
  const match = (path: string) => pathMatches(path, glob, folder, matches)
  return narrow ? question.paths.length > 0 && question.paths.every(match) : question.paths.some(match)
}

function pathMatches(path: string, glob: string, folder: string, matches: GlobMatch): boolean {
  const parts = resolve(path.startsWith('/') ? path : `${folder}/${path}`)
  if (glob.startsWith('/')) return matches(parts.join('/'), glob.slice(1))
  const root = resolve(folder)
  if (!root.every((part, at) => parts[at] === part)) return false
  return matches(parts.slice(root.length).join('/'), glob)
}

function resolve(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}

/** Shell operators: `npm test*` must not match `npm test; rm -rf /`. */
const SHELL_SIGNS = /[;&|<>`$\n\r]/

/** Matches a command against a pattern. Texts between wildcards are found from left to right, in linear time. */
function commandMatches(command: string | null, pattern: string, narrow: boolean): boolean {
  if (command === null) return false
  const parts = pattern.split('*')
  const first = parts.shift() ?? ''
  const last = parts.pop()
  if (last === undefined) return command === pattern
  if (!command.startsWith(first)) return false
  const allowed = (gap: string) => !narrow || !SHELL_SIGNS.test(gap)
  let at = first.length
  for (const part of parts) {
    const found = command.indexOf(part, at)
    if (found < 0 || !allowed(command.slice(at, found))) return false
    at = found + part.length
  }
  const end = command.length - last.length
  return end >= at && command.endsWith(last) && allowed(command.slice(at, end))
}
