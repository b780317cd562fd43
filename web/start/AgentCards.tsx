import { ExternalLink } from 'lucide-react'
import type { AgentStatus } from '../../src/model/agent.ts'
import { texts } from '../texts/texts.ts'
import { CopyButton } from '../ui/CopyButton.tsx'
import { Fold } from '../ui/Fold.tsx'

interface Props {
  readonly agents: readonly AgentStatus[]
  readonly chosen: string | null
  readonly onChoose: (agent: string) => void
}

/** The installed agents to choose from, and below the commands that install others. */
export function AgentCards({ agents, chosen, onChoose }: Props) {
  const here = agents.filter(({ installed }) => installed)
  const others = agents.filter(({ installed }) => !installed)
  const onlyScripted = here.every(({ origin }) => origin === 'scripted')
  return (
    <div className="stack">
      <div className="cards" role="radiogroup" aria-label={texts.start.agents.title}>
        {here.map((agent) => (
          <label key={agent.id} className="card">
            <input type="radio" name="agent" checked={agent.id === chosen} onChange={() => onChoose(agent.id)} />
            <span className="grow">
              <span className="card-name">{agent.name}</span>
              <span className="card-note cut">
                {agent.origin === 'scripted'
                  ? texts.start.agents.scripted
                  : [agent.version, agent.program].filter(Boolean).join(' · ')}
              </span>
            </span>
          </label>
        ))}
      </div>
      {onlyScripted && <p className="dim">{texts.start.agents.onlyScripted}</p>}
      {others.length > 0 && (
        <Fold id="start.others" head={<span>{texts.start.agents.others(others.length)}</span>} byDefault={onlyScripted}>
          {() => (
            <ul className="others">
              {others.map((agent) => (
                <Missing key={agent.id} agent={agent} />
              ))}
            </ul>
          )}
        </Fold>
      )}
    </div>
  )
}

function Missing({ agent }: { agent: AgentStatus }) {
  return (
    <li>
      <div className="row">
        <b className="cut">{agent.name}</b>
        {agent.docs && (
          <a
            href={agent.docs}
            target="_blank"
            rel="noreferrer noopener"
            aria-label={texts.start.agents.about(agent.name)}
          >
            <ExternalLink className="glyph" aria-hidden />
          </a>
        )}
      </div>
      {agent.install && <Install command={agent.install} />}
      {agent.login && (
        <p className="how">
          <span className="faint">{texts.start.agents.login}</span>
          <span className="dim">{agent.login.replaceAll('`', '')}</span>
        </p>
      )}
    </li>
  )
}

function Install({ command }: { command: string }) {
  return (
    <div className="how">
      <span className="faint">{texts.start.agents.install}</span>
      <code className="grow">{command}</code>
      <CopyButton text={() => command} label={texts.start.agents.copy(command)} />
    </div>
  )
}
