import { useQuery } from '@tanstack/react-query'
import { Trash2 } from 'lucide-react'
import { asCarrelError } from '../../src/model/errors.ts'
import type { Rule } from '../../src/model/rules.ts'
import { usePage, useSubmit, useWorkspace, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'

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
    <Dialog title={texts.rules.title} open onClose={onClose}>
      <p className="dim">{texts.rules.text}</p>
      {error && <Problem error={asCarrelError(error)} />}
      {isPending && <p className="faint">{texts.ui.loading}</p>}
      {data?.rules.length === 0 && <p>{texts.rules.empty}</p>}
      <ul className="rules">
        {data?.rules.map((rule) => (
          <RuleRow key={rule.id} rule={rule} />
        ))}
      </ul>
      <div className="options">
        <button type="button" className="btn" onClick={onClose}>
          {texts.ui.close}
        </button>
      </div>
    </Dialog>
  )
}

function RuleRow({ rule }: { rule: Rule }) {
  const page = usePage()
  const spaces = useWorkspace().spaces
  const remove = useSubmit(() => page.call('rules.remove', { workspace: rule.workspace, id: rule.id }))
  const space = rule.space === null ? null : (spaces[rule.space]?.name ?? texts.rules.goneSpace)
  const words = texts.rules.sentence(rule, space)
  return (
    <li className="rule">
      <span className="grow">{words}</span>
      <button
        type="button"
        className="btn quiet icon small"
        aria-label={texts.rules.removeOne(words)}
        title={texts.rules.remove}
        disabled={remove.pending}
        onClick={() => remove.run()}
      >
        <Trash2 aria-hidden />
      </button>
      <Problem error={remove.problem} />
    </li>
  )
}
