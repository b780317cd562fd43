import { useWorkspace } from '../data/use-page.ts'
import { option } from '../ui/option.tsx'
import { scopeKey, scopeName, scopesOf } from './scopes.ts'

interface Props {
  readonly id: string
  /** The key of the chosen scope. */
  readonly value: string
  readonly onChoose: (key: string) => void
}

/** A select of all scopes. Its label stands outside and refers to `id`. */
export function ScopeChoice({ id, value, onChoose }: Props) {
  const view = useWorkspace()
  return (
    <select id={id} className="field" value={value} onChange={(event) => onChoose(event.target.value)}>
      {scopesOf(view).map((scope) => option(scopeKey(scope), scopeName(view, scope)))}
    </select>
  )
}
