import type { GivenToRun } from '../../src/model/settings/environment.ts'
import { useAnswer } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { type Amount, amountText } from './draft.ts'
import './environment.css'

/** The environment of a run. Secrets show as handles. */
export function GivenDialog({ run, onClose }: { run: string; onClose: () => void }) {
  const { data, error, isPending } = useAnswer(
    ['given', run],
    'runs.environment',
    { id: run },
    {
      refetchOnMount: 'always',
    },
  )
  return (
    <Dialog title={texts.environment.given.title} onClose={onClose} className="wide plan-like" isText>
      <Problem error={error} />
      {isPending && <p className="faint">{texts.ui.loading}</p>}
      {data && <Given given={data} />}
      <div className="actions">
        <Button label={texts.ui.close} onClick={onClose} />
      </div>
    </Dialog>
  )
}

function Given({ given }: { given: GivenToRun }) {
  const labels = texts.environment
  const { names } = labels.given
  const facts = {
    program: [given.program, ...given.args].join(' '),
    cwd: given.cwd,
    home: given.home === 'session' ? labels.given.ofSession : labels.homes[given.home],
    temporary: given.temporary,
    sandbox: labels.sandboxes[given.sandbox],
    containment: given.containment,
    stderr: given.stderr,
  }
  return (
    <>
      <dl className="given-facts">
        {(Object.keys(facts) as (keyof typeof facts)[])
          .filter((name) => facts[name] !== null)
          .map((name) => (
            <div key={name}>
              <dt>{names[name]}</dt>
              <dd>{facts[name]}</dd>
            </div>
          ))}
        {Object.entries(given.limits).map(([name, value]) => (
          <div key={name}>
            <dt>{labels.limit(labels.amounts[name as Amount])}</dt>
            <dd>{amountText(name as Amount, value ?? 0)}</dd>
          </div>
        ))}
      </dl>
      <table className="effective">
        <caption>{labels.env}</caption>
        <tbody>
          {given.env.map(({ name, value, from }) => (
            <tr key={name}>
              <td>
                <code>{name}</code>
              </td>
              <td>{value ?? <span className="faint">{labels.given.hidden}</span>}</td>
              <td className="faint">{labels.given.from[from]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
