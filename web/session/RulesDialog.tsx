import { useQuery } from '@tanstack/react-query'
import { Trash2 } from 'lucide-react'
import { asCarrelError } from '../../src/model/errors.ts'
import type { Rule } from '../../src/model/rules.ts'
import { usePage, useSubmit, useWorkspace, useWorkspaceId } from '../data/use-page.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { ruleWords } from './rule-offers.ts'

/** The standing answers of the Workspace, in the order they are tried. */
export function RulesDialog({ onClose }: { onClose: () => void }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  // The stream says that rules changed; their order is asked for.
  const known = Object.keys(useWorkspace().rules).join()
  const { data, error, isPending } = useQuery({
    queryKey: ['rules', workspace, known],
    queryFn: () => page.call('rules.list', { workspace }),
    placeholderData: (before) => before,
  })
  return (
    <Dialog title="Rules" open onClose={onClose}>
      <p className="dim">
        Rules answer questions of agents in your place. They are tried from the top; the first that fits decides, and
        where none fits you are asked.
      </p>
      {error && <Problem error={asCarrelError(error)} />}
      {isPending && <p className="faint">Loading ...</p>}
      {data?.rules.length === 0 && <p>There are none yet: “Make a rule” at a question makes one.</p>}
      <ul className="rules">
        {data?.rules.map((rule) => (
          <RuleRow key={rule.id} rule={rule} />
        ))}
      </ul>
      <div className="options">
        <button type="button" className="btn" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

function RuleRow({ rule }: { rule: Rule }) {
  const page = usePage()
  const spaces = useWorkspace().spaces
  const remove = useSubmit(() => page.call('rules.remove', { workspace: rule.workspace, id: rule.id }))
  const words = ruleWords(rule, rule.space === null ? null : (spaces[rule.space]?.name ?? 'a Space that is gone'))
  return (
    <li className="rule">
      <span className="grow">{words}</span>
      <button
        type="button"
        className="btn quiet icon small"
        aria-label={`Remove: ${words}`}
        title="Remove"
        disabled={remove.pending}
        onClick={() => remove.run()}
      >
        <Trash2 aria-hidden />
      </button>
      <Problem error={remove.problem} />
    </li>
  )
}
