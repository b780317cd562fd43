import { useNavigate } from '@tanstack/react-router'
import { Play, Sparkles } from 'lucide-react'
import { useState } from 'react'
import { asCarrelError } from '../../src/model/errors.ts'
import { remember } from '../data/memory.ts'
import { useAgents } from '../data/queries.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { Problem } from '../ui/Problem.tsx'
import { AgentCards } from './AgentCards.tsx'
import { type Chosen, FolderChoice } from './FolderChoice.tsx'
import { TOUR_PROMPT } from './tour.ts'
import './start.css'

/** From nothing to a session: a folder, an agent, start. */
export function StartForm({ first }: { first: boolean }) {
  const agents = useAgents()
  const [folder, setFolder] = useState<Chosen | null>(null)
  const [agent, setAgent] = useState<string | null>(null)
  const list = agents.data?.agents
  const scripted = list?.find(({ origin }) => origin === 'scripted')
  const chosenAgent = agent ?? (list?.some(({ id }) => id === agents.data?.default) ? agents.data!.default : null)
  const begin = useBegin()
  return (
    <div className="start scroll">
      <div className="start-column">
        <header className="stack">
          <h1>{first ? 'Welcome to Carrel' : 'Add a Space'}</h1>
          <p className="dim">
            {first
              ? 'Agents work in sessions that outlive browsers, networks and restarts. Choose where to work and who does it.'
              : 'A Space is bound to one folder for good. Another folder is another Space.'}
          </p>
        </header>
        {first && scripted && (
          <div className="tour">
            <Sparkles className="glyph" aria-hidden />
            <p className="grow">
              <b>New here?</b> The agent that ships with Carrel needs no model and no account. It shows in a minute how
              agents stream, plan and ask.
            </p>
            <button
              type="button"
              className="btn"
              disabled={begin.pending}
              onClick={() => begin.run({ name: 'Tour' }, scripted.id, TOUR_PROMPT)}
            >
              Take the tour
            </button>
          </div>
        )}
        <section aria-labelledby="start-where">
          <h2 id="start-where">Where to work</h2>
          <FolderChoice chosen={folder} onChoose={setFolder} />
        </section>
        <section aria-labelledby="start-who">
          <h2 id="start-who">Which agent</h2>
          {agents.error && <Problem error={asCarrelError(agents.error)} />}
          {agents.isPending && <p className="dim">Looking which agents are on this machine ...</p>}
          {list && <AgentCards agents={list} chosen={chosenAgent} onChoose={setAgent} />}
        </section>
        <Problem error={begin.problem} what="That did not work." />
        <footer className="start-foot">
          <p className="grow dim cut">{folder ? (folder.folder ?? 'A new, empty folder') : 'Choose a folder above.'}</p>
          <button
            type="button"
            className="btn primary"
            disabled={!folder || begin.pending}
            onClick={() => folder && begin.run(folder, chosenAgent, '')}
          >
            <Play aria-hidden />
            Start a session
          </button>
        </footer>
      </div>
    </div>
  )
}

function useBegin() {
  const page = usePage()
  const workspace = useWorkspaceId()
  const navigate = useNavigate()
  return useSubmit(async (where: Chosen, agent: string | null, draft: string) => {
    const { project } = await page.call('spaces.create', { workspace, ...where })
    const session = await page.call('sessions.create', { workspace, project: project.id, ...(agent && { agent }) })
    if (draft) remember(`draft.${session.id}`, draft)
    await navigate({ to: '/s/$session', params: { session: session.id } })
  })
}
