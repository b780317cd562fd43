import type { AgentView } from '../../../src/model/events/view.ts'
import { agentName, useAgents } from '../../data/queries.ts'
import { usePage, useSubmit } from '../../data/use-page.ts'
import { texts } from '../../texts/texts.ts'
import { Choice } from '../../ui/Choice.tsx'
import { Problem } from '../../ui/Problem.tsx'
import { useSession } from '../session-context.ts'
import { type AgentOption, readOptions } from './agent-options.ts'

interface Props {
  /** The settings that the agent offered in this session; undefined before its first prompt. */
  readonly known: AgentView | undefined
  readonly agent: string
  readonly onAgent: (agent: string) => void
}

/** The agent of the next prompt, with the mode, model and other settings it offers. */
export function AgentOptions({ known, agent, onAgent }: Props) {
  const page = usePage()
  const { session, workspace } = useSession()
  const agents = useAgents().data?.agents
  const configure = useSubmit((mode: string | undefined, options: Record<string, string | boolean>) =>
    page.call('sessions.configure', { workspace, id: session, agent, options, ...(mode !== undefined && { mode }) }),
  )
  const choices = (agents ?? [])
    .filter(({ installed, id }) => installed || id === agent)
    .map(({ id, name, version }) => ({ value: id, label: name, note: version }))
  const asked = known?.pending
  const mode = asked?.mode ?? known?.mode ?? ''
  const options = readOptions(known?.options ?? [], asked?.options ?? {})
  const change = ({ id, kind }: AgentOption, value: string): void =>
    configure.run(undefined, { [id]: kind === 'boolean' ? value === 'true' : value })
  return (
    <>
      <Choice
        label={texts.composer.agent}
        value={agent}
        options={choices.length > 0 ? choices : [{ value: agent, label: agentName(agents, agent) }]}
        onChoose={onAgent}
      />
      {known && known.modes.length > 0 && (
        <Choice
          label={asked?.mode ? texts.composer.modeNext : texts.composer.mode}
          value={mode}
          options={known.modes.map(({ id, name, description }) => ({ value: id, label: name, note: description }))}
          onChoose={(next) => configure.run(next, {})}
          disabled={configure.pending}
        />
      )}
      {options
        .filter(({ id }) => id !== 'mode' || !known?.modes.length)
        .map((option) => (
          <Choice
            key={option.id}
            label={option.name}
            value={option.value}
            options={option.choices}
            onChoose={(value) => change(option, value)}
            disabled={configure.pending}
          />
        ))}
      <Problem error={configure.problem} />
    </>
  )
}
